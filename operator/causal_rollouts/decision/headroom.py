"""The rule of footprints: what the whole service would use may make traffic wait, and never reverts."""

from __future__ import annotations

from causal_rollouts.decision.footprint_words import statement
from causal_rollouts.decision.situation import Situation
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Act, Reason, Verdict


def beyond_headroom(s: Situation) -> Decision | None:
    """Where the policy says so, traffic waits for a person while use at 100% is proven above its headroom.

    Asked before the deadline: what a model says of the whole never reverts a release that is otherwise fine.
    """
    e = s.evidence
    if e is None or not (s.enforcing and s.observing) or s.stage_age < s.stage.min_duration:
        return None
    held = e.beyond_headroom()
    if held is None or e.shared_incident or e.contradicting() is not None or not e.safe(promote=s.last_stage):
        return None
    because = (
        f"{statement(held)}; harm is below the margin, but overHeadroom: Hold lets no "
        "traffic rise: raise the headroom, `promote` or `abort`"
    )
    act = Act.PAUSE if s.stage_clock >= s.stage.max_duration else Act.HOLD
    return Decision(Verdict.INCONCLUSIVE, act, Reason.OVER_HEADROOM, because)
