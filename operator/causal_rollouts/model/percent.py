"""One way to write an effect for people, wherever it is told."""

from __future__ import annotations

import math

MANYFOLD = math.log(100.0)
"""Beyond this, digits of a percentage say nothing."""


def percent(log_ratio: float) -> str:
    """`+24.1%` from a log ratio; `over 100 times` beyond that; `unknown` for nan."""
    if math.isnan(log_ratio):
        return "unknown"
    if log_ratio > MANYFOLD:
        return "over 100 times"
    return f"{100 * math.expm1(log_ratio):+.1f}%"
