"""From raw samples to numbers per unit and bin."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.evidence import selection
from causal_rollouts.evidence.frame import CountBins, Floats, FootprintBins, Frame, HistogramBins, RestartBins
from causal_rollouts.evidence.framing import part_of
from causal_rollouts.evidence.reading import SCRAPES_BACK, Reading, Span, read, read_gauge
from causal_rollouts.evidence.replacements import Starts, cold, expected, later_starts
from causal_rollouts.evidence.selection import BOTH, EVENT, Selected
from causal_rollouts.evidence.tables import Bins, MetricTable, Refusal, Schedule, ShareTable, Tables
from causal_rollouts.evidence.twins import merge_twins
from causal_rollouts.evidence.use_table import no_use, use_bins, uses
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.metrics import Metric, MetricKind
from causal_rollouts.model.reasons import Validity
from causal_rollouts.model.telemetry import Series, Telemetry

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

HISTOGRAMS = frozenset({MetricKind.LATENCY, MetricKind.SLOW, MetricKind.TAIL})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of one metric: bins from `first`, samples from `since`, and the edges frozen before."""

    metric: Metric
    first: int
    since: float
    edges: tuple[float, ...] = ()


def tabulate(
    grid: Grid,
    pods: Sequence[Pod],
    frame: Frame,
    schedule: Schedule,
    telemetry: Telemetry,
    wanted: Sequence[Wanted],
) -> Tables:
    """A table per metric, up to `frame.now`. Metrics of one histogram share the work."""
    ordered = sorted(pods, key=lambda pod: (pod.created, pod.uid))
    whole = _Roster.of(ordered, frame, grid)
    found: dict[str, MetricTable] = {}
    known: dict[tuple[object, ...], tuple[MetricTable, ShareTable | None]] = {}
    share: ShareTable | None = None
    counting = next((w.metric.name for w in wanted if w.metric.counts_requests), "")
    for want in wanted:
        problem = telemetry.problems.get(want.metric.source)
        if problem is not None:
            found[want.metric.name] = MetricTable(None, refusal=Refusal(Validity.PROVIDER_ERROR, problem))
            continue
        series = telemetry.series.get(want.metric.source, ())
        key = _same_work(want, series)
        if key not in known:
            part = part_of(frame, want.metric, pods)
            roster = whole if part is frame else _Roster.of(ordered, part, grid)
            known[key] = _table(want, series, roster, part)
        found[want.metric.name], counted = known[key]
        if want.metric.name == counting:
            share = counted
    return Tables(found, share, schedule)


def _same_work(want: Wanted, series: tuple[Series, ...]) -> tuple[object, ...]:
    m = want.metric
    kind = "histogram" if m.kind in HISTOGRAMS else m.name
    return kind, m.series, m.ignore, m.segment, id(series), want.first, want.since, want.edges


@dataclass(frozen=True, slots=True)
class _Roster:
    """Pods by name, and the row of each pod's unit in the frame (-1: none). later: starts within slots."""

    pods: tuple[Pod, ...]
    rows: Mapping[str, int]
    unit: Ints
    grid: Grid
    later: Starts

    @classmethod
    def of(cls, pods: Sequence[Pod], frame: Frame, grid: Grid) -> _Roster:
        row = {unit.id: i for i, unit in enumerate(frame.units)}
        return cls(
            tuple(pods),
            {pod.name: i for i, pod in enumerate(pods)},
            np.array([row.get(pod.slot, -1) for pod in pods], dtype=np.int64),
            grid,
            later_starts(grid, pods, frame),
        )

    def by_unit(self, per_pod: Floats, units: int) -> Floats:
        """Sums over the pods of each unit; the first axis is pods, then units."""
        out = np.zeros((units, *per_pod.shape[1:]))
        known = self.unit >= 0
        np.add.at(out, self.unit[known], per_pod[known])
        return out


