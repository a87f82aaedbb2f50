"""What each look saw, small enough to keep in the record and enough to draw.

The evidence state itself is dropped when a release ends; this remains for the
people who ask later what was known when.
"""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.traffic import Weights

KEPT = 120
"""Points kept; when there are more, every second old one goes."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric at one look, rounded to what a plot can show. Effects are log ratios."""

    name: str
    effect: float
    lower: float
    upper: float
    harm: float
    safe: float


@dataclass(frozen=True, slots=True)
class Point:
    """One look."""

    time: float
    stage: int
    canary: int
    log_harm: float
    verdict: str
    readings: tuple[Reading, ...]


def point(evidence: Evidence, time: float, stage: int, weights: Weights, verdict: str) -> Point:
    """The look as it is kept."""
    readings = tuple(
        Reading(
            m.name,
            round(m.effect, 4),
            round(m.lower, 4),
            round(m.upper, 4),
            round(m.log_e_harm, 2),
            round(m.log_e_safe, 2),
        )
        for m in evidence.metrics
    )
    return Point(round(time, 1), stage, weights.canary, round(evidence.log_harm, 2), verdict, readings)


def extend(trace: tuple[Point, ...], new: Point) -> tuple[Point, ...]:
    """The trace with one more point, thinned when it grows too long."""
    if len(trace) >= KEPT:
        trace = (*trace[: KEPT // 2 : 2], *trace[KEPT // 2 :])
    return (*trace, new)
