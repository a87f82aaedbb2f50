"""Which records are old enough to go: the ledger stays bounded, and its chain in one piece."""

from __future__ import annotations

from collections.abc import Sequence

from causal_rollouts.model.actions import DeleteRecord
from causal_rollouts.model.reasons import Outcome
from causal_rollouts.ports import Record

AT_ONCE = 10
"""Records deleted in one pass."""


def expired(records: Sequence[Record], kept: int) -> tuple[DeleteRecord, ...]:
    """The oldest final ones beyond `kept`. records: all of a rollout's name, oldest first.

    The last promoted one and what came after it stay, because going back asks for it; only beyond twice
    `kept` they go as well.
    """
    final = [record for record in records if record.final]
    many = len(final) - kept
    promoted = [i for i, record in enumerate(final) if record.release.outcome is Outcome.PROMOTED]
    if promoted:
        many = max(min(many, promoted[-1]), len(final) - 2 * kept)
    return tuple(DeleteRecord(record.name, record.uid) for record in final[: max(many, 0)][:AT_ONCE])
