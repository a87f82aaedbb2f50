"""What a service's own pods did before anything was released: the ground that `plan` and `aa` stand on.

Read once and cut often: bins of each stable pod, in the shape in which the gate
reads them, so that nothing here can measure otherwise than the gate does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.recording import Recording
from causal_rollouts.analysis.shelf import Shelf
from causal_rollouts.decision.allocation import allocate
from causal_rollouts.evidence.frame import CountBins, FootprintBins, Frame, HistogramBins, RestartBins, Unit
from causal_rollouts.evidence.framing import Known, framing
from causal_rollouts.evidence.intake import preview
from causal_rollouts.evidence.levels import NEVER
from causal_rollouts.evidence.reading import SCRAPES_BACK
from causal_rollouts.evidence.tables import Bins, MetricTable, Schedule, columns
from causal_rollouts.evidence.tabulate import Wanted, tabulate
from causal_rollouts.evidence.timeline import first_move
from causal_rollouts.evidence.use_table import recast
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.metrics import Gating
from causal_rollouts.model.reasons import Validity
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.telemetry import Series, Telemetry

LEAST_PODS = 2
"""Stable pods with a past, without which nothing can be said of how pods differ."""

Bools = NDArray[np.bool_]


class NoPast(ValueError):  # noqa: N818 - reads as a sentence in the message
    """The past cannot carry an answer; the message names what is missing and the fix."""


@dataclass(frozen=True, slots=True)
class Past:
    """Bins [first, last] of the stable pods, a table per metric with a row per pod (by slot)."""

    grid: Grid
    pods: tuple[Pod, ...]
    first: int
    last: int
    tables: Mapping[str, MetricTable]

    @property
    def minutes(self) -> float:
        """How long it is."""
        return (self.last + 1 - self.first) * self.grid.width / 60.0

    def frame(self, reg: Registration) -> Frame:
        """How the gate would see the fleet at its end, before a release."""
        return framing(reg, self.pods, (), self.last, Known())

    def played(self, metric: str, cast: Sequence[tuple[Unit, str]], first: int, frame: Frame) -> MetricTable:
        """The table of a metric as units of a frame would have shown it, bins [first, frame.now].

        cast: each unit with the slot of the pod that plays it. Before a unit is ready it shows nothing.
        """
        table = self.tables[metric]
        if table.bins is None:
            return table
        row = {unit: i for i, unit in enumerate(table.bins.ids)}
        units = tuple(unit for unit, _ in cast)
        bins = columns(table.bins, first, frame.now + 1)
        bins = _recast(bins, [row[slot] for _, slot in cast], units, frame.warm_up)
        slots = {slot for _, slot in cast}
        names = {pod.name for pod in self.pods if pod.slot in slots}
        return replace(
            table,
            bins=bins,
            expected=_between(bins.first, first, frame.now, [u.ready + frame.warm_up for u in units], units),
            defects=tuple(d for d in table.defects if d.pod in names and first <= d.bin <= frame.now),
        )


def recorded_past(reg: Registration, recording: Recording) -> Past:
    """The past of a recording: everything before its first stage.

    Raises:
        NoPast: as `past`.
    """
    grid = reg.grid
    pods = tuple(pod for pod in recording.pods if pod.arm is Arm.STABLE)
    names = {pod.name for pod in pods}
    mine = [series for series in recording.series if series.times and series.labels.get("pod") in names]
    if not mine:
        raise NoPast("samples.jsonl.gz: holds no sample of a stable pod of pods.json; record the stable pods")
    first = grid.index(min(series.times[0] for series in mine)) + 1
    last = min(
        (first_move(grid, recording.timeline) or NEVER) - 1,
        grid.index(max(series.times[-1] for series in mine)) - 1,
    )
    since, end = grid.start(first) - SCRAPES_BACK * grid.scrape, grid.end(last)
    shelves = {
        reads: Shelf(s for s in mine if s.labels["__name__"] in reads).between(since, end)
        for reads in {metric.reads for metric in reg.metrics}
    }
    return past(reg, pods, {metric.name: shelves[metric.reads] for metric in reg.metrics}, first, last)


def past(
    reg: Registration,
    pods: Sequence[Pod],
    series: Mapping[str, tuple[Series, ...]],
    first: int,
    last: int,
) -> Past:
    """The past of stable pods, from raw samples by metric name.

    Raises:
        NoPast: too few pods, or an acting metric whose history the gate would not accept.
    """
    grid = reg.grid
    units = tuple(
        Unit(pod.slot, Arm.STABLE, pod.node, grid.index(pod.ready), _gone(grid, pod))
        for pod in sorted(pods, key=lambda pod: pod.slot)
        if pod.ready is not None
    )
    frame = Frame(units, None, (), len(reg.stages), {}, frozenset(), None, last, reg.times.warm_up)
    since = grid.start(first) - SCRAPES_BACK * grid.scrape
    wanted = [Wanted(metric, first, since) for metric in reg.metrics]
    telemetry = Telemetry(series)
    tables = tabulate(grid, pods, frame, Schedule(None, 0, 0.0), telemetry, wanted).metrics
    found = Past(grid, tuple(pods), first, last, tables)
    _check(reg, found)
    return found


def _check(reg: Registration, found: Past) -> None:
    frame = found.frame(reg)
    if len(frame.units) < LEAST_PODS:
        raise NoPast(
            f"pods: {len(frame.units)} stable pod(s) with a past, {LEAST_PODS} are needed; take a time in "
            "which the Deployment ran with all its replicas"
        )
    problems = []
    for metric in reg.metrics:
        cast = [(unit, unit.id) for unit in frame.units]
        table = found.played(metric.name, cast, found.first, frame)
        validity, words = preview(metric, frame, table)
        if validity is not Validity.OK and metric.gating is not Gating.REPORT_ONLY:
            fix = "; take a longer time before a release" if validity is Validity.SHORT_HISTORY else ""
            problems.append(_mended(words, metric.name) + fix)
    if problems:
        raise NoPast("\n".join(problems))


def _mended(words: str, name: str) -> str:
    field = f"metrics[{name}]"
    return words if words.startswith(field) else f"{field}: {words}"


def _gone(grid: Grid, pod: Pod) -> int | None:
    return None if pod.deleted is None else grid.index(pod.deleted)


def _recast(bins: Bins, rows: list[int], units: Sequence[Unit], warm_up: int) -> Bins:
    ids = tuple(unit.id for unit in units)
    ready = [u.ready + (warm_up if u.arm is Arm.STABLE else 0) for u in units]
    match bins:
        case FootprintBins():
            return recast(bins, ids, rows, ~_since(bins.first, bins.lost.shape[1], ready))
        case RestartBins():
            there = _since(bins.first, bins.restarts.shape[1], [u.ready for u in units])
            return RestartBins(ids, bins.first, bins.restarts[rows] * there, bins.seconds[rows] * there)
        case CountBins():
            lost = bins.lost[rows] | ~_since(bins.first, bins.lost.shape[1], ready)
            events, exposure = (np.where(lost, 0.0, v[rows]) for v in (bins.events, bins.exposure))
            return CountBins(ids, bins.first, events, exposure, lost)
        case HistogramBins():
            lost = bins.lost[rows] | ~_since(bins.first, bins.lost.shape[1], ready)
            counts = np.where(lost[:, :, None], 0.0, bins.counts[rows])
            return HistogramBins(ids, bins.first, bins.edges, counts, lost)


def _since(first: int, length: int, begin: Sequence[int]) -> Bools:
    """[unit, bin]: the bin is at or after the unit's own first one."""
    since: Bools = np.arange(first, first + length) >= np.array(begin, dtype=np.int64).reshape(-1, 1)
    return since


def _between(first: int, begin: int, last: int, warm: Sequence[int], units: Sequence[Unit]) -> Bools:
    """[unit, bin] of a table from `first` on: warm and not gone."""
    length = last + 1 - max(first, begin)
    gone = [NEVER if unit.gone is None else unit.gone for unit in units]
    between: Bools = _since(first, length, warm) & ~_since(first, length, gone)
    return between


def replicas_beside_arms(reg: Registration, pods: int) -> int:
    """Largest fleet whose arms fit beside it into so many pods; 0 where not even a fleet of two does."""
    for replicas in range(pods, LEAST_PODS - 1, -1):
        rung = allocate(reg.stages, reg.arms, replicas)[-1]
        if replicas + rung.canaries + rung.baselines <= pods:
            return replicas
    return 0


def bins_of(seconds: float, grid: Grid) -> int:
    """Bins that a duration takes."""
    return math.ceil(seconds / grid.width)