def _table(
    want: Wanted, series: tuple[Series, ...], roster: _Roster, frame: Frame
) -> tuple[MetricTable, ShareTable | None]:
    choose = {
        MetricKind.ERRORS: selection.events,
        MetricKind.RESTARTS: selection.restarts,
        MetricKind.FOOTPRINT: uses,
    }.get(want.metric.kind, selection.buckets)
    selected = choose(want.metric, series, roster.rows)
    span = Span(roster.grid, want.first, frame.now, want.since)
    due = expected(roster.later, frame, span.first)
    if isinstance(selected, Refusal):
        return _nothing(want, selected, frame, span, due), None
    layout, edges = _layout(want, selected, roster)
    found, clashes = merge_twins(selected.placed)
    if want.metric.kind is MetricKind.FOOTPRINT and not want.metric.of:
        reading = read_gauge(span, roster.pods, found, clashes)
    else:
        reading = read(span, roster.pods, found, clashes, layout)
    bins, per_pod = _bins(want.metric, reading, roster, frame, span, edges, layout)
    units = {pod.name for pod, unit in zip(roster.pods, roster.unit.tolist(), strict=True) if unit >= 0}
    table = MetricTable(
        bins,
        expected=due,
        defects=tuple(d for d in reading.defects if d.pod in units),
        since=reading.since,
        drops=reading.drops,
    )
    return table, None if per_pod is None else _share(per_pod, roster, span)


def _layout(want: Wanted, selected: Selected, roster: _Roster) -> tuple[Ints | None, tuple[float, ...]]:
    """(columns of the layout, its finite edges): frozen ones where there are any."""
    if not selected.edges:
        return None, ()
    stable = [i for i, pod in enumerate(roster.pods) if roster.unit[i] >= 0 and pod.arm is Arm.STABLE]
    edges = (*want.edges, math.inf) if want.edges else selection.layout_of(selected, stable)
    column = {edge: k for k, edge in enumerate(selected.edges)}
    # A frozen edge that nobody shows any more: a column that no scrape has, so every scrape is torn.
    columns = [column.get(edge, len(selected.edges)) for edge in edges]
    return np.array(columns, dtype=np.int64), edges[:-1]


def _bins(
    metric: Metric,
    reading: Reading,
    roster: _Roster,
    frame: Frame,
    span: Span,
    edges: tuple[float, ...],
    layout: Ints | None,
) -> tuple[Bins, Floats | None]:
    """(table of units, requests per pod and bin)."""
    ids = tuple(unit.id for unit in frame.units)
    pods, length = len(roster.pods), span.length
    at = reading.steps.bin - span.first
    if layout is not None:
        cumulative = _sums(reading, at, pods, length, int(layout.max()) + 1)[:, :, layout]
        counts = np.maximum(np.diff(cumulative, axis=2, prepend=0.0), 0.0)
        lost = _lost(reading, at, roster, frame, span)
        by_unit = np.where(lost[:, :, None], 0.0, roster.by_unit(counts, len(ids)))
        bins = HistogramBins(ids, span.first, np.array(edges), by_unit, lost)
        return bins, counts.sum(axis=2)
    if metric.kind is MetricKind.FOOTPRINT:
        return _uses(metric, reading, roster, frame, span), None
    if metric.kind is MetricKind.RESTARTS:
        # Before a slot is ready it is no unit yet, and what a look does not know no later look may add.
        unborn = ~_since(frame, span, [unit.ready for unit in frame.units])
        sums = _sums(reading, at, pods, length, 1)[:, :, 0], _covered(reading, at, pods, length)
        events, seconds = (np.where(unborn, 0.0, roster.by_unit(v, len(ids))) for v in sums)
        return RestartBins(ids, span.first, events, seconds), None
    amount = _sums(reading, at, pods, length, 3)
    exposure, bad = amount[:, :, : BOTH + 1].sum(axis=2), amount[:, :, BOTH:].sum(axis=2)
    lost = _lost(reading, at, roster, frame, span)
    kept = [np.where(lost, 0.0, roster.by_unit(v, len(ids))) for v in (bad, exposure)]
    return CountBins(ids, span.first, kept[0], kept[1], lost), exposure


