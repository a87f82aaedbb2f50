"""What the stable pods' past teaches before the release, fitted once and frozen.

Frozen, because a fit that went on learning would learn the release's own effect
as noise.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.evidence.frame import Floats, Frame, HistogramBins, LevelBins, Unit
from causal_rollouts.evidence.levels import NEVER, RECENT, ContinuousState, Past, consume, slot_begin
from causal_rollouts.model.arms import Arm
from causal_rollouts.stats.bucket_moments import log_means, log_middles, pooled_variance
from causal_rollouts.stats.sampling_variance import sampling_variance
from causal_rollouts.stats.variance_components import fit_components

Bools = NDArray[np.bool_]


def fit_history(frame: Frame, history: HistogramBins | LevelBins) -> ContinuousState:
    """Components and sums of the stable units that have a past in `history`, bins before t0 only.

    Bins between the end of `history` and t0 may follow by `absorb`: they enter the sums, not the fit.
    """
    end = min(NEVER if frame.t0 is None else frame.t0, frame.now + 1)
    end = max(min(end, history.first + history.lost.shape[1]), history.first)
    candidates = [u for u in frame.units if u.arm is Arm.STABLE and u.id in set(history.ids)]
    has_past, n, y, s2 = _observed(frame, history, candidates, end)
    units = [u for u, seen in zip(candidates, has_past.tolist(), strict=True) if seen]
    group = np.unique([u.node for u in units], return_inverse=True)[1].astype(np.int64)
    components, offsets = fit_components(y, n, s2, group)
    blank = ContinuousState(
        components=components,
        first=history.first,
        next_bin=history.first,
        stable=tuple(u.id for u in units),
        slots=(),
        offsets=offsets,
        anchors=np.zeros(0),
        anchored=False,
        reference=0.0,
        sums=np.zeros((len(units), 2)),
        pure=np.zeros((len(units), 2)),
        service=np.zeros(2),
        recent=np.zeros((RECENT, 3)),
        trend=np.full(len(units), np.nan),
        marks=(),
        probed=np.zeros((0, 2)),
    )
    half, whole = _halves(blank, frame, history, history.first, end)
    if frame.before is None:
        return replace(whole, trend=_trend(half, whole))
    first, last = max(frame.before[0], history.first), frame.before[1]
    twins = replace(frame, t0=first, windows=(), exposed={}, until_stable=None)
    half, seen = _halves(replace(blank, next_bin=first), twins, history, first, last)
    return replace(whole, trend=_trend(half, seen), past=_past(seen, twins, first, last))


def _halves(
    blank: ContinuousState, frame: Frame, history: HistogramBins | LevelBins, first: int, end: int
) -> tuple[ContinuousState, ContinuousState]:
    half = consume(blank, frame, history, (first + end) // 2)
    return half, consume(half, frame, history, end)


def _trend(half: ContinuousState, whole: ContinuousState) -> Floats:
    """Level of each stable unit in the newer half less the older."""
    stable = slice(len(half.stable))
    return _level(whole.sums[stable] - half.sums[stable]) - _level(half.sums[stable])


def _past(seen: ContinuousState, twins: Frame, first: int, end: int) -> Past:
    """The arms' own pre-period, measured against the same common level as later the release."""
    units = {unit.id: unit for unit in twins.units}
    slots = [units[slot] for slot in seen.slots]
    begin = [slot_begin(unit, first, twins.warm_up) for unit in slots]
    stable = len(seen.stable)
    return Past(
        slots=seen.slots,
        nodes=tuple(unit.node for unit in slots),
        begin=np.array(begin, dtype=np.int64),
        first=first,
        end=end,
        sums=seen.sums[stable:],
        stable=seen.sums[:stable],
    )


def _level(sums: Floats) -> Floats:
    """Mean level of each unit from (weight, weight times level); nan where it has none."""
    weight, total = sums.T
    level: Floats = np.divide(total, weight, out=np.full_like(weight, np.nan), where=weight > 0)
    return level


def _observed(
    frame: Frame, history: HistogramBins | LevelBins, units: list[Unit], end: int
) -> tuple[Bools, Floats, Floats, float]:
    """(units with a past; of these n and mean log level [unit, bin] before `end`; variance of one n).

    Nothing where lost, cold or in a blackout.
    """
    row = {unit: i for i, unit in enumerate(history.ids)}
    rows = [row[u.id] for u in units]
    at = np.arange(history.first, end)
    warm = at >= np.array([u.ready + frame.warm_up for u in units], dtype=np.int64)[:, None]
    used = warm & ~history.lost[rows, : len(at)] & ~np.isin(at, sorted(frame.excluded))
    if isinstance(history, LevelBins):
        n = np.where(used, history.n[rows, : len(at)], 0.0)
        seen = n.sum(axis=1) > 0
        y = np.where(n > 0, history.level[rows, : len(at)], 0.0)
        return seen, n[seen], y[seen], sampling_variance(y[seen], n[seen])
    counts = np.where(used[:, :, None], history.counts[rows, : len(at)], 0.0)
    seen = counts.sum(axis=(1, 2)) > 0
    middles = log_middles(history.edges)
    n, y = log_means(counts[seen], middles)
    return seen, n, y, pooled_variance(counts[seen], middles, n, y)
