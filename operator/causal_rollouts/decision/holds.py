"""Steps that wait for somebody who is named, mostly a pipeline: a hold is an approval of one, by name.

It is released by the same word as a step that waits for people. A hold after a
stage and one before the next are two sides of one step, and one word of
somebody that both name releases both.
"""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.decision.situation import Situation
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Act, Phase, Reason
from causal_rollouts.model.registration import Hold

RISES = frozenset({Reason.SAFETY_PROVEN, Reason.TIME_PASSED})
"""Rises that evidence or time allow; a `promote` by a person with the verb bypass is held by nothing."""


def held(s: Situation, decision: Decision) -> Decision | None:
    """A step that is due and not released; one that is names who did."""
    act = _due(s, decision)
    found = holds(s) if act is not None else ()
    who: list[str] = []
    for hold in found:
        released = _released(s, hold, act)
        if not released:
            because = f"{act} is held until one of {', '.join(hold.by)} releases it: {decision.because}"
            return replace(decision, act=Act.HOLD, reason=Reason.HELD, because=because, awaits=act)
        who.append(released)
    if not who or decision.act is Act.HOLD:
        return None
    return replace(decision, because=f"{decision.because}; released by {', '.join(dict.fromkeys(who))}")


def holds(s: Situation) -> tuple[Hold, ...]:
    """All that stand before the next rise. An A/A test releases nothing, so nothing holds it."""
    if s.release.is_aa:
        return ()
    after = s.stage.hold_after if s.release.stage >= 0 else None
    before = s.next_stage.hold_before if s.next_stage is not None else None
    return tuple(hold for hold in (after, before) if hold is not None)


def _due(s: Situation, decision: Decision) -> Act | None:
    """The rise that is due; before the first stage the machine takes it by itself once history is there."""
    if decision.reason in RISES:
        return decision.act
    prepares = s.release.phase is Phase.PREPARING and decision.reason is Reason.WAITING_FOR_HISTORY
    return Act.ADVANCE if prepares else None


def _released(s: Situation, hold: Hold, act: Act | None) -> str:
    """Who released it, "" while nobody did or the word has expired."""
    words = [
        a.user
        for a in s.release.approvals
        if a.stage == s.release.stage and a.act is act and a.user in hold.by and s.now - a.time < hold.expires
    ]
    return words[-1] if words else ""
