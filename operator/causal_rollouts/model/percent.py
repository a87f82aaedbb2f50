"""One way to write an effect, or a share of traffic, for people and for programs, wherever it is told."""

from __future__ import annotations

import math

MANYFOLD = math.log(100.0)
"""Beyond this, digits of a percentage say nothing."""


LARGEST = 700.0
"""Above this log ratio the ratio itself is no float any more."""


def finite(value: float) -> float | None:
    """A number as JSON can hold it."""
    return value if math.isfinite(value) else None


def relative(log_ratio: float) -> float | None:
    """.25 for 25% more, from a log ratio; None where that is unknown or no number."""
    return math.expm1(log_ratio) if math.isfinite(log_ratio) and log_ratio < LARGEST else None


def interval(effect: float, lower: float, upper: float) -> str:
    """`+24.1% (+9.0% to ?)` from log ratios: a bound that is not known is a question."""
    low, high = (percent(bound) if math.isfinite(bound) else "?" for bound in (lower, upper))
    return f"{percent(effect)} ({low} to {high})"


def percent(log_ratio: float) -> str:
    """`+24.1%` from a log ratio; `over 100 times` beyond that; `unknown` for nan."""
    if math.isnan(log_ratio):
        return "unknown"
    if log_ratio > MANYFOLD:
        return "over 100 times"
    return f"{100 * math.expm1(log_ratio):+.1f}%"


def of_traffic(weight: int) -> str:
    """`12.5%` from a weight in thousandths."""
    return f"{weight / 10:g}%"
