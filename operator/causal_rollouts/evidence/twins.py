"""Series that tell the same story twice.

Two scrape jobs on one pod, two ports of one process or two replicas of one
Prometheus double every count without a trace. They show as series that differ
in where they were scraped and in nothing else, and take turns. A pod whose
address changed has such series too, one after the other: those are joined.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from causal_rollouts.evidence.increments import Counter
from causal_rollouts.model.telemetry import Series

WHERE = frozenset(
    {"instance", "job", "endpoint", "service", "scrape_job", "prometheus", "prometheus_replica", "replica"}
)
"""Labels that say where or by whom a series was scraped, not what it counts."""

Clash = tuple[int, float]


def merge_twins(placed: Sequence[Counter]) -> tuple[Sequence[Counter], list[Clash]]:
    """One counter for each thing counted; and when twins of a pod took turns.

    A clash is seen from the samples before it only. The order of the series does not matter.
    """
    if len({(owner, column) for owner, column, _ in placed}) == len(placed):
        # As in most looks: whatever has a place of its own has no twin, and no label need be read.
        return placed, []
    places: defaultdict[tuple[int, int], list[Series]] = defaultdict(list)
    for owner, column, series in placed:
        places[owner, column].append(series)
    counters: list[Counter] = []
    clashes: set[Clash] = set()
    for (owner, column), those in places.items():
        if len(those) == 1:
            # As most have: reading its labels would cost more than all the rest.
            counters.append((owner, column, those[0]))
            continue
        for twins in _by_what_they_count(those):
            joined, times = (twins[0], []) if len(twins) == 1 else _joined(twins)
            counters.append((owner, column, joined))
            clashes.update((owner, time) for time in times)
    return counters, sorted(clashes)


def _by_what_they_count(those: Iterable[Series]) -> Iterable[list[Series]]:
    groups: dict[frozenset[tuple[str, str]], list[Series]] = {}
    for series in those:
        what = frozenset([item for item in series.labels.items() if item[0] not in WHERE])
        groups.setdefault(what, []).append(series)
    return groups.values()


def _joined(twins: Sequence[Series]) -> tuple[Series, list[float]]:
    """One series out of several, and the instants at which an earlier one spoke again after another."""
    ordered = sorted(twins, key=lambda s: sorted(s.labels.items()))
    names = [tuple(sorted(s.labels.items())) for s in ordered]
    rows = sorted(
        {
            (time, names.index(name), value)
            for name, series in zip(names, ordered, strict=True)
            for time, value in zip(series.times, series.values, strict=True)
        }
    )
    heard: set[int] = set()
    times: list[float] = []
    values: list[float] = []
    clashes: list[float] = []
    speaker = -1
    for time, source, value in rows:
        same_instant = bool(times) and times[-1] == time
        if same_instant or (source != speaker and source in heard):
            clashes.append(time)
        if not same_instant:
            times.append(time)
            values.append(value)
        heard.add(source)
        speaker = source
    return Series(ordered[-1].labels, times, values), clashes
