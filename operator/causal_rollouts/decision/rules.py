"""The safety argument: ordered rules, first match wins.

Read it top to bottom. What people and objects say comes first, then what is
certain without statistics, then proven harm, then every reason not to move,
and only at the very end the evidence that lets traffic rise.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from causal_rollouts.decision import words
from causal_rollouts.decision.headroom import beyond_headroom
from causal_rollouts.decision.pre_period import aa_tested, overdue, pre_period, twins_differ
from causal_rollouts.decision.probe import probe_due, probing
from causal_rollouts.decision.situation import Situation, Template
from causal_rollouts.decision.verdict import verdict, without_data
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.metrics import MetricKind
from causal_rollouts.model.percent import percent
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Validity, Verdict
from causal_rollouts.model.registration import OnInconclusive

Rule = Callable[[Situation], Decision | None]

_WEAK = {
    Validity.PROVIDER_ERROR: Reason.PROVIDER_ERROR,
    Validity.INCOMPLETE: Reason.INCOMPLETE_DATA,
    Validity.SHARE_MISMATCH: Reason.SHARE_MISMATCH,
    Validity.SHORT_HISTORY: Reason.WAITING_FOR_HISTORY,
}


def ending(s: Situation) -> Decision | None:
    """A release on its way out is only finished."""
    if not s.ending:
        return None
    return Decision(verdict(s), Act.HOLD, Reason.CLEANING_UP, s.release.why)


def deletion(s: Situation) -> Decision | None:
    """Deleting the CausalRollout or its target brings weights home and leaves the target as it runs."""
    if not (s.facts.deleting or s.facts.target_gone):
        return None
    what = "the CausalRollout is being deleted" if s.facts.deleting else "the target Deployment is gone"
    return Decision(verdict(s), Act.END, Reason.DELETED, f"{what}; weights go home", Outcome.DELETED)


def abort(s: Situation) -> Decision | None:
    """A person's abort needs no evidence and no metrics."""
    if not s.facts.abort:
        return None
    return Decision(verdict(s), Act.REVERT, Reason.ABORTED, f"aborted by {s.facts.abort}", Outcome.ABORTED)


def superseded(s: Situation) -> Decision | None:
    """The template changed under the release: back to stable withdraws it, anything else replaces it."""
    if s.facts.template is Template.STABLE:
        because = "the template is the stable one again; the release is withdrawn"
        return Decision(verdict(s), Act.END, Reason.WITHDRAWN, because, Outcome.WITHDRAWN)
    if s.facts.template is Template.OTHER:
        because = "a newer template was requested; weights go home and its own release begins"
        return Decision(verdict(s), Act.END, Reason.SUPERSEDED, because, Outcome.SUPERSEDED)
    return None


def bypassed(s: Situation) -> Decision | None:
    """A person with the bypass verb resumed the Deployment: honoured and recorded."""
    if not s.facts.bypassed:
        return None
    because = "the Deployment was resumed by hand; the candidate rolls out without the gate"
    return Decision(verdict(s), Act.END, Reason.BYPASSED, because, Outcome.BYPASSED)


def unreadable_state(s: Situation) -> Decision | None:
    """Evidence that cannot be read never becomes a new error budget."""
    if not s.facts.unreadable or s.release.phase is Phase.PAUSED:
        return None
    because = f"{s.facts.unreadable}; abort it and retry"
    return Decision(Verdict.NO_DATA, Act.PAUSE, Reason.STATE_UNREADABLE, because)


def tripwire(s: Situation) -> Decision | None:
    """Certain harm acts at once, outside the error budget, and says so."""
    if s.facts.crash_loop:
        return Decision(Verdict.HARM, Act.REVERT, Reason.CRASH_LOOP, s.facts.crash_loop, Outcome.REVERTED)
    if s.facts.never_ready:
        return Decision(Verdict.HARM, Act.REVERT, Reason.NEVER_READY, s.facts.never_ready, Outcome.REVERTED)
    return None


def harm_reverts(s: Situation) -> Decision | None:
    """Evidence of harm inside the error budget reverts, whatever else is true."""
    if s.evidence is None or not (s.exposed and s.enforcing and s.evidence.harm):
        return None
    worst = s.evidence.worst
    beside = worst is not None and worst.kind is MetricKind.NEIGHBOUR
    reason = Reason.NEIGHBOUR_HARM if beside else Reason.HARM_PROVEN
    return Decision(Verdict.HARM, Act.REVERT, reason, words.harm(s.evidence), Outcome.REVERTED)


def blocked(s: Situation) -> Decision | None:
    """Pods that cannot start for reasons of the cluster are not the candidate's fault, until time is up."""
    if not s.facts.blocked:
        return None
    since = s.release.blocked_since
    if since is not None and s.now - since >= s.registration.times.blocked_timeout:
        because = f"blocked for too long: {s.facts.blocked}"
        return Decision(verdict(s), Act.END, Reason.BLOCKED, because, Outcome.BLOCKED)
    return Decision(verdict(s), Act.HOLD, Reason.BLOCKED, s.facts.blocked)


