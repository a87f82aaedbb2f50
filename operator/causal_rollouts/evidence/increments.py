"""Exact increments of counters from raw samples.

`increase()` extrapolates to window edges and yields fractions, which breaks the
likelihood of a count. Here an increment belongs to the bin of the later of its
two samples: nothing depends on samples that come later, a lost scrape loses no
request, and the sum over bins is what the counter says.

Everything looks back `reach` seconds and no further, so that a tick that was
given two bins and a replay that was given an hour compute the same numbers.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import cast

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.model.bins import Grid
from causal_rollouts.model.telemetry import Series

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


_TYPECODE = attrgetter("typecode")

Counter = tuple[int, int, Series]
"""One counter: whose it is (row of the roster), its column (bucket, event or exposure), and its series.

A plain tuple, since a tick makes thousands of them.
"""


@dataclass(frozen=True, slots=True)
class Samples:
    """All samples as rows, sorted by counter and then time.

    scrape: number of the (owner, target, time) that a row came from. previous: time of the scrape
    before it of the same target, -inf where there is none.
    """

    counter: Ints
    time: Floats
    value: Floats
    scrape: Ints
    previous: Floats


@dataclass(frozen=True, slots=True)
class Increments:
    """One row an increment: its counter, the bin of its later sample, how much, and over what time."""

    counter: Ints
    time: Floats
    bin: Ints
    amount: Floats
    seconds: Floats


def gather(counters: Sequence[Counter], targets: Sequence[int], since: float, until: float) -> Samples:
    """Samples of all counters in [since, until). targets: number of each counter's scrape target.

    The scrapes of one target are seen by all its counters at the same instants.
    """
    times = [series.times for _, _, series in counters]
    lengths = list(map(len, times))
    total = sum(lengths)
    time = _flat(times, total)
    value = _flat([series.values for _, _, series in counters], total)
    counter = np.repeat(np.arange(len(counters)), lengths)
    kept = (time >= since) & (time < until)
    counter, time, value = counter[kept], time[kept], value[kept]
    target = np.asarray(targets, dtype=np.int64)[counter] if total else counter
    scrape, previous = _scrapes(target, time)
    return Samples(counter, time, value, scrape, previous)


def _flat(parts: Sequence[Sequence[float]], total: int) -> Floats:
    """All numbers in a row. Lists convert fastest one by one, arrays as the bytes that they are."""
    kinds = set(map(type, parts))
    if kinds <= {list, tuple}:
        return np.fromiter(chain.from_iterable(parts), np.float64, total)
    if kinds == {array} and set(map(_TYPECODE, parts)) == {"d"}:
        return np.frombuffer(b"".join(cast("Sequence[array[float]]", parts)), dtype=np.float64)
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])


def _scrapes(target: Ints, time: Floats) -> tuple[Ints, Floats]:
    """(number of the scrape, time of the target's scrape before it) of each row."""
    if not len(time):
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    order = np.lexsort((time, target))
    t, g = time[order], target[order]
    new = np.concatenate(([True], (t[1:] != t[:-1]) | (g[1:] != g[:-1])))
    number = np.cumsum(new) - 1
    first_t, first_g = t[new], g[new]
    before = np.full(len(first_t), -np.inf)
    same = first_g[1:] == first_g[:-1]
    before[1:][same] = first_t[:-1][same]
    scrape = np.empty(len(time), dtype=np.int64)
    scrape[order] = number
    return scrape, before[scrape]


def without(samples: Samples, bad: Bools) -> Samples:
    """Samples less the whole scrapes that `bad` rows came from.

    A scrape goes as a whole: if one bucket skipped it and the others did not, counts would turn negative.
    """
    if not bad.any():
        return samples
    kept = ~np.isin(samples.scrape, samples.scrape[bad])
    return Samples(*(getattr(samples, name)[kept] for name in Samples.__slots__))


def increments(samples: Samples, grid: Grid, born: Floats, reach: float) -> Increments:
    """Differences of consecutive samples; a drop is a reset and counts the new value.

    born: per counter, the instant before which it cannot have counted (creation of its pod), -inf where
    that is not known. A first sample counts from zero if the pod was born within `reach` before it, or if
    the target was scraped within `reach` before and did not have the counter yet (a new status code).
    Else it is only the start: what a counter showed before we saw it is not an increment.
    """
    if not len(samples.time):
        empty = np.zeros(0)
        none = np.zeros(0, dtype=np.int64)
        return Increments(none, empty, none, empty, empty)
    time, value, counter = samples.time, samples.value, samples.counter
    follows = np.zeros(len(time), dtype=np.bool_)
    follows[1:] = (counter[1:] == counter[:-1]) & (time[1:] - time[:-1] <= reach)
    before = np.concatenate(([0.0], value[:-1]))
    last = np.concatenate(([0.0], time[:-1]))
    birth = born[counter]
    is_born = ~follows & (birth >= time - reach) & (birth < time)
    # Two counters of one target may be some instants apart in hand-made recordings, never half a scrape.
    seen_without = ~follows & ~is_born & (_earlier(samples, grid.scrape / 2) >= time - reach)
    from_zero = is_born | seen_without | (follows & (value < before))
    amount = np.where(from_zero, value, value - before)
    seconds = time - np.where(follows, last, np.where(is_born, birth, samples.previous))
    kept = follows | is_born | seen_without
    return Increments(
        counter=counter[kept],
        time=time[kept],
        bin=np.floor(time[kept] / grid.width).astype(np.int64),
        amount=amount[kept],
        seconds=seconds[kept],
    )


def _earlier(samples: Samples, gap: float) -> Floats:
    """Time of the target's scrape before each row's, if at least `gap` earlier, else -inf."""
    return np.where(samples.previous <= samples.time - gap, samples.previous, -np.inf)


def last_seen(samples: Samples, not_before: float) -> float:
    """Earliest of the counters' newest samples, of those at or after `not_before`; inf without any.

    What the next tick must ask for, so that every counter meets its predecessor again.
    """
    if not len(samples.time):
        return np.inf
    ends = np.append(samples.counter[1:] != samples.counter[:-1], True)
    newest = samples.time[ends]
    return float(newest[newest >= not_before].min(initial=np.inf))
