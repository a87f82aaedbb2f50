"""A whole release as two tables of outcomes: slots of the arms, and nodes of the stable fleet.

The gate consumes bins one by one; who asks afterwards may take all of them at
once. Bins, warm-up, blackout and exposure are those of the gate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.manifest import registration
from causal_rollouts.analysis.recording import Recording
from causal_rollouts.analysis.replay import scheduled_looks
from causal_rollouts.analysis.rows import BadRecording
from causal_rollouts.evidence.frame import CountBins, Frame, HistogramBins, Unit
from causal_rollouts.evidence.framing import Known, framing, history_start
from causal_rollouts.evidence.levels import slot_begin
from causal_rollouts.evidence.reading import SCRAPES_BACK
from causal_rollouts.evidence.tables import Bins, MetricTable, measured
from causal_rollouts.evidence.tabulate import Wanted, tabulate
from causal_rollouts.evidence.timeline import schedule
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.assignment import block_of
from causal_rollouts.model.metrics import Metric, MetricKind
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.telemetry import Telemetry
from causal_rollouts.model.traffic import Change
from causal_rollouts.stats.bucket_moments import log_means, log_middles
from causal_rollouts.stats.change_scores import levels

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MEASURED = frozenset({MetricKind.LATENCY, MetricKind.ERRORS})
"""Kinds with an outcome of their own per slot and bin."""


@dataclass(frozen=True, slots=True)
class Design:
    """Who was where and when. born: first pod of each slot; cohort: stages that had begun at its creation.

    blocks: of nodes, as the draw had them; zones: of nodes. dose: share of the release by bin from `first`.
    first: first bin; t0: first bin of the first stage; end: the bin after the last one under a stage.
    """

    reg: Registration
    frame: Frame
    tables: Mapping[str, MetricTable]
    born: Mapping[str, Pod]
    cohort: Mapping[str, int]
    nodes: tuple[str, ...]
    blocks: Mapping[str, str]
    zones: Mapping[str, str]
    dose: Floats
    first: int
    t0: int
    end: int


@dataclass(frozen=True, slots=True)
class Slots:
    """Level of each slot less what the stable fleet moved since its past, [slots, bins]; w = 0: not measured.

    before: weights as `w`, of the slot's own pre-period, which `w` leaves out; zero where there was none.
    cohort: slots that began together. touched: a canary stood on its node. ids, node in the same order.
    """

    ids: tuple[str, ...]
    canary: Bools
    node: Ints
    cohort: Ints
    touched: Bools
    y: Floats
    w: Floats
    before: Floats


@dataclass(frozen=True, slots=True)
class Nodes:
    """Outcome of the stable pods of each node less their own past, [nodes, bins]; w = 0: not measured.

    start: column from which a canary was there, inf for never.
    """

    names: tuple[str, ...]
    start: Floats
    y: Floats
    w: Floats


@dataclass(frozen=True, slots=True)
class Service:
    """The whole service, [bins]. level: request-weighted outcome of all units, of `requests`.

    stable: of stable units less their own past; load: requests of one of them; nan where none was measured.
    """

    level: Floats
    requests: Floats
    stable: Floats
    load: Floats


@dataclass(frozen=True, slots=True)
class Panel:
    """One metric. t0: column of the first stage; base: stable level before it; bin: its minutes."""

    metric: Metric
    t0: int
    base: float
    bin: float
    slots: Slots
    nodes: Nodes
    service: Service


def design_of(recording: Recording) -> Design:
    """Frame and tables of the whole recording.

    Raises:
        BadRecording: the manifest cannot be run, or no bin lies under a stage.
    """
    reg = registration(recording)
    looks = recording.looks if recording.looks is not None else tuple(scheduled_looks(recording))
    looks = tuple(look for look in looks if not look.provider_error)
    if not looks:
        raise BadRecording("samples.jsonl.gz: ends before the first look; record until the release has ended")
    last = looks[-1]
    timeline = tuple(change for change in recording.timeline if change.time <= last.time)
    frame = framing(reg, recording.pods, timeline, last.last_final, Known())
    if frame.t0 is None:
        raise BadRecording("timeline.json: no stage has begun before the last look; record the stages too")
    first = history_start(reg, frame.t0)
    since = reg.grid.start(first) - SCRAPES_BACK * reg.grid.scrape
    mine = recording.own_series
    by_name = {
        metric.name: tuple(s for s in mine if s.labels["__name__"] in metric.reads) for metric in reg.metrics
    }
    wanted = [Wanted(metric, first, since) for metric in reg.metrics if metric.kind in MEASURED]
    planned = schedule(reg, timeline, last.time)
    tables = tabulate(reg.grid, recording.pods, frame, planned, Telemetry(by_name), wanted)
    staged = [change for change in timeline if change.stage is not None]
    home = [c.time for c in timeline if c.time > staged[0].time and c.weights.canary == 0]
    ends = [frame.now + 1, *(reg.grid.index(time) for time in home[:1])]
    ends += [frame.until_stable] if frame.until_stable is not None else []
    born = _born(recording.pods)
    starts = [
        next(c.time for c in staged if c.stage == k)
        for k in sorted({c.stage for c in staged if c.stage is not None})
    ]
    end = min(ends)
    return Design(
        reg=reg,
        frame=frame,
        tables=tables.metrics,
        born=born,
        cohort={slot: sum(start <= pod.created for start in starts) for slot, pod in born.items()},
        nodes=tuple(sorted({pod.node for pod in recording.pods})),
        blocks={pod.node: block_of(pod.zone, pod.machine) for pod in recording.pods},
        zones={pod.node: pod.zone for pod in recording.pods},
        dose=np.array([_dose(timeline, reg.grid.start(at)) for at in range(first, end)]),
        first=first,
        t0=frame.t0,
        end=end,
    )


def _dose(timeline: tuple[Change, ...], time: float) -> float:
    """Share of requests that the candidate has; in a pre-period the canary is no candidate yet."""
    past = [change for change in timeline if change.time <= time]
    return past[-1].weights.share(Arm.CANARY) if past and past[-1].stage is not None else 0.0


def panel_of(design: Design, metric: Metric) -> Panel | str:
    """The outcomes of one metric, or why there are none."""
    table = design.tables[metric.name]
    if table.refusal is not None:
        return table.refusal.note
    if table.bins is None:
        return "its series were never seen"
    y, w, before = _outcomes(table.bins, design)
    t0 = design.t0 - design.first
    units = design.frame.units
    stable = np.array([unit.arm is Arm.STABLE for unit in units])
    past = levels(y[stable, :t0], w[stable, :t0])
    known = np.isfinite(past)
    if not known.any():
        return "no stable pod has a measured past"
    rows = [unit for unit, is_stable in zip(units, stable.tolist(), strict=True) if is_stable]
    deviation = y[stable][known] - past[known, None]
    weight = w[stable][known]
    fleet = levels(deviation.T, weight.T)
    base = float(levels(past[known][None, :], weight[:, :t0].sum(axis=1)[None, :])[0])
    return Panel(
        metric,
        t0,
        base,
        design.reg.grid.width / 60.0,
        _slots(
            design,
            [u for u in units if u.arm is not Arm.STABLE],
            y[~stable],
            (w[~stable], before[~stable]),
            fleet,
        ),
        _nodes(design, [u for u, k in zip(rows, known.tolist(), strict=True) if k], deviation, weight),
        _service(y, w, fleet, weight),
    )


def _service(y: Floats, w: Floats, fleet: Floats, stable: Floats) -> Service:
    measured_pods = (stable > 0).sum(axis=0)
    load = np.full(len(fleet), np.nan)
    np.divide(stable.sum(axis=0), measured_pods, out=load, where=measured_pods > 0)
    return Service(levels(y.T, w.T), w.sum(axis=0), fleet, load)


def _outcomes(bins: Bins, design: Design) -> tuple[Floats, Floats, Floats]:
    """(outcome, requests, those of the pre-period) [unit, bin]; blackout and cold pods left out."""
    columns = slice(0, design.end - design.first)
    n, y = outcome(bins)
    w = np.where(measured(bins), n, 0.0)[:, columns]
    at = np.arange(bins.first, bins.first + w.shape[1])
    frame = design.frame
    open_ = ~np.isin(at, list(frame.excluded))
    warm = [
        u.ready + frame.warm_up if u.arm is Arm.STABLE else slot_begin(u, design.t0, frame.warm_up)
        for u in frame.units
    ]
    counts = (at >= np.array(warm, dtype=np.int64)[:, None]) & open_
    first, end = frame.before or (design.t0, design.t0)
    twins = [slot_begin(u, first, frame.warm_up) for u in frame.units]
    earlier = (at >= np.array(twins, dtype=np.int64)[:, None]) & (at < end) & open_
    return y[:, columns], np.where(counts, w, 0.0), np.where(earlier, w, 0.0)


def outcome(bins: Bins) -> tuple[Floats, Floats]:
    """(requests, outcome) [unit, bin]: mean log latency, or share of failed requests."""
    match bins:
        case HistogramBins():
            return log_means(bins.counts, log_middles(bins.edges))
        case CountBins():
            n = bins.exposure
            return n, np.divide(bins.events, n, out=np.zeros_like(n), where=n > 0)
        case _:
            raise TypeError(f"{type(bins).__name__} has no outcome per request")


def _slots(design: Design, units: list[Unit], y: Floats, w: tuple[Floats, Floats], fleet: Floats) -> Slots:
    born = design.born
    exposed = design.frame.exposed
    return Slots(
        ids=tuple(unit.id for unit in units),
        canary=np.array([unit.arm is Arm.CANARY for unit in units], dtype=np.bool_),
        node=np.array([design.nodes.index(born[unit.id].node) for unit in units], dtype=np.int64),
        cohort=np.array([design.cohort[unit.id] for unit in units], dtype=np.int64),
        touched=np.array([born[unit.id].node in exposed for unit in units], dtype=np.bool_),
        y=y - np.nan_to_num(fleet),
        w=np.where(np.isfinite(fleet), w[0], 0.0),
        before=np.where(np.isfinite(fleet), w[1], 0.0),
    )


def _nodes(design: Design, pods: list[Unit], deviation: Floats, w: Floats) -> Nodes:
    names = tuple(sorted({pod.node for pod in pods}))
    rows = [np.array([pod.node == name for pod in pods]) for name in names]
    total = np.array([w[row].sum(axis=0) for row in rows])
    sums = np.array([(w[row] * deviation[row]).sum(axis=0) for row in rows])
    exposed = design.frame.exposed
    return Nodes(
        names,
        np.array([exposed[name] - design.first if name in exposed else math.inf for name in names]),
        np.divide(sums, total, out=np.zeros_like(sums), where=total > 0),
        total,
    )


def _born(pods: tuple[Pod, ...]) -> dict[str, Pod]:
    """The first pod of each slot, by creation."""
    born: dict[str, Pod] = {}
    for pod in sorted(pods, key=lambda p: (p.created, p.uid)):
        if pod.arm is not Arm.STABLE:
            born.setdefault(pod.slot, pod)
    return born