def contested(s: Situation) -> Decision | None:
    """Who moves the weights all the time cannot be outrun; with all traffic on stable a person decides."""
    if not s.facts.contested or s.release.phase is Phase.PAUSED:
        return None
    return Decision(verdict(s), Act.PAUSE, Reason.ROUTE_CONTESTED, s.facts.contested)


def invalid_spec(s: Situation) -> Decision | None:
    """What the user must mend stops every rise; a running release keeps its weights."""
    if not s.facts.problems:
        return None
    return Decision(verdict(s), Act.HOLD, Reason.INVALID_SPEC, "; ".join(s.facts.problems))


def stopped_by_people(s: Situation) -> Decision | None:
    """Pause and suspend hold the weights where they are."""
    if s.release.phase is Phase.PAUSED:
        because = f"paused: {s.release.paused_by}"
        return Decision(verdict(s), Act.HOLD, Reason.PAUSED_BY_USER, because)
    if s.facts.pause:
        because = f"{s.facts.pause} asked to pause"
        return Decision(verdict(s), Act.PAUSE, Reason.PAUSED_BY_USER, because)
    if s.facts.suspended:
        return Decision(verdict(s), Act.HOLD, Reason.SUSPENDED, "spec.suspend is true")
    return None


def promoted_by_person(s: Situation) -> Decision | None:
    """`promote` by a person with the right to: honoured in a stage, also a paused one; recorded as theirs."""
    stands = {Phase.OBSERVING, Phase.AWAITING_APPROVAL}
    held = s.release.phase is Phase.PAUSED and s.release.resume in stands
    if not s.facts.promote or s.facts.suspended or s.facts.unreadable or not (s.observing or held):
        return None
    because = f"promoted by {s.facts.promote} before the evidence was complete"
    return Decision(verdict(s), Act.PROMOTE, Reason.PROMOTED_BY_USER, because)


def machine_steps(s: Situation) -> Decision | None:
    """Outside a stage nothing is judged: the machine finishes the step it is in."""
    steps = {
        Phase.PREPARING: (Reason.WAITING_FOR_HISTORY, "preparing: waiting for history"),
        Phase.REPLACING: (
            Reason.REPLACING,
            "the pods of both arms are replaced: the canary's get the candidate",
        ),
        Phase.PROMOTING: (
            Reason.ROLLING_OUT,
            "the Deployment rolls to the candidate; the gate keeps watching",
        ),
        Phase.BAKING: (Reason.BAKING, "all pods are new; watching before the held-back baseline goes"),
    }
    if s.facts.provider_error:
        return Decision(Verdict.PROVIDER_ERROR, Act.HOLD, Reason.PROVIDER_ERROR, s.facts.provider_error)
    if s.release.phase is Phase.PREPARING and (found := invalid_data(s)):
        return found
    if s.release.phase in steps:
        reason, because = steps[s.release.phase]
        return Decision(verdict(s), Act.HOLD, reason, because)
    if s.release.starting and not _share_wrong(s):
        return Decision(verdict(s), Act.HOLD, *s.facts.waits_for)
    return None


def _share_wrong(s: Situation) -> bool:
    return s.evidence is not None and s.evidence.validity is Validity.SHARE_MISMATCH


def invalid_data(s: Situation) -> Decision | None:
    """No data, late data or partial data: never a rise, never blamed on the release."""
    if s.evidence is None:
        return Decision(verdict(s), Act.HOLD, Reason.BETWEEN_LOOKS, "the next look is not due yet")
    found = s.evidence.validity
    if found is Validity.OK:
        return None
    reason = _WEAK.get(found, Reason.NO_DATA)
    return Decision(without_data(found), Act.HOLD, reason, s.evidence.why_invalid or str(found))


def contaminated(s: Situation) -> Decision | None:
    """Stable differs from stable: the telemetry or the design is broken, so nobody is to blame."""
    if s.evidence is None or not s.evidence.contaminated or not s.enforcing:
        return None
    because = (
        f"the placebo fired ({s.evidence.placebo:.1f} of {s.evidence.placebo_threshold:.1f} nats): stable "
        "pods differ from stable pods; check the telemetry, then resume or abort"
    )
    return Decision(Verdict.CONTAMINATED, Act.PAUSE, Reason.CONTAMINATED, because)


