"""What is measured, in structure rather than in PromQL.

A CausalRollout never carries a query: it names series and labels, and the
adapter builds the query with the namespace forced.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from causal_rollouts.model.segment import Segment

RESTARTS_SERIES = "kube_pod_container_status_restarts_total"
"""Restarts are counted by kube-state-metrics, for every workload alike."""


class MetricKind(StrEnum):
    """Families that share a test and a part of the error budget."""

    LATENCY = "latency"
    SLOW = "slow"
    TAIL = "tail"
    ERRORS = "errors"
    RESTARTS = "restarts"
    NEIGHBOUR = "neighbour"
    FOOTPRINT = "footprint"


class Gating(StrEnum):
    """What a metric may do."""

    BOTH = "Both"
    REVERT_ONLY = "RevertOnly"
    REPORT_ONLY = "ReportOnly"


@dataclass(frozen=True, slots=True)
class Matcher:
    """Anchored regular expressions on label values; all must match."""

    labels: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Margins:
    """Margins as fractions: .05 is 5%. Points are absolute differences of a rate (.001 is 0.1pp).

    revert_above: harm margin. null_below: harm is tested against this null (continuous metrics).
    promote_below: non-inferiority margin. For rates a margin is the larger of share and points.
    A footprint neither reverts nor promotes: it is warned of above revert_above.
    """

    revert_above: float
    promote_below: float
    null_below: float = 0.02
    revert_above_points: float = 0.0
    promote_below_points: float = 0.0


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a release as registered.

    series: base name of the histogram (without `_bucket`), the counter of requests, or what is used.
    of: denominator counter where events have a counter of their own, else ""; of a footprint the counter of
    requests that its counter is held against, "" where it is a gauge and held against pods.
    over: threshold in seconds (slow), 0 where the edge is chosen by `share`.
    share: the highest bucket edge with at least this share is taken (tail, slow by share).
    bad: a request is an error if any of these matches; ignore: left out altogether.
    headroom: share by which the whole service's use may grow (footprint), None where nobody said; waits:
    traffic does not rise while it is exceeded.
    segment: the part of another metric that this one is, None where it is whole.
    """

    name: str
    kind: MetricKind
    series: str
    margins: Margins
    gating: Gating
    of: str = ""
    over: float = 0.0
    share: float = 0.0
    bad: tuple[Matcher, ...] = ()
    ignore: tuple[Matcher, ...] = ()
    headroom: float | None = None
    waits: bool = False
    segment: Segment | None = None

    @property
    def counts_requests(self) -> bool:
        """Its bins say how many requests each arm served, and how many were missed."""
        return self.segment is None and self.kind not in {MetricKind.RESTARTS, MetricKind.FOOTPRINT}

    @property
    def source(self) -> str:
        """Name of the metric whose samples it reads: its own, or that of the whole."""
        return self.segment.of if self.segment else self.name

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the raw series; metrics that read the same share one fetch."""
        match self.kind:
            case MetricKind.RESTARTS:
                return (RESTARTS_SERIES,)
            case MetricKind.ERRORS | MetricKind.FOOTPRINT:
                return (self.series, self.of) if self.of else (self.series,)
            case _:
                return (f"{self.series}_bucket",)