def _uses(metric: Metric, reading: Reading, roster: _Roster, frame: Frame, span: Span) -> FootprintBins:
    gauge = not metric.of
    # All the load stands on the stable fleet once the arms are gone: its pods make the whole of a gauge.
    fleet = [pod.arm is Arm.STABLE or not gauge for pod in roster.pods]
    units = frame.units
    return use_bins(
        tuple(unit.id for unit in units),
        reading,
        span,
        lambda per_pod: roster.by_unit(per_pod, len(units)),
        _unready(roster, frame, span),
        fleet,
        gauge=gauge,
    )


def _sums(reading: Reading, at: Ints, pods: int, length: int, columns: int) -> Floats:
    """Amounts summed to [pod, bin, column]."""
    place = (reading.owner * length + at) * columns + reading.column
    inside = reading.column < columns
    flat = np.bincount(place[inside], weights=reading.steps.amount[inside], minlength=pods * length * columns)
    return flat.reshape(pods, length, columns).astype(np.float64)


def _covered(reading: Reading, at: Ints, pods: int, length: int) -> Floats:
    """Seconds that the increments cover, [pod, bin]; the containers of a pod are scraped together."""
    order = np.lexsort((reading.steps.seconds, reading.steps.time, reading.owner))
    owner, time = reading.owner[order], reading.steps.time[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (owner[1:] != owner[:-1]) | (time[1:] != time[:-1])
    place = owner[new] * length + at[order][new]
    flat = np.bincount(place, weights=reading.steps.seconds[order][new], minlength=pods * length)
    return flat.reshape(pods, length).astype(np.float64)


def _lost(reading: Reading, at: Ints, roster: _Roster, frame: Frame, span: Span) -> Bools:
    """No increment of requests ended in the bin, or the unit was not ready (a stable pod: not warm) yet."""
    request = reading.column != EVENT
    seen = np.zeros((len(roster.pods), span.length))
    seen[reading.owner[request], at[request]] = 1.0
    lost: Bools = roster.by_unit(seen, len(frame.units)) == 0
    return lost | _unready(roster, frame, span)


def _unready(roster: _Roster, frame: Frame, span: Span) -> Bools:
    """The unit was not ready (a stable pod, and one that came to its slot later: not warm) yet."""
    begin = [u.ready + (frame.warm_up if u.arm is Arm.STABLE else 0) for u in frame.units]
    return ~_since(frame, span, begin) | cold(roster.later, frame, span.first)


def _since(frame: Frame, span: Span, begin: Sequence[int]) -> Bools:
    """[unit, bin]: the bin is at or after the unit's own first one."""
    bins = np.arange(span.first, span.first + span.length)
    since: Bools = bins >= np.array(begin, dtype=np.int64).reshape(len(frame.units), 1)
    return since


def _share(per_pod: Floats, roster: _Roster, span: Span) -> ShareTable:
    canary = np.array([pod.arm is Arm.CANARY for pod in roster.pods], dtype=np.bool_)
    return ShareTable(span.first, per_pod[canary].sum(axis=0), per_pod.sum(axis=0))


def _nothing(want: Wanted, why: Refusal, frame: Frame, span: Span, due: Bools) -> MetricTable:
    """A table in which everything is lost; no bins at all of a histogram that was never seen."""
    ids = tuple(unit.id for unit in frame.units)
    zero = np.zeros((len(ids), span.length))
    lost = np.ones(zero.shape, dtype=np.bool_)
    bins: Bins | None
    if want.metric.kind is MetricKind.RESTARTS:
        bins = RestartBins(ids, span.first, zero, zero)
    elif want.metric.kind is MetricKind.ERRORS:
        bins = CountBins(ids, span.first, zero, zero, lost)
    elif want.metric.kind is MetricKind.FOOTPRINT:
        bins = no_use(ids, span, gauge=not want.metric.of)
    elif want.edges:
        counts = np.zeros((*zero.shape, len(want.edges) + 1))
        bins = HistogramBins(ids, span.first, np.array(want.edges), counts, lost)
    else:
        bins = None
    since = span.grid.end(span.last) - SCRAPES_BACK * span.grid.scrape
    return MetricTable(bins, expected=due, refusal=why, since=since)
