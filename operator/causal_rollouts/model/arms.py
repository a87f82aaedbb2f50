"""Who is compared with whom.

A slot outlives its pods: a pod that dies and its replacement are one unit of
analysis, so a candidate cannot look better by killing its slow pods.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Arm(StrEnum):
    """The three cohorts of a release."""

    STABLE = "stable"
    BASELINE = "baseline"
    CANARY = "canary"


@dataclass(frozen=True, slots=True)
class Slot:
    """Place of one arm pod and of all its replacements."""

    arm: Arm
    ordinal: int

    @property
    def id(self) -> str:
        """`canary-3`: the unit's name in evidence, labels and recordings."""
        return f"{self.arm}-{self.ordinal}"

    @classmethod
    def parse(cls, text: str) -> Slot:
        """Inverse of `id`.

        Raises:
            ValueError: the text is not `<arm>-<ordinal>`.
        """
        arm, _, ordinal = text.rpartition("-")
        return cls(Arm(arm), int(ordinal))


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod as the API server saw it; times in seconds since the epoch. machine: its node's instance type.

    A stable pod is a unit of its own: its slot is its uid.
    """

    name: str
    uid: str
    arm: Arm
    slot: str
    node: str
    zone: str
    created: float
    ready: float | None
    deleted: float | None = None
    machine: str = ""

    @property
    def place(self) -> str:
        """Zone and instance type in words, `unknown` where its node tells neither."""
        return "/".join(part for part in (self.zone, self.machine) if part) or "unknown"
