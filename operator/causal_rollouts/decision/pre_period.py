"""The rules of a pre-period, in which both arms run the stable template."""

from __future__ import annotations

from causal_rollouts.decision import words
from causal_rollouts.decision.situation import Situation
from causal_rollouts.decision.verdict import verdict
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Verdict


def aa_tested(s: Situation) -> Decision | None:
    """An A/A test ends when its time has passed, or as soon as arms or stable pods differ."""
    if not (s.release.is_aa and s.release.phase is Phase.PRE_PERIOD) or s.evidence is None:
        return None
    known = words.effects(s.evidence) or "no metric that gates has an estimate"
    if s.evidence.harm or s.evidence.contaminated:
        because = f"A/A test: pods of one template differ: {words.difference(s.evidence)}"
        return Decision(Verdict.CONTAMINATED, Act.END, Reason.AA_TESTED, because, Outcome.AA_TESTED)
    if s.stage_clock < s.registration.arms.pre_period:
        return None
    because = f"A/A test over {s.stage_clock:.0f} s: arms of one template do not differ: {known}"
    return Decision(verdict(s), Act.END, Reason.AA_TESTED, because, Outcome.AA_TESTED)


def twins_differ(s: Situation) -> Decision | None:
    """Arms of one template that differ would have the release blamed for it: a person looks first."""
    watched = s.release.phase is Phase.PRE_PERIOD and s.enforcing
    if s.evidence is None or not watched or not s.evidence.harm:
        return None
    because = (
        f"before the release, with both arms on the stable template: {words.difference(s.evidence)}; find "
        "out what sets them apart, then resume to watch them anew, or abort"
    )
    return Decision(Verdict.CONTAMINATED, Act.PAUSE, Reason.CONTAMINATED, because)


def overdue(s: Situation) -> Decision | None:
    """A pre-period that cannot end, mostly for an incident that lasts, waits no longer than a stage may."""
    watched = s.release.phase is Phase.PRE_PERIOD and s.enforcing and not s.release.is_aa
    if not watched or s.stage_clock < s.registration.arms.pre_period + s.stage.max_duration:
        return None
    because = (
        "the pre-period did not end in its own time and the first stage's maxDuration: "
        f"{verdict(s)}; resume to watch the arms anew, or abort"
    )
    return Decision(verdict(s), Act.PAUSE, Reason.OUT_OF_TIME, because)


def pre_period(s: Situation) -> Decision | None:
    """Both arms run the stable template; what they show is the past that the release is compared with."""
    if s.release.phase is not Phase.PRE_PERIOD:
        return None
    spent, whole = max(s.stage_clock, 0.0), s.registration.arms.pre_period
    because = f"both arms run the stable template, watched for {min(spent, whole):.0f} of {whole:.0f} s"
    if s.evidence is not None and (known := words.effects(s.evidence)):
        because += f"; between them {known}"
    return Decision(verdict(s), Act.HOLD, Reason.PRE_PERIOD, because)
