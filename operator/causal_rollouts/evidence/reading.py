"""From a metric's series to increments per pod: what belongs together, and what is broken.

A pod's samples are taken or left by whole scrapes and, where two targets tell
the same story at once, by whole bins: half a scrape would read as negative
counts, and a series counted twice as twice the traffic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.evidence.increments import (
    Counter,
    Increments,
    Samples,
    gather,
    increments,
    last_seen,
    without,
)
from causal_rollouts.evidence.tables import Defect
from causal_rollouts.evidence.twins import Clash
from causal_rollouts.model.arms import Pod
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.reasons import Validity

REACH = 8
"""Bins over which a counter may be silent and still be continued; after more it starts anew."""

SCRAPES_BACK = 2
"""Scrapes asked for beyond the newest sample: twins are told by what came before."""

LARGEST = 2.0**53
"""Beyond this a float no longer counts one by one, so it is no count."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Span:
    """Bins [first, last] to be read, from samples at or after `since`."""

    grid: Grid
    first: int
    last: int
    since: float

    @property
    def length(self) -> int:
        """How many bins."""
        return max(0, self.last - self.first + 1)


@dataclass(frozen=True, slots=True)
class Reading:
    """Increments of the span, each with its pod (row of the roster) and column; else as MetricTable."""

    owner: Ints
    column: Ints
    steps: Increments
    defects: tuple[Defect, ...]
    since: float
    drops: float


def read(
    span: Span,
    pods: Sequence[Pod],
    found: Sequence[Counter],
    clashes: Sequence[Clash],
    layout: Ints | None,
) -> Reading:
    """Increments of all counters; clashes as `merge_twins` found them.

    layout: the columns that every scrape must show equally often, if any.
    """
    end = span.grid.end(span.last)
    samples = gather(found, _targets(found), span.since, end)
    owner = np.array([owner for owner, _, _ in found], dtype=np.int64)
    column = np.array([column for _, column, _ in found], dtype=np.int64)
    samples, defects = _sound(samples, owner, pods, span.grid)
    samples, torn = _untwinned(samples, owner, pods, clashes, span.grid)
    defects += torn
    if layout is not None:
        samples, odd = _whole(samples, owner, column, pods, layout, span.grid)
        defects += odd
    born = np.array([pod.created for pod in pods], dtype=np.float64)[owner]
    steps = increments(samples, span.grid, born, REACH * span.grid.width)
    drops = _drops(samples)
    inside = (steps.bin >= span.first) & (steps.bin <= span.last)
    steps = Increments(*(getattr(steps, name)[inside] for name in Increments.__slots__))
    since = min(last_seen(samples, end - REACH * span.grid.width), end) - SCRAPES_BACK * span.grid.scrape
    kept = tuple(sorted({d for d in defects if span.first <= d.bin <= span.last}, key=_by_bin))
    return Reading(owner[steps.counter], column[steps.counter], steps, kept, since, drops)


def read_gauge(
    span: Span, pods: Sequence[Pod], found: Sequence[Counter], clashes: Sequence[Clash]
) -> Reading:
    """Samples of gauges, each a row whose amount is its value; nothing is taken from what came before."""
    end = span.grid.end(span.last)
    samples = gather(found, _targets(found), span.grid.start(span.first), end)
    owner = np.array([owner for owner, _, _ in found], dtype=np.int64)
    column = np.array([column for _, column, _ in found], dtype=np.int64)
    samples, defects = _sound(samples, owner, pods, span.grid)
    samples, torn = _untwinned(samples, owner, pods, clashes, span.grid)
    at = np.floor(samples.time / span.grid.width).astype(np.int64)
    steps = Increments(samples.counter, samples.time, at, samples.value, np.zeros(len(samples.time)))
    kept = tuple(sorted({d for d in defects + torn if span.first <= d.bin <= span.last}, key=_by_bin))
    since = end - SCRAPES_BACK * span.grid.scrape
    return Reading(owner[steps.counter], column[steps.counter], steps, kept, since, 0.0)


