"""Recorded series, cut to a span of time as a metrics source would answer it.

A tick asks for a few scrapes of hundreds of series. Those of one scrape target
share their instants, so the span is found once a target and not once a series.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from causal_rollouts.model.telemetry import Series


class Shelf:
    """Series that are asked for together."""

    def __init__(self, series: Iterable[Series]) -> None:
        shared: dict[tuple[float, ...], list[Series]] = {}
        for one in series:
            shared.setdefault(tuple(one.times), []).append(one)
        self._targets: tuple[tuple[Sequence[float], tuple[Series, ...]], ...] = tuple(
            (group[0].times, tuple(group)) for group in shared.values()
        )

    def between(self, start: float, end: float) -> tuple[Series, ...]:
        """Samples in (start, end] of each series; those that have none are left out."""
        found = []
        for times, group in self._targets:
            low, high = bisect_right(times, start), bisect_right(times, end)
            if high > low:
                cut = times[low:high]
                found += [Series(one.labels, cut, one.values[low:high]) for one in group]
        return tuple(found)
