"""Which decisions are worth a line in the record, and what they stood on: those that changed something."""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.api.plain import to_plain
from causal_rollouts.control.footprints import untold
from causal_rollouts.control.look import Looked
from causal_rollouts.decision import moments
from causal_rollouts.decision.situation import Situation
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.glances import noted
from causal_rollouts.model.reasons import Act, Phase, Reason
from causal_rollouts.model.trace import Point, extend, point
from causal_rollouts.model.world import Json
from causal_rollouts.ports import LoggedDecision, Record

KEPT = 60
"""Decisions kept in one record: many times what an ordinary release takes, and bounded."""


def log_decision(record: Record, decision: Decision, looked: Looked, now: float) -> Record:
    """The record with the decision and the evidence state of this pass."""
    release = record.release
    final = release.phase is Phase.DONE
    state = record.state if looked.state is None else looked.state
    news = tuple(key for key, _, _ in untold(release, looked.evidence))
    release = replace(release, warned=(*release.warned, *news)) if news else release
    seen = looked.evidence.scatter if looked.evidence is not None else ()
    release = replace(release, scatter=seen) if seen else release
    told = f"{release.phase}/{release.stage}/{decision.act}/{decision.reason}/{decision.verdict}"
    record = replace(
        record,
        release=release,
        state=None if final else state,
        final=final,
        trace=_trace(record, decision, looked, now),
    )
    if looked.evidence is not None or looked.provider_error:
        record = replace(record, glances=noted(record.glances, now, away=bool(looked.provider_error)))
    silent = told == release.told or decision.reason is Reason.BETWEEN_LOOKS
    if decision.act is Act.HOLD and silent and not news:
        return record
    line = LoggedDecision(
        time=now,
        seq=record.seq + 1,
        decision=decision,
        stage=release.stage,
        weight=release.desired.weights.canary,
        evidence=summary(looked.evidence),
        phase=release.phase,
    )
    return replace(
        record,
        release=replace(release, told=told),
        decisions=(*record.decisions, line)[-KEPT:],
    )


def log_moment(record: Record, before: Record, looked: Looked, situation: Situation) -> Record:
    """The record with what this pass stood on. before: as it was without the decision of this pass."""
    tried = looked.evidence is not None or bool(looked.provider_error)
    told = record.decisions != before.decisions
    return replace(record, moments=moments.noted(record.moments, situation, looked=tried, told=told))


def _trace(record: Record, decision: Decision, looked: Looked, now: float) -> tuple[Point, ...]:
    if looked.evidence is None or record.release.stage < 0:
        return record.trace
    weights = record.release.desired.weights
    return extend(record.trace, point(looked.evidence, now, record.release.stage, weights, decision.verdict))


def summary(evidence: Evidence | None) -> Json:
    """Evidence as plain JSON, {} where there was none."""
    if evidence is None:
        return {}
    plain = to_plain(evidence)
    return plain if isinstance(plain, dict) else {}
