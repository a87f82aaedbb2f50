"""One release as the rules of other tools see it: two workloads, a past, and when the stages began."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from causal_rollouts.analysis.panel import design_of
from causal_rollouts.analysis.peers.traffic import Bools, Signal, Traffic
from causal_rollouts.analysis.recording import Recording
from causal_rollouts.evidence.frame import CountBins, Frame, HistogramBins
from causal_rollouts.evidence.tables import MetricTable
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.metrics import Margins, Metric, MetricKind
from causal_rollouts.model.registration import Registration

B = TypeVar("B", HistogramBins, CountBins)


class Unwatchable(ValueError):  # noqa: N818 - reads as a sentence in the message
    """Other tools' rules cannot judge this release; the message says what it lacks."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Bins of `canary` and `baseline` count from the first stage on, those of the past end there.

    past: the whole stable fleet; alike: as many stable pods as the canary began with. stages: bins in which
    the stages began. offset: seconds from the first weight to the first bin. complete: it ran to its end.
    """

    width: float
    canary: Traffic
    baseline: Traffic
    past: Traffic
    alike: Traffic
    margins: Mapping[Signal, Margins]
    stages: tuple[int, ...]
    offset: float
    complete: bool

    def bins(self, seconds: float) -> int:
        """Bins of a duration, at least one."""
        return max(1, math.ceil(seconds / self.width))

    def at(self, end: int) -> float:
        """Seconds from the first weight on the candidate to the start of a bin."""
        return self.offset + end * self.width


def watched(
    reg: Registration,
    frame: Frame,
    tables: Mapping[str, MetricTable],
    end: int,
    shifted: float,
    *,
    complete: bool,
) -> Watched:
    """Frame and tables of a whole release, by arm.

    end: the bin after the last one under a stage. shifted: when weight first moved to the candidate.

    Raises:
        Unwatchable: there is no stage, or no histogram of latency, or no count of errors.
    """
    if frame.t0 is None:
        raise Unwatchable("no stage has begun; judge a recording that reached its first stage")
    latency, histogram = _table(reg, tables, MetricKind.LATENCY, HistogramBins)
    errors, counts = _table(reg, tables, MetricKind.ERRORS, CountBins)
    t0, first = frame.t0, histogram.first
    arms = {arm: np.array([unit.arm is arm for unit in frame.units]) for arm in Arm}
    began = sum(unit.arm is Arm.CANARY and unit.ready <= t0 for unit in frame.units)
    chosen = np.zeros(len(frame.units), dtype=np.bool_)
    chosen[np.flatnonzero(arms[Arm.STABLE])[: max(began, 1)]] = True

    def together(units: Bools, begin: int, end: int) -> Traffic:
        own, other = slice(begin - first, end - first), slice(begin - counts.first, end - counts.first)
        return Traffic(
            histogram.edges,
            histogram.counts[units, own].sum(axis=0),
            counts.events[units, other].sum(axis=0),
            counts.exposure[units, other].sum(axis=0),
            np.sum(~histogram.lost[units, own], axis=0) > 0,
        )

    return Watched(
        width=reg.grid.width,
        canary=together(arms[Arm.CANARY], t0, end),
        baseline=together(arms[Arm.BASELINE], t0, end),
        past=together(arms[Arm.STABLE], first, t0),
        alike=together(chosen, first, t0),
        margins={
            Signal.ERRORS: errors.margins,
            Signal.MEDIAN: latency.margins,
            Signal.P99: latency.margins,
        },
        stages=tuple(start - t0 for start in frame.windows if start < end),
        offset=_offset(reg.grid, t0, shifted),
        complete=complete,
    )


def recorded(recording: Recording) -> Watched:
    """A recording as other tools would have seen the release.

    Raises:
        BadRecording: the manifest cannot be run, or no bin lies under a stage.
        Unwatchable: as `watched`.
    """
    design = design_of(recording)
    shifted = next(change.time for change in recording.timeline if change.weights.canary > 0)
    home = any(c.time > shifted and c.weights.canary == 0 for c in recording.timeline)
    return watched(design.reg, design.frame, design.tables, design.end, shifted, complete=not home)


def _offset(grid: Grid, t0: int, shifted: float) -> float:
    return grid.start(t0) - shifted


def _table(
    reg: Registration, tables: Mapping[str, MetricTable], kind: MetricKind, shape: type[B]
) -> tuple[Metric, B]:
    for metric in _of(reg.metrics, kind):
        found = tables[metric.name].bins
        if isinstance(found, shape):
            return metric, found
    raise Unwatchable(f"metrics: no {kind} metric with samples; other tools' rules need latency and errors")


def _of(metrics: Iterable[Metric], kind: MetricKind) -> list[Metric]:
    return [metric for metric in metrics if metric.kind is kind]
