"""Parts of what a metric measures: a route, a method, a zone, a kind of machine.

A release may be harmless on average and break one route. Each part is a
question of its own, so asking many of them needs care: they are told with a
bound on false discoveries, or pay for their answers from the error budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Axis(StrEnum):
    """What a metric is cut by."""

    LABEL = "label"
    ZONE = "zone"
    MACHINE = "instanceType"


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of the metric `of`. label: of its series where the axis is one, else ""."""

    of: str
    axis: Axis
    value: str
    label: str = ""

    @property
    def name(self) -> str:
        """`latency[route=/pay]`: its name in evidence and reports."""
        return f"{self.of}[{self.label or self.axis}={self.value}]"


@dataclass(frozen=True, slots=True)
class SegmentEvidence:
    """One part at one look.

    effect, lower, upper: log ratio canary to control with its always-valid interval; nan where unknown.
    log_e: evidence for harm as one e-value, the mean of its windows' by their shares. harm_margin: log ratio.
    acts: it may revert, by its part of the error budget. note: why nothing is known, or "".
    """

    segment: Segment
    effect: float
    lower: float
    upper: float
    log_e: float
    harm_margin: float
    acts: bool
    note: str = ""
