"""From samples of what pods use to use and requests of each unit and bin.

Use and requests are scraped by different jobs, at other instants, and either may
miss a scrape alone. So both are read as rates over the time that their own
increments cover: a gap then moves no request's cost into the next bin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.evidence.frame import Floats, FootprintBins
from causal_rollouts.evidence.reading import Reading, Span
from causal_rollouts.evidence.selection import EVENT, EXPOSURE, Selected, named
from causal_rollouts.evidence.tables import Refusal
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.telemetry import Series

CONTAINER = "container"
PAUSE = "POD"
"""What cAdvisor calls the container that only holds the pod's network."""

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
ByUnit = Callable[[Floats], Floats]


def uses(metric: Metric, series: Iterable[Series], roster: Mapping[str, int]) -> Selected | Refusal:
    """Series of use (column EVENT) and of requests (EXPOSURE).

    cAdvisor tells a pod's containers and, without a container's name, their sum: both together would count
    everything twice.
    """
    mine = named(metric, series, roster)
    if isinstance(mine, Refusal):
        return mine
    used = [(s, row) for s, row in mine if s.labels.get("__name__") == metric.series]
    parts = {row for s, row in used if s.labels.get(CONTAINER, "") not in {"", PAUSE}}
    placed = [
        (row, EVENT, s)
        for s, row in used
        if row not in parts or s.labels.get(CONTAINER, "") not in {"", PAUSE}
    ]
    placed += [(row, EXPOSURE, s) for s, row in mine if metric.of and s.labels.get("__name__") == metric.of]
    return Selected(tuple(placed))


def use_bins(
    ids: tuple[str, ...],
    reading: Reading,
    span: Span,
    by_unit: ByUnit,
    unready: Bools,
    fleet: Sequence[bool],
    *,
    gauge: bool,
) -> FootprintBins:
    """The table of the units. fleet: pods whose requests (of a gauge: presence) make the whole service's."""
    pods, length = len(fleet), span.length
    at = reading.steps.bin - span.first
    read = _means if gauge else _rates
    use, use_seen = read(reading, at, pods, length, EVENT, span.grid.width)
    if gauge:
        requests, seen = use_seen.astype(np.float64), use_seen
        whole = requests[np.asarray(fleet, dtype=np.bool_)].sum(axis=0)
    else:
        requests, asked = _rates(reading, at, pods, length, EXPOSURE, span.grid.width)
        seen = use_seen & asked
        whole = requests[np.asarray(fleet, dtype=np.bool_)].sum(axis=0) / span.grid.width
    both = (np.where(seen, each, 0.0) for each in (use, requests))
    lost = (by_unit(seen.astype(np.float64)) == 0) | unready
    kept = [np.where(lost, 0.0, by_unit(each)) for each in both]
    return FootprintBins(ids, span.first, kept[0], kept[1], lost, whole, gauge)


def no_use(ids: tuple[str, ...], span: Span, *, gauge: bool) -> FootprintBins:
    """A table in which everything is lost."""
    zero = np.zeros((len(ids), span.length))
    lost = np.ones(zero.shape, dtype=np.bool_)
    return FootprintBins(ids, span.first, zero, zero, lost, np.zeros(span.length), gauge)


def recast(bins: FootprintBins, ids: tuple[str, ...], rows: Sequence[int], unready: Bools) -> FootprintBins:
    """The same numbers told of other units: row i is what unit `rows[i]` showed."""
    lost = bins.lost[list(rows)] | unready
    use, requests = (np.where(lost, 0.0, v[list(rows)]) for v in (bins.use, bins.requests))
    return replace(bins, ids=ids, use=use, requests=requests, lost=lost)


def _rates(
    reading: Reading, at: Ints, pods: int, length: int, column: int, width: float
) -> tuple[Floats, Bools]:
    """(amount in a whole bin at the rate of what was covered, covered at all), [pod, bin].

    The counters of a pod count side by side, so the longest cover is theirs together: a status code seen
    for the first time covers less and must not be blown up for it.
    """
    mine = reading.column == column
    place = reading.owner[mine] * length + at[mine]
    amount = np.bincount(place, weights=reading.steps.amount[mine], minlength=pods * length)
    # By counter first: each covers the sum of its own increments.
    counter = reading.steps.counter[mine]
    count = int(counter.max(initial=-1)) + 1
    key = place * max(count, 1) + counter
    where, number = np.unique(key, return_inverse=True)
    covered = np.bincount(number, weights=reading.steps.seconds[mine], minlength=len(where))
    seconds = np.zeros(pods * length)
    np.maximum.at(seconds, where // max(count, 1), covered)
    seen = seconds > 0
    rate = np.divide(amount * width, seconds, out=np.zeros(pods * length), where=seen)
    return rate.reshape(pods, length), seen.reshape(pods, length)


def _means(
    reading: Reading, at: Ints, pods: int, length: int, column: int, width: float
) -> tuple[Floats, Bools]:
    """(sum over a pod's series of each one's mean in the bin, seen at all), [pod, bin]."""
    del width
    mine = reading.column == column
    counter, place = reading.steps.counter[mine], reading.owner[mine] * length + at[mine]
    count = int(counter.max(initial=-1)) + 1
    where, number = np.unique(place * max(count, 1) + counter, return_inverse=True)
    total = np.bincount(number, weights=reading.steps.amount[mine], minlength=len(where))
    times = np.bincount(number, minlength=len(where))
    out = np.bincount(where // max(count, 1), weights=total / np.maximum(times, 1), minlength=pods * length)
    seen = np.bincount(place, minlength=pods * length) > 0
    return out.reshape(pods, length).astype(np.float64), seen.reshape(pods, length)
