"""Requests over a latency threshold, canary against baseline.

The control is baseline alone: stable pods are older and carry another load, and
a tail shows that. How much pods and nodes differ in a tail can hardly be learned
from its few events, so it borrows from latency: where the distribution falls
steeply, a small shift of the whole is a large one of the share beyond the edge.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from causal_rollouts.evidence.count_history import CountHistory, fit_counts
from causal_rollouts.evidence.counts import UNKNOWN_PHI, Counts, CountWindow, add_bin, begin_counts, blur
from causal_rollouts.evidence.eligible import Eligible, Side, Table, counts_in, new_bins
from causal_rollouts.evidence.frame import Finding, Floats, Frame, HistogramBins, Lottery, Track
from causal_rollouts.evidence.rate_shift import (
    HARM_KAPPA2,
    SAFE_KAPPA2,
    RateMargins,
    beyond,
    effect_of,
    interval_of,
    nothing_yet,
    pair_likelihood,
)
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import Metric, MetricKind

_SLOW_SHARE = 0.01
_TAIL_SHARE = 0.0015
_STEEPEST = 12.0
_LARGEST_BLUR = 0.09
_GUARD_BINS = 4
_GUARD_RATIO = 3.0
_EDGE_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class ExceedanceState:
    """edge: in seconds. history: its variances hold at least what latency lends. phi: of node drift.

    recent: (events, requests) of stable, of baseline while promoting, in the newest bins, oldest first.
    """

    edge: float
    phi: float
    history: CountHistory
    recent: Floats
    counts: Counts


def begin(frame: Frame, history: HistogramBins, metric: Metric, lottery: Lottery | None) -> ExceedanceState:
    """Choose the edge and fit the stable pods' past at it.

    Raises:
        ValueError: `over` is no edge of the histogram.
    """
    totals = _stable_totals(frame, history)
    k = _edge(metric, history.edges, totals)
    table = _over(history, float(history.edges[k]))
    fit = fit_counts(frame, table.ids, table.first, table.events, table.exposure)
    if lottery is not None:
        square = _steepness(history.edges, totals, k) ** 2
        fit = replace(
            fit,
            v_pod=max(fit.v_pod, square * lottery.sig_p2),
            v_drift=max(fit.v_drift, square * lottery.gam),
        )
    end = min(table.end, frame.now + 1, table.end if frame.t0 is None else frame.t0)
    state = ExceedanceState(
        edge=float(history.edges[k]),
        phi=UNKNOWN_PHI if lottery is None else lottery.phi,
        history=fit,
        recent=np.zeros((_GUARD_BINS, 2)),
        counts=begin_counts(max(table.first, end - _GUARD_BINS)),
    )
    return _consumed(state, frame, table, end)


def _beside(frame: Frame) -> str:
    """Said where no baseline slot is left that no canary can touch."""
    nodes = [unit.node for unit in frame.units if unit.arm is Arm.BASELINE]
    if not nodes or not all(node in frame.exposed for node in nodes):
        return ""
    return "every baseline slot stands beside a canary and is counted against all the same"


def absorb(state: ExceedanceState, frame: Frame, bins: HistogramBins) -> ExceedanceState:
    """Consume the bins of the table that are new, up to `frame.now`.

    Raises:
        ValueError: the histogram lost the edge.
    """
    table = _over(bins, state.edge)
    return _consumed(state, frame, table, table.end)


def judge(state: ExceedanceState, frame: Frame, metric: Metric) -> Finding:
    """Evidence of each window; what pods and nodes may do too much of is not scored."""
    margins = RateMargins.of(metric.margins, state.history.margins(metric.margins))
    windows = [w for w in state.counts.windows if w.start in frame.windows]
    if not windows:
        return nothing_yet(margins)
    first = windows[0]
    width = _width(state, frame, first)
    likelihood = pair_likelihood(first, width, state.history.df)
    lower, upper = interval_of(likelihood)
    seen = width <= _LARGEST_BLUR
    return Finding(
        tracks=tuple(Track(w.start, _harm(state, frame, w, margins)) for w in windows),
        effect=effect_of(first),
        lower=lower,
        upper=upper,
        log_e_safe=likelihood.below(margins.safe, SAFE_KAPPA2) if seen else -math.inf,
        log_e_stage=0.0,
        harm_margin=margins.harm,
        safe_margin=margins.safe,
        identified=seen,
        note=_beside(frame) if seen else _unseen(state, width),
    )


def edge_of(metric: Metric, edges: Sequence[float]) -> float | None:
    """The bucket edge that `over` names, None if the histogram has none there."""
    return next((e for e in edges if math.isclose(e, metric.over, rel_tol=_EDGE_TOLERANCE)), None)


def _width(state: ExceedanceState, frame: Frame, window: CountWindow) -> float:
    """Variance of a window's log ratio that pods and nodes alone make."""
    return blur(state.counts, window, frame, state.history, state.phi).total