def _by_bin(defect: Defect) -> tuple[int, str, str]:
    return defect.bin, defect.pod, defect.validity


def _targets(found: Sequence[Counter]) -> list[int]:
    numbers: defaultdict[tuple[object, ...], int] = defaultdict(lambda: len(numbers))
    return [
        numbers[owner, series.labels.get("instance"), series.labels.get("job")] for owner, _, series in found
    ]


def _sound(samples: Samples, owner: Ints, pods: Sequence[Pod], grid: Grid) -> tuple[Samples, list[Defect]]:
    """Without scrapes that hold what no counter can show."""
    finite = np.isfinite(samples.value)
    bad = ~finite | (samples.value < 0) | (samples.value > LARGEST)
    if not bad.any():
        return samples, []
    defects = [
        Defect(
            grid.index(float(samples.time[i])),
            Validity.WRONG_TYPE if finite[i] else Validity.NOT_A_NUMBER,
            pods[owner[samples.counter[i]]].name,
        )
        for i in np.flatnonzero(bad)
    ]
    return without(samples, bad), defects


def _untwinned(
    samples: Samples,
    owner: Ints,
    pods: Sequence[Pod],
    clashes: Sequence[Clash],
    grid: Grid,
) -> tuple[Samples, list[Defect]]:
    """Without the bins in which two targets of one pod told the same series."""
    torn = {(pod, grid.index(time)) for pod, time in clashes}
    if not torn:
        return samples, []
    at = np.floor(samples.time / grid.width).astype(np.int64)
    bad = np.zeros(len(at), dtype=np.bool_)
    for pod, index in torn:
        bad |= (owner[samples.counter] == pod) & (at == index)
    defects = [Defect(index, Validity.DUPLICATE_SERIES, pods[pod].name) for pod, index in torn]
    return without(samples, bad), defects


def _whole(
    samples: Samples, owner: Ints, column: Ints, pods: Sequence[Pod], layout: Ints, grid: Grid
) -> tuple[Samples, list[Defect]]:
    """Without scrapes that show other buckets than the layout.

    A bucket too many is another layout. Buckets too few may be lost samples: they are told as another
    layout only where a whole bin shows the same ones missing.
    """
    if not len(samples.time):
        return samples, []
    width = int(max(column.max(), layout.max())) + 1
    scrapes = int(samples.scrape.max()) + 1
    seen = np.bincount(samples.scrape * width + column[samples.counter], minlength=scrapes * width)
    seen = seen.reshape(scrapes, width)
    wanted = seen[:, layout]
    extra = seen.sum(axis=1) > wanted.sum(axis=1)
    torn = extra | (wanted != wanted[:, :1]).any(axis=1) | (wanted[:, 0] == 0)
    torn &= seen.any(axis=1)
    if not torn.any():
        return samples, []
    rows = np.unique(samples.scrape, return_index=True)
    first_row = np.zeros(scrapes, dtype=np.int64)
    first_row[rows[0]] = rows[1]
    place = [(int(owner[samples.counter[r]]), grid.index(float(samples.time[r]))) for r in first_row.tolist()]
    defects = []
    patterns: dict[tuple[int, int], set[bytes]] = {}
    for number in np.flatnonzero(seen.any(axis=1)):
        pattern = (seen[number] > 0).tobytes() if torn[number] else b""
        patterns.setdefault(place[number], set()).add(pattern)
        if extra[number]:
            pod, index = place[number]
            defects.append(Defect(index, Validity.LAYOUT_CHANGED, pods[pod].name))
    for (pod, index), kinds in patterns.items():
        if len(kinds) == 1 and b"" not in kinds:
            defects.append(Defect(index, Validity.LAYOUT_CHANGED, pods[pod].name, certain=False))
    return without(samples, torn[samples.scrape]), defects


def _drops(samples: Samples) -> float:
    """Share of changes that go down, 0 while there are few."""
    step = np.diff(samples.value)[samples.counter[1:] == samples.counter[:-1]]
    falls, moves = int((step < 0).sum()), int((step != 0).sum())
    return falls / moves if falls >= 10 else 0.0
