"""Which notices of a rollout are owed: those that the ledger holds and that no channel has settled.

The ledger is written ahead, so what a crash interrupted is found here again.
Settled ones cannot be noted in a record, which is immutable once it is final:
the status of the CausalRollout holds the newest one for each channel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from causal_rollouts.decision.severity import cause, heard, severity
from causal_rollouts.model.notices import Notice, Subscription
from causal_rollouts.model.reasons import Act, Phase, Severity
from causal_rollouts.ports import RECENT, LoggedDecision, Record

LONGEST = 1000
"""Characters of why."""

Cursors = Mapping[str, str]
"""Channel -> id of its newest notice that is settled."""


def owed(records: Sequence[Record], cursors: Cursors) -> tuple[Notice, ...]:
    """All that is owed, oldest first. records: oldest first."""
    newest = records[-RECENT:]
    order = {record.name: i for i, record in enumerate(newest)}
    return tuple(
        notice
        for record in newest
        for notice in notices(record)
        if _place(notice.id, order) > _place(cursors.get(notice.channel, ""), order)
    )


def channels(records: Sequence[Record]) -> frozenset[str]:
    """Channels that these releases tell."""
    return frozenset(s.channel for record in records[-RECENT:] for s in record.registration.notifications)


def notices(record: Record) -> Iterator[Notice]:
    """All notices of one release. A hold that comes and goes within a stage is told once."""
    told: set[tuple[int, str]] = set()
    for line in record.decisions:
        why = cause(line.decision, line.phase, record.release.outcome)
        holds = line.decision.act is Act.HOLD and line.phase is not Phase.DONE
        if not why or (holds and (line.stage, why) in told):
            continue
        if holds:
            told.add((line.stage, why))
        natural = severity(why, line.decision, line.phase)
        for channel, found in _hearing(record.registration.notifications, why, natural).items():
            yield _notice(record, line, channel, why, found)


def _hearing(listed: Sequence[Subscription], why: str, natural: Severity) -> dict[str, Severity]:
    """Each channel once: of several entries that name it the first that hears of it counts."""
    found: dict[str, Severity] = {}
    for subscription in listed:
        said = heard(subscription, why, natural)
        if said is not None:
            found.setdefault(subscription.channel, said)
    return found


def _notice(record: Record, line: LoggedDecision, channel: str, why: str, said: Severity) -> Notice:
    return Notice(
        channel=channel,
        namespace=record.key.namespace,
        rollout=record.key.name,
        release=record.name,
        record_uid=record.uid,
        seq=line.seq,
        time=line.time,
        phase=line.phase,
        act=line.decision.act,
        cause=why,
        severity=said,
        verdict=line.decision.verdict,
        because=line.decision.because[:LONGEST],
        step=line.stage + 1,
        steps=len(record.registration.stages),
        weight=line.weight,
    )


def _place(notice: str, order: Mapping[str, int]) -> tuple[int, int]:
    """Where a notice stands in the ledger; before all of it where its record is gone."""
    release, _, seq = notice.rpartition(".")
    return (order[release], int(seq)) if release in order and seq.isdigit() else (-1, 0)
