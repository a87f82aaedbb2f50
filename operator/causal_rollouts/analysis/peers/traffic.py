"""What a query for one workload would have returned: all its pods together, over a window of bins.

Other tools see a workload through a query that sums its pods, so that is what
their rules are given here; which pod was slow they cannot know.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Signal(StrEnum):
    """What every rule is given to look at: two of the usual signals, latency at two places."""

    ERRORS = "errors"
    MEDIAN = "p50"
    P99 = "p99"


RANKS = {Signal.MEDIAN: 0.5, Signal.P99: 0.99}


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests of one workload.

    counts: [bin, bucket], the last bucket above the last of `edges`. errors, requests: [bin].
    seen: [bin], whether a sample of any of its pods ended in the bin.
    """

    edges: Floats
    counts: Floats
    errors: Floats
    requests: Floats
    seen: Bools

    def __len__(self) -> int:
        """Bins."""
        return len(self.seen)

    def read(self, signal: Signal, begin: int, end: int) -> float | None:
        """The signal over bins [begin, end). None: no sample at all; nan: samples, but no request."""
        window = slice(max(begin, 0), max(end, 0))
        if not self.seen[window].any():
            return None
        if signal is Signal.ERRORS:
            requests = float(self.requests[window].sum())
            return float(self.errors[window].sum()) / requests if requests > 0 else math.nan
        return quantile(self.counts[window].sum(axis=0), self.edges, RANKS[signal])

    def series(self, signal: Signal, begin: int, end: int, step: int) -> Floats:
        """Readings of consecutive steps of [begin, end) that hold a number."""
        found = [self.read(signal, at, at + step) for at in range(begin, end - step + 1, step)]
        return np.array([value for value in found if value is not None and not math.isnan(value)])


def quantile(counts: Floats, edges: Floats, rank: float) -> float:
    """Quantile of a histogram, linear inside its bucket; nan without an observation.

    counts: [bucket], the last one above the last edge, for which that edge stands. As the function
    `histogram_quantile` of Prometheus is documented, which all four tools query.
    """
    total = float(counts.sum())
    if total <= 0:
        return math.nan
    below = np.cumsum(counts)
    bucket = int(np.searchsorted(below, rank * total))
    if bucket >= len(edges):
        return float(edges[-1])
    lower = float(edges[bucket - 1]) if bucket else 0.0
    before = float(below[bucket - 1]) if bucket else 0.0
    part = (rank * total - before) / float(counts[bucket])
    return lower + (float(edges[bucket]) - lower) * part
