"""How long a stage may still take, as far as the growth of its evidence tells.

Evidence wanders: two slopes that disagree, or one that falls, foretell nothing,
and then that is said instead of a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from causal_rollouts.cli.knowledge import Known, known
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.release import Release
from causal_rollouts.ports import Record

LEAST = 6
"""Looks of a stage before a slope is believed."""

AGREE = 3.0
"""The slopes of the whole stage and of its later half may differ by so much and still foretell something."""


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds from now; at least and at most."""

    least: float
    most: float

    def __str__(self) -> str:
        least, most = (max(1, math.ceil(seconds / 60.0)) for seconds in (self.least, self.most))
        return f"about {least} min" if least == most else f"{least} to {most} min"


def until_safe(record: Record, metric: Known) -> Span | None:
    """Until a gating metric has its evidence, if it goes on to grow as it did; None where that is unknown."""
    if not metric.missing:
        return Span(0.0, 0.0)
    points = [
        (point.time, reading.safe)
        for point in record.trace
        if point.stage == record.release.stage
        for reading in point.readings
        if reading.name == metric.name and math.isfinite(reading.safe)
    ]
    if len(points) < LEAST or not math.isfinite(metric.missing):
        return None
    slopes = sorted((_slope(points), _slope(points[len(points) // 2 :])))
    if slopes[0] <= 0.0 or slopes[1] > AGREE * slopes[0]:
        return None
    return Span(metric.missing / slopes[1], metric.missing / slopes[0])


def until_step(record: Record, now: float) -> Span | None:
    """Until the stage can be left upwards: every gating metric, and minDuration; None where unknown.

    A stage that would take longer than its maxDuration lets is unknown too: then the policy decides.
    """
    release = record.release
    if release.phase is not Phase.OBSERVING or release.stage_since is None:
        return None
    stage = record.registration.stages[release.stage]
    clock = counted(release, now)
    young = max(0.0, stage.min_duration - (now - release.stage_since))
    spans = [*_spans(record), Span(young, young)]
    found = [span for span in spans if span is not None]
    if len(found) < len(spans) or len(spans) == 1:
        return None
    longest = Span(max(s.least for s in found), max(s.most for s in found))
    return longest if longest.least <= stage.max_duration - clock else None


def counted(release: Release, now: float) -> float:
    """Seconds of the stage that maxDuration counts: those with valid data, not paused."""
    begun = now if release.stage_since is None else release.stage_since
    standing = now - release.invalid_since if release.invalid_since else 0.0
    return now - begun - release.invalid_seconds - standing


def _spans(record: Record) -> Iterator[Span | None]:
    yield from (until_safe(record, metric) for metric in known(record) if metric.stick.gates)


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Nats a second, by least squares; 0 where all times are one."""
    times = [time for time, _ in points]
    middle = sum(times) / len(times)
    spread = sum((time - middle) ** 2 for time in times)
    return sum((time - middle) * value for time, value in points) / spread if spread else 0.0
