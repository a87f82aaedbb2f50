"""What is asked of Prometheus, and how the pieces of a long range become one again.

A range is asked for in pieces, each read into compact arrays before the next,
so that an hour of many series costs the memory of ten minutes.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from causal_rollouts.adapters.prometheus_settings import SourceSettings
from causal_rollouts.adapters.promql import over, selector
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.telemetry import Series
from causal_rollouts.ports import Scope


@dataclass(frozen=True, slots=True)
class Question:
    """An instant query of a range selector: samples in (start, end]."""

    query: str
    start: float
    end: float

    def form(self, deadline: float) -> dict[str, str]:
        """Fields of the request."""
        return {"query": self.query, "time": f"{self.end:.3f}", "timeout": f"{deadline:g}s"}


def questions(
    metric: Metric, scope: Scope, start: float, end: float, settings: SourceSettings
) -> Iterator[Question]:
    """One question for each piece of (start, end], oldest first.

    Raises:
        Refused: a name is not one that Prometheus knows.
    """
    names = {"pod_label": settings.pod_label, "namespace_label": settings.namespace_label}
    return pieces(selector(metric.reads, scope, **names), start, end, settings)


def pieces(instant: str, start: float, end: float, settings: SourceSettings) -> Iterator[Question]:
    """The same for any instant selector."""
    count = max(1, math.ceil((end - start) / settings.piece))
    for i in range(count):
        since = start + i * settings.piece
        until = end if i == count - 1 else since + settings.piece
        yield Question(over(instant, until - since), since, until)


def joined(pieces: Sequence[tuple[Series, ...]]) -> tuple[Series, ...]:
    """Series of all pieces, each once with all its samples.

    Two series of one piece that look alike stay two: the evidence must see that they do.
    """
    if len(pieces) == 1:
        return pieces[0]
    found: dict[tuple[frozenset[tuple[str, str]], int], Series] = {}
    for piece in pieces:
        seen: dict[frozenset[tuple[str, str]], int] = {}
        for series in piece:
            labels = frozenset(series.labels.items())
            key = labels, seen.get(labels, 0)
            seen[labels] = key[1] + 1
            found[key] = _longer(found[key], series) if key in found else series
    return tuple(found.values())


def _longer(old: Series, new: Series) -> Series:
    return Series(old.labels, array("d", (*old.times, *new.times)), array("d", (*old.values, *new.values)))
