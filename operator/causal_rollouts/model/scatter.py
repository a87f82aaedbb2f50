"""How widely fresh pods of one template scattered, of what was believed.

Every pre-period and A/A test shows the lottery of fresh pods with nothing else
in it. A release learns it from those that came before, as part of what it
registers before its first look.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True, slots=True)
class Scatter:
    """Of one metric. ratio: variance of fresh pods' levels by that believed, on df degrees of freedom."""

    metric: str
    ratio: float
    df: float


TRIALS = 10
"""Releases before one whose pre-periods and A/A tests speak for it: a service changes."""


def together(past: Sequence[tuple[Scatter, ...]]) -> tuple[Scatter, ...]:
    """One for each metric, of the last releases, each by its degrees of freedom. past: oldest first."""
    by_metric: dict[str, list[Scatter]] = {}
    for one in chain.from_iterable(past[-TRIALS:]):
        if one.df > 0.0:
            by_metric.setdefault(one.metric, []).append(one)
    return tuple(_pooled(name, ones) for name, ones in by_metric.items())


def _pooled(metric: str, ones: list[Scatter]) -> Scatter:
    df = math.fsum(one.df for one in ones)
    return Scatter(metric, math.fsum(one.ratio * one.df for one in ones) / df, df)
