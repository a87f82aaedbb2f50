"""One decision: what, why, and in the words a person reads."""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.model.reasons import Act, Outcome, Reason, Verdict


@dataclass(frozen=True, slots=True)
class Decision:
    """The result of the ordered rules. `outcome` only where the act ends the release (Revert, End).

    awaits: the act that is due, where it waits for people.
    """

    verdict: Verdict
    act: Act
    reason: Reason
    because: str
    outcome: Outcome | None = None
    awaits: Act | None = None
