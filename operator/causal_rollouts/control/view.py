"""What a pass tells the user: the status of the CausalRollout."""

from __future__ import annotations

import math
from dataclasses import replace as replaced

from causal_rollouts.api.status import StatusView, render
from causal_rollouts.control import footprints
from causal_rollouts.control.contest import advice
from causal_rollouts.control.look import Looked
from causal_rollouts.control.observed import Observed
from causal_rollouts.control.posting import Told
from causal_rollouts.control.rest import Rest, Resting
from causal_rollouts.decision import words
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.percent import of_traffic
from causal_rollouts.model.reasons import Reason, Validity
from causal_rollouts.model.traffic import WHOLE, TrafficPlan
from causal_rollouts.model.world import Json
from causal_rollouts.ports import Record

Said = tuple[bool, str, str]
UNTOLD = Told()

WAITING = (Rest.FROZEN, Rest.WAITING_FOR_OTHERS)
MOVING = frozenset({Rest.ROLLING, Rest.GOING_BACK, Rest.FIRST_INSTALL, Rest.TIDYING, Rest.ADOPTING, *WAITING})


def at_rest(o: Observed, resting: Resting, now: float, told: Told = UNTOLD) -> Json:
    """Status while no release runs."""
    last = o.past[-1] if o.past else None
    failed = resting.rest in {Rest.FAILED_BEFORE, Rest.NOT_READY}
    outcome = last.release.outcome if last and resting.rest is Rest.FAILED_BEFORE else None
    view = StatusView(
        phase="Idle" if outcome is None else str(outcome),
        reason=str(outcome or resting.rest),
        message=resting.message,
        running=resting.rest in MOVING,
        failed=failed,
        release=last.name if last else "",
        record=last.name if last else "",
        seq=last.seq if last else 0,
        supported=_supported(o),
        outcome=str(last.release.outcome or "") if last else "",
        queued=resting.rest is Rest.WAITING_FOR_OTHERS,
        notices=told.said,
        notified=told.cursors,
    )
    return render(o.rollout.status, o.rollout.generation, now, view)


def running(
    o: Observed,
    record: Record,
    decision: Decision,
    looked: Looked,
    now: float,
    *,
    refused: str = "",
    told: Told = UNTOLD,
) -> Json:
    """Status while a release runs. refused: what the API server said to an action of this pass."""
    release, stages = record.release, record.registration.stages
    mine = o.rollout.status.get("release") == record.name
    said = o.rollout.said("Ready") if decision.reason is Reason.BETWEEN_LOOKS and mine else None
    reason, because = (said[1], said[2]) if said else (str(decision.reason), decision.because)
    if refused:
        reason, because = str(Reason.REFUSED), f"the API server refuses what the release needs: {refused}"
    view = StatusView(
        phase=str(release.phase),
        reason=reason,
        message=because,
        running=True,
        failed=False,
        release=record.name,
        step=f"{release.stage + 1}/{len(stages)}" if release.stage >= 0 else f"0/{len(stages)}",
        weight=f"{100 * release.desired.weights.canary / WHOLE:g}%",
        verdict=str(decision.verdict),
        metrics=_metrics(o, record, looked.evidence),
        effect=_effect(looked.evidence) or (str(o.rollout.status.get("effect", "")) if mine else ""),
        pending_spec=_pending(o, record),
        record=record.name,
        seq=record.seq,
        supported=_supported(o),
        evidence=_evidence(o, looked),
        traffic=_traffic(o, record),
        footprint=_footprint(o, record, looked.evidence),
        notices=told.said,
        notified=told.cursors,
    )
    return render(o.rollout.status, o.rollout.generation, now, view)


def _supported(o: Observed) -> Said | None:
    found = (*o.unsupported, *o.problems)
    if found:
        return False, "Unsupported" if o.unsupported else "InvalidSpec", "; ".join(found)
    return True, "Supported", "the target, its traffic and its policy can be gated"


def _effect(evidence: Evidence | None) -> str:
    if evidence is None:
        return ""
    known = [m for m in evidence.metrics if not math.isnan(m.effect)]
    return words.describe(known[0]) if known else ""


def _metrics(o: Observed, record: Record, evidence: Evidence | None) -> tuple[str, ...]:
    """A line for each metric; between two looks the last ones stand."""
    if evidence is not None:
        return tuple(words.describe(metric) for metric in evidence.metrics)
    before = o.rollout.status
    lines = before.get("metrics") if before.get("release") == record.name else None
    return tuple(str(line) for line in lines) if isinstance(lines, list) else ()


def _evidence(o: Observed, looked: Looked) -> Said | None:
    """Valid, or why not. Between two looks the last word stands."""
    if looked.provider_error:
        return False, str(Reason.PROVIDER_ERROR), looked.provider_error
    if looked.unreadable:
        return False, str(Reason.STATE_UNREADABLE), looked.unreadable
    if looked.evidence is None:
        return o.rollout.said("EvidenceValid")
    if looked.evidence.validity is not Validity.OK:
        return False, str(looked.evidence.validity), looked.evidence.why_invalid
    return True, str(Validity.OK), "the newest window is complete and valid"


def _footprint(o: Observed, record: Record, evidence: Evidence | None) -> Said | None:
    if not footprints.measured(record.registration):
        return None
    return o.rollout.said(footprints.CONDITION) if evidence is None else footprints.steady(evidence)


def _traffic(o: Observed, record: Record) -> Said | None:
    wanted = record.release.desired.weights
    text = f"canary {of_traffic(wanted.canary)}, baseline {of_traffic(wanted.baseline)}"
    if contested := advice(record.release, o):
        return False, str(Reason.ROUTE_CONTESTED), contested
    who, do = _shares(record.registration.traffic)
    if o.applied(wanted):
        return True, "Applied", f"{who} {do} {text}"
    return False, "Shifting", f"{who} do not {do} {text} yet"


def _shares(plan: TrafficPlan) -> tuple[str, str]:
    """Who shares the work, and its verb."""
    if plan.workers:
        return "the workers", "make"
    return ("the pods in the traffic", "make") if plan.pod_share else ("the routes", "carry")


def _pending(o: Observed, record: Record) -> bool:
    """The spec says something else than what this release registered."""
    if o.resolved is None:
        return False
    mine = record.registration
    now = replaced(o.resolved.registration, release=mine.release, seed=mine.seed, grid=mine.grid)
    return now != mine
