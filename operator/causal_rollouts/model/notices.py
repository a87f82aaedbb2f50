"""What is told to people outside of the cluster, and who asked for it.

A notice is made of one line of the ledger; nothing else is remembered of it, so
that what is owed can be told again from the record after a restart.
"""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.model.percent import of_traffic
from causal_rollouts.model.reasons import Act, Phase, Severity, Verdict


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a channel hears of.

    when: causes, empty for all but the muted ones. severity: in place of the table's.
    """

    channel: str
    when: tuple[str, ...] = ()
    at_least: Severity = Severity.INFO
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One transition of one release, for one channel.

    seq: of the write that recorded it. record_uid: tells releases of one name in two clusters apart.
    step: as people count, 0 before the first. weight: canary's, in thousandths.
    """

    channel: str
    namespace: str
    rollout: str
    release: str
    record_uid: str
    seq: int
    time: float
    phase: Phase | None
    act: Act
    cause: str
    severity: Severity
    verdict: Verdict
    because: str
    step: int
    steps: int
    weight: int

    @property
    def id(self) -> str:
        """The same however often it is sent, and to whatever channel: what a receiver drops duplicates by."""
        return f"{self.release}.{self.seq}"

    @property
    def share(self) -> str:
        """Of the traffic, what the canary shall have: `5%`."""
        return of_traffic(self.weight)
