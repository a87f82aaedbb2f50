"""Steps that wait for people: stages with an approval, and every step of mode Recommend."""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.decision.holds import RISES, holds
from causal_rollouts.decision.situation import Situation
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Act, Reason
from causal_rollouts.model.registration import Mode

REVERTS = frozenset({Reason.HARM_PROVEN, Reason.NEIGHBOUR_HARM, Reason.OUT_OF_TIME, Reason.BACKEND_HARM})
"""Steps of the evidence. What people ask for, tripwires and what ends a release by itself wait for nobody."""


def unapproved(s: Situation, decision: Decision) -> Decision | None:
    """A step that is due and still lacks approvals; one that has them names who gave them."""
    needed = _needed(s, decision)
    if needed == 0:
        return None
    given = approvers(s, decision.act)
    if len(given) >= needed:
        return replace(decision, because=f"{decision.because}; approved by {', '.join(given)}")
    so_far = f" ({', '.join(given)} did)" if given else ""
    because = (
        f"{decision.act} is due and waits for {needed - len(given)} more of {needed} approvals{so_far}: "
        f"{decision.because}"
    )
    return replace(
        decision,
        act=Act.HOLD,
        reason=Reason.AWAITING_APPROVAL,
        because=because,
        outcome=None,
        awaits=decision.act,
    )


def approvers(s: Situation, act: Act) -> tuple[str, ...]:
    """Different people whose approval of this step of this stage has not expired, in the order they came.

    Who is named to release a hold is no second pair of eyes.
    """
    lasts = s.stage.approval_expires
    named = {user for hold in holds(s) for user in hold.by}
    counted = [
        a.user
        for a in s.release.approvals
        if a.stage == s.release.stage and a.act is act and s.now - a.time < lasts and a.user not in named
    ]
    return tuple(dict.fromkeys(counted))


def _needed(s: Situation, decision: Decision) -> int:
    if decision.reason in RISES:
        asked = s.stage.approvals
    elif decision.act is Act.PROBE or (
        decision.act is Act.REVERT and decision.reason in REVERTS and not s.release.rolled
    ):
        asked = 0
    else:
        return 0
    # Once people let the fleet take the candidate, undoing harm to everybody waits for nobody.
    return max(asked, 1) if s.registration.mode is Mode.RECOMMEND else asked