def _harm(state: ExceedanceState, frame: Frame, window: CountWindow, margins: RateMargins) -> float:
    if not beyond(window, margins):
        return -math.inf
    width = _width(state, frame, window)
    # Past this width the linear step from latency to its tail no longer holds.
    if width > _LARGEST_BLUR:
        return -math.inf
    return pair_likelihood(window, width, state.history.df).above(margins.harm, HARM_KAPPA2)


def _unseen(state: ExceedanceState, width: float) -> str:
    return (
        f"pods and nodes alone can move the share over {state.edge:g} s by "
        f"{math.expm1(math.sqrt(width)):.0%} (one standard deviation); it takes more slots or nodes"
    )


def _consumed(state: ExceedanceState, frame: Frame, table: Table, end: int) -> ExceedanceState:
    counts, recent = state.counts, state.recent
    new = new_bins(counts.next_bin, frame, table)
    new = range(new.start, min(new.stop, end))
    if not new:
        return state
    eligible = Eligible(frame, table)
    for at in new:
        promoting = frame.until_stable is not None and at >= frame.until_stable
        recent = _pushed(recent, eligible.baseline(at, pure=False) if promoting else eligible.stable(at))
        if counts_in(frame, at) and not _in_incident(recent, state.history.rate):
            starts = tuple(start for start in frame.windows if start <= at)
            canary, control = eligible.canary(at), eligible.baseline(at, pure=True)
            counts = add_bin(counts, state.history, starts, canary, control)
    return replace(state, counts=replace(counts, next_bin=new.stop), recent=recent)


def _pushed(recent: Floats, side: Side) -> Floats:
    newest = [math.fsum(side.events.tolist()), math.fsum(side.exposure.tolist())]
    return np.vstack((recent[1:], newest))


def _in_incident(recent: Floats, rate: float) -> bool:
    """The service as a whole exceeds far more than it used to.

    Then a shift moves the share less than in peace, and the nodes' factors point the wrong way.
    """
    events, requests = recent.sum(axis=0).tolist()
    limit = _GUARD_RATIO * rate * requests
    return bool(events > limit + 3.0 * math.sqrt(limit))


def _over(bins: HistogramBins, edge: float) -> Table:
    k = int(np.argmin(np.abs(bins.edges - edge))) if len(bins.edges) else 0
    if not len(bins.edges) or not math.isclose(bins.edges[k], edge, rel_tol=_EDGE_TOLERANCE):
        raise ValueError(f"latency histogram: no bucket edge {edge:g} s; edges are {bins.edges.tolist()}")
    kept = np.where(bins.lost[:, :, None], 0.0, bins.counts)
    return Table(bins.ids, bins.first, kept[:, :, k + 1 :].sum(axis=2), kept.sum(axis=2))


def _stable_totals(frame: Frame, history: HistogramBins) -> Floats:
    """Requests of stable pods by bucket, warm bins before t0."""
    row = {name: i for i, name in enumerate(history.ids)}
    units = [u for u in frame.units if u.arm is Arm.STABLE and u.id in row]
    at = np.arange(history.first, history.first + history.counts.shape[1])
    used = at >= np.array([u.ready + frame.warm_up for u in units], dtype=np.int64)[:, None]
    used &= at < (frame.now + 1 if frame.t0 is None else frame.t0)
    rows = [row[u.id] for u in units]
    kept = np.where((used & ~history.lost[rows])[:, :, None], history.counts[rows], 0.0)
    totals: Floats = kept.sum(axis=(0, 1))
    return totals


def _edge(metric: Metric, edges: Floats, totals: Floats) -> int:
    if metric.over > 0.0:
        found = edge_of(metric, edges.tolist())
        if found is None:
            raise ValueError(f"over: no bucket edge {metric.over:g} s; edges are {edges.tolist()}")
        return int(np.argmin(np.abs(edges - found)))
    share = _beyond_edges(totals) / max(float(totals.sum()), 1.0)
    if metric.share <= 0.0 and metric.kind is MetricKind.SLOW:
        return int(np.argmin(np.abs(share - _SLOW_SHARE)))
    enough = np.flatnonzero(share >= (metric.share or _TAIL_SHARE))
    return int(enough[-1]) if len(enough) else 0


def _beyond_edges(totals: Floats) -> Floats:
    """Requests over each edge."""
    over: Floats = totals[::-1].cumsum()[::-1][1:]
    return over


def _steepness(edges: Floats, totals: Floats, k: int) -> float:
    """How much the log share over the edge falls for one of log latency, from the edges beside it."""
    low, high = max(k - 1, 0), min(k + 1, len(edges) - 1)
    if low == high:
        return _STEEPEST
    over = _beyond_edges(totals) + 0.5
    fall = math.log(over[low] / over[high]) / math.log(edges[high] / edges[low])
    return min(fall, _STEEPEST)