def deadline(s: Situation) -> Decision | None:
    """The stage's maxDuration passed without a verdict: the policy decides."""
    if not (s.enforcing and s.observing) or s.stage_clock < s.stage.max_duration or _may_move(s):
        return None
    missing = words.missing(s.evidence, promote=s.last_stage) if s.evidence else "no evidence"
    because = f"maxDuration passed without enough evidence: {missing}"
    if s.registration.on_inconclusive is OnInconclusive.REVERT:
        return Decision(Verdict.INCONCLUSIVE, Act.REVERT, Reason.OUT_OF_TIME, because, Outcome.REVERTED)
    return Decision(Verdict.INCONCLUSIVE, Act.PAUSE, Reason.OUT_OF_TIME, because)


def shared_incident(s: Situation) -> Decision | None:
    """Everybody got worse, by an incident or by the release: hold, and probe where the policy says so."""
    if s.evidence is None or not s.evidence.shared_incident or not s.enforcing:
        return None
    if due := probe_due(s):
        return due
    because = (
        f"stable and baseline are {percent(s.evidence.shared)} against their past; "
        "an incident or a shared backend: traffic does not rise until it is over"
    )
    return Decision(Verdict.SHARED_INCIDENT, Act.HOLD, Reason.SHARED_INCIDENT, because)


def unsound(s: Situation) -> Decision | None:
    """The evidence would do, were the arms comparable: what they differ in beside the release is told."""
    if s.evidence is None or not s.enforcing or not _evidence_allows(s):
        return None
    failed = s.evidence.unsound()
    if failed is None:
        return None
    because = f"harm is below the margin, but the comparison may not be believed yet ({words.check(failed)})"
    return Decision(Verdict.INCONCLUSIVE, Act.HOLD, Reason.DESIGN_UNSOUND, because)


def time_moves(s: Situation) -> Decision | None:
    """Observe mode: stages move by time, on valid and fresh windows only."""
    if s.enforcing or not _fresh(s) or s.stage_age < s.stage.min_duration:
        return None
    act = Act.PROMOTE if s.last_stage else Act.ADVANCE
    because = "mode Observe: the stage's time has passed"
    if s.evidence is not None and s.evidence.harm:
        because = f"the stage's time has passed; {words.would_revert(s.evidence)}"
    return Decision(verdict(s), act, Reason.TIME_PASSED, because)


def safe_advances(s: Situation) -> Decision | None:
    """The only rule by which evidence lets traffic rise."""
    if not s.enforcing or not _may_move(s) or s.evidence is None:
        return None
    act = Act.PROMOTE if s.last_stage else Act.ADVANCE
    because = f"harm is below the margin: {words.safety(s.evidence, promote=s.last_stage)}"
    return Decision(Verdict.SAFE, act, Reason.SAFETY_PROVEN, because)


def hold(s: Situation) -> Decision:
    """Nothing is certain: hold, and say what is missing."""
    if s.evidence is None:
        return Decision(verdict(s), Act.HOLD, Reason.BETWEEN_LOOKS, "the next look is not due yet")
    shadow = words.would_revert(s.evidence) if s.evidence.harm and not s.enforcing else ""
    known = shadow or words.safety(s.evidence, promote=s.last_stage)
    against = s.evidence.contradicting()
    if s.stage_age < s.stage.min_duration:
        return Decision(verdict(s), Act.HOLD, Reason.STAGE_TOO_YOUNG, f"minDuration has not passed; {known}")
    if against is not None and not math.isnan(against.effect):
        because = shadow or f"this stage speaks against {against.name}: {words.describe(against)}"
        return Decision(verdict(s), Act.HOLD, Reason.STAGE_CONTRADICTS, because)
    return Decision(verdict(s), Act.HOLD, Reason.GATHERING_EVIDENCE, known)


def _fresh(s: Situation) -> bool:
    """In a stage, with a valid window that holds bins not looked at before."""
    e = s.evidence
    return (
        s.observing and e is not None and e.validity is Validity.OK and e.fresh and not s.facts.provider_error
    )


def _may_move(s: Situation) -> bool:
    return _evidence_allows(s) and s.evidence is not None and s.evidence.unsound() is None


def _evidence_allows(s: Situation) -> bool:
    e = s.evidence
    return (
        _fresh(s)
        and e is not None
        and not (e.harm or e.contaminated or e.shared_incident)
        and s.stage_age >= s.stage.min_duration
        and e.share.ok is True
        and e.safe(promote=s.last_stage)
        and e.contradicting() is None
    )


RULES: tuple[Rule, ...] = (
    ending,
    deletion,
    abort,
    superseded,
    bypassed,
    unreadable_state,
    tripwire,
    harm_reverts,
    blocked,
    contested,
    invalid_spec,
    promoted_by_person,
    stopped_by_people,
    machine_steps,
    probing,
    invalid_data,
    aa_tested,
    contaminated,
    twins_differ,
    overdue,
    beyond_headroom,
    deadline,
    shared_incident,
    pre_period,
    unsound,
    time_moves,
    safe_advances,
)
