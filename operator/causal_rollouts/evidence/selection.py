"""Which of the series that a source answered with are a metric's, and what each of them counts.

Where none can be used the metric says so once, in words for the user; nothing
behind this page meets a series it does not understand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.evidence.increments import Counter
from causal_rollouts.evidence.matching import BadPattern, Patterns
from causal_rollouts.evidence.tables import Refusal
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.reasons import Validity
from causal_rollouts.model.telemetry import Series

Ints = NDArray[np.int64]

EXPOSURE, BOTH, EVENT = 0, 1, 2
"""Columns of a count: requests, requests that are also events, events with a counter of their own."""


@dataclass(frozen=True, slots=True)
class Selected:
    """Counters as they were found; edges: of a histogram, upper bound of each column (the last is inf)."""

    placed: tuple[Counter, ...]
    edges: tuple[float, ...] = ()


def buckets(metric: Metric, series: Iterable[Series], roster: Mapping[str, int]) -> Selected | Refusal:
    """Bucket series of a classic histogram."""
    (name,) = metric.reads
    mine = named(metric, series, roster)
    if isinstance(mine, Refusal):
        return mine
    # Thousands of series share a dozen bounds.
    said = [s.labels.get("le", "") for s, _ in mine]
    bounds = {text: _bound(text) for text in set(said)}
    if any(math.isnan(bound) for bound in bounds.values()):
        return Refusal(Validity.WRONG_TYPE, f"{name}: has no label le; name a classic histogram")
    # Nothing takes no time: what is counted at or below 0 stands in the next bucket too.
    edges = tuple(sorted({bound for bound in bounds.values() if bound > 0}))
    if len(edges) < 2 or edges[-1] != math.inf:
        return Refusal(
            Validity.WRONG_TYPE, f"{name}: buckets end at {edges}; a finite edge and +Inf are needed"
        )
    number = {bound: k for k, bound in enumerate(edges)}
    column = {text: number[bound] for text, bound in bounds.items() if bound > 0}
    placed = [(row, column[le], s) for (s, row), le in zip(mine, said, strict=True) if le in column]
    return Selected(tuple(placed), edges)


def events(metric: Metric, series: Iterable[Series], roster: Mapping[str, int]) -> Selected | Refusal:
    """Counters of requests and of events among them."""
    mine = named(metric, series, roster)
    if isinstance(mine, Refusal):
        return mine
    try:
        bad = Patterns(metric.bad, f"metrics[{metric.name}].bad")
    except BadPattern as error:
        return Refusal(Validity.WRONG_TYPE, str(error))
    placed: list[Counter] = []
    for s, row in mine:
        is_request = not metric.of or s.labels.get("__name__") == metric.of
        is_event = bad.match(s.labels) if bad or not metric.of else True
        own = not is_request
        if own and not is_event:
            continue
        column = EVENT if own else BOTH if is_event and not metric.of else EXPOSURE
        placed.append((row, column, s))
    return Selected(tuple(placed))


def restarts(metric: Metric, series: Iterable[Series], roster: Mapping[str, int]) -> Selected | Refusal:
    """Restart counters of every container."""
    mine = named(metric, series, roster)
    if isinstance(mine, Refusal):
        return mine
    return Selected(tuple((row, EXPOSURE, s) for s, row in mine))


def layout_of(selected: Selected, units: Sequence[int]) -> tuple[float, ...]:
    """The edges that most of these pods show; of all pods where none of these has any."""
    shown: dict[int, set[float]] = {}
    for owner, column, _ in selected.placed:
        shown.setdefault(owner, set()).add(selected.edges[column])
    voters = [shown[owner] for owner in units if owner in shown] or list(shown.values())
    votes: dict[tuple[float, ...], int] = {}
    for edges in voters:
        key = tuple(sorted(edges))
        votes[key] = votes.get(key, 0) + 1
    return max(votes, key=lambda key: (votes[key], key), default=())


def named(
    metric: Metric, series: Iterable[Series], roster: Mapping[str, int]
) -> list[tuple[Series, int]] | Refusal:
    """Series of the metric that are not ignored, each with the pod of the release that it belongs to."""
    given, reads = list(series), metric.reads
    named = [s for s in given if s.labels.get("__name__") in reads]
    what = " and ".join(dict.fromkeys(reads))
    if given and not named:
        other = sorted({s.labels.get("__name__", "") for s in given})[:3]
        return Refusal(
            Validity.WRONG_TYPE, f"metrics[{metric.name}]: {what} is not there, the source has {other}"
        )
    if named and not any("pod" in s.labels for s in named):
        return Refusal(
            Validity.WRONG_TYPE,
            f"metrics[{metric.name}]: {what} has no label pod; keep it when relabelling or name the label "
            "in the operator's settings",
        )
    try:
        ignore = Patterns(metric.ignore, f"metrics[{metric.name}].ignore")
    except BadPattern as error:
        return Refusal(Validity.WRONG_TYPE, str(error))
    mine = [(s, roster[pod]) for s in named if (pod := s.labels.get("pod", "")) in roster]
    if ignore:
        mine = [(s, row) for s, row in mine if not ignore.match(s.labels)]
    part = metric.segment
    if mine and part is not None and part.label:
        mine = [(s, row) for s, row in mine if s.labels.get(part.label) == part.value]
        what = f'{what} with {part.label}="{part.value}"'
    if mine:
        return mine
    return Refusal(
        Validity.NO_DATA,
        f"metrics[{metric.name}]: no series {what} of the pods of this release; check the name and that "
        "their pods are scraped",
    )


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
