"""What people and calendars hold back, though the rules would let traffic rise.

The rules say what the evidence allows. A restraint only ever turns a step into
a hold: it can cause no rise, and keeps a release from going home only in mode
Recommend, where people asked to decide that themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from causal_rollouts.decision.freeze import frozen_until, instant
from causal_rollouts.decision.holds import held
from causal_rollouts.decision.people import unapproved
from causal_rollouts.decision.situation import Situation
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Act, Phase, Reason

Restraint = Callable[[Situation, Decision], Decision | None]

TAKES_TRAFFIC = frozenset({Act.ADVANCE, Act.PROMOTE, Act.PROBE})
"""A probe gives traffic back at times of its own, so none begins in a freeze."""

_GOES_ON = frozenset(
    {
        Reason.WAITING_FOR_HISTORY,
        Reason.WAITING_FOR_PODS,
        Reason.WAITING_FOR_TRAFFIC,
        Reason.WAITING_FOR_CAPACITY,
        Reason.PRE_PERIOD,
    }
)
"""Holds in which the machine takes the next step by itself as soon as it can."""


def restrained(s: Situation, decision: Decision) -> Decision:
    """The decision after each restraint had its say; a hold that waits for people is the last word."""
    for restraint in RESTRAINTS:
        decision = restraint(s, decision) or decision
    return decision


def frozen(s: Situation, decision: Decision) -> Decision | None:
    """In a freeze no release starts and no weight of the canary rises, whoever asks for it."""
    if not s.registration.freeze or not _would_rise(s, decision):
        return None
    end = frozen_until(s.now, s.registration.freeze)
    if end is None:
        return None
    because = f"frozen until {instant(end)}: traffic does not rise, harm still reverts; {decision.because}"
    return replace(decision, act=Act.HOLD, reason=Reason.FROZEN, because=because)


def waiting_for_others(s: Situation, decision: Decision) -> Decision | None:
    """Another release began at the same moment, and the policy lets only so many run."""
    if not s.facts.others or s.release.phase is not Phase.PREPARING or not _would_rise(s, decision):
        return None
    because = f"waits for its turn: {s.facts.others}"
    return replace(decision, act=Act.HOLD, reason=Reason.WAITING_FOR_OTHERS, because=because)


def _would_rise(s: Situation, decision: Decision) -> bool:
    if decision.act in TAKES_TRAFFIC:
        return True
    if decision.act is not Act.HOLD or decision.reason not in _GOES_ON:
        return False
    return s.release.phase is Phase.PREPARING or (s.release.starting and not _weights_set(s))


def _weights_set(s: Situation) -> bool:
    """The weights that the release waits for were set already: only traffic has to follow."""
    if not s.release.timeline:
        return False
    newest, stage = s.release.timeline[-1], s.release.stage
    here = newest.stage == (stage if stage >= 0 else None) and newest.phase == s.release.phase
    return here and newest.weights.canary > 0


RESTRAINTS: tuple[Restraint, ...] = (unapproved, held, frozen, waiting_for_others)
