"""What one look has to go on: numbers per unit and bin, and what was wrong with them.

The line between reading samples and weighing evidence. A simulation that makes
its own numbers starts here and needs no series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.evidence.frame import CountBins, Floats, FootprintBins, HistogramBins, RestartBins
from causal_rollouts.model.reasons import Validity

Bins = HistogramBins | CountBins | RestartBins | FootprintBins


@dataclass(frozen=True, slots=True)
class Defect:
    """Something wrong with one pod's samples in one bin; they were left out.

    certain: the telemetry is broken, whatever its share. Else it only explains what is missing.
    """

    bin: int
    validity: Validity
    pod: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a metric cannot be used at this look at all, in words for the user."""

    validity: Validity
    note: str


@dataclass(frozen=True, slots=True)
class MetricTable:
    """One metric's numbers. A number that is not a measurement is 0 and `lost`, for whatever reason.

    expected[u, b]: the unit should have been measured in that bin. None: wherever it was ready.
    refusal: nothing of this table may be consumed. since: earliest sample that the next look needs.
    drops: share of changes that were drops; a counter falls only when its process restarts.
    """

    bins: Bins | None
    expected: NDArray[np.bool_] | None = None
    defects: tuple[Defect, ...] = ()
    refusal: Refusal | None = None
    since: float = 0.0
    drops: float = 0.0

    @property
    def first(self) -> int:
        """First bin of the table."""
        return self.bins.first if self.bins is not None else 0


@dataclass(frozen=True, slots=True)
class ShareTable:
    """Requests per bin from `first` on: the canary's, and all that carry traffic, new fleet pods too."""

    first: int
    canary: Floats
    total: Floats


@dataclass(frozen=True, slots=True)
class Schedule:
    """What the timeline says at this look.

    stage_first: first bin of the stage in force (it may be still to come), None before the first.
    share_from: first bin whose requests follow the weights in force. intended: the canary's share; baseline:
    that of the baseline.
    """

    stage_first: int | None
    share_from: int
    intended: float
    baseline: float = 0.0


@dataclass(frozen=True, slots=True)
class Tables:
    """By metric name; and what the share test counts, None where no metric has requests."""

    metrics: Mapping[str, MetricTable]
    share: ShareTable | None
    schedule: Schedule


def measured(bins: Bins) -> NDArray[np.bool_]:
    """Which unit-bins hold a measurement."""
    return bins.seconds > 0 if isinstance(bins, RestartBins) else ~bins.lost


def requests(bins: Bins) -> Floats:
    """Requests (of restarts: pod-seconds) per unit and bin."""
    match bins:
        case HistogramBins():
            total: Floats = bins.counts.sum(axis=2)
            return total
        case CountBins():
            return bins.exposure
        case RestartBins():
            return bins.seconds
        case FootprintBins():
            return bins.requests


def columns(bins: Bins, begin: int, end: int) -> Bins:
    """The same table, bins [begin, end) only; what the table does not hold is not made up."""
    begin = max(begin, bins.first)
    cut = slice(begin - bins.first, max(end, begin) - bins.first)
    match bins:
        case HistogramBins():
            return replace(bins, first=begin, counts=bins.counts[:, cut], lost=bins.lost[:, cut])
        case CountBins():
            return replace(
                bins,
                first=begin,
                events=bins.events[:, cut],
                exposure=bins.exposure[:, cut],
                lost=bins.lost[:, cut],
            )
        case RestartBins():
            return replace(bins, first=begin, restarts=bins.restarts[:, cut], seconds=bins.seconds[:, cut])
        case FootprintBins():
            return replace(
                bins,
                first=begin,
                use=bins.use[:, cut],
                requests=bins.requests[:, cut],
                lost=bins.lost[:, cut],
                fleet=bins.fleet[cut],
            )
