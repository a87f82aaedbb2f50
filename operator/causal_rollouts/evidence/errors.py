"""Error share: canary against baseline, with stable as a third arm.

Young pods fail more while their caches are cold, so stable pods are no control
of the canary's level. But they know best how many errors this service makes, and
a prior on how much young differ from old lets them speak. Where that prior is
wrong a second, light track of canary against baseline alone remains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from causal_rollouts.evidence.count_history import CountHistory, fit_counts
from causal_rollouts.evidence.counts import (
    UNKNOWN_PHI,
    Counts,
    CountWindow,
    Singles,
    add_bin,
    begin_counts,
    blur,
)
from causal_rollouts.evidence.eligible import Eligible, Side, Table, counts_in, new_bins
from causal_rollouts.evidence.frame import CountBins, Finding, Frame, Track
from causal_rollouts.evidence.rate_shift import (
    HARM_KAPPA2,
    SAFE_KAPPA2,
    RateMargins,
    beyond,
    beyond_points,
    interval_of,
    nothing_yet,
    pair_likelihood,
)
from causal_rollouts.model.metrics import Metric
from causal_rollouts.stats.blurred_likelihood import BlurredLikelihood
from causal_rollouts.stats.event_odds import LOG_RATIO_WIDE, log_likelihood
from causal_rollouts.stats.rare_events import shortfall_log_e
from causal_rollouts.stats.three_arms import three_arm_likelihood

_THREE_ARM_SHARE = 0.8
_PAIR_SHARE = 0.2
_RELIABLE_EVENTS = 8
_LEAST_CANARY_DRAW = 0.001


@dataclass(frozen=True, slots=True)
class FreshWindow:
    """Young pods (canary and baseline) against stable ones, log_l on LOG_RATIO_WIDE."""

    start: int
    log_l: Singles


@dataclass(frozen=True, slots=True)
class ErrorState:
    """fresh: as many windows as `counts` has, in the same order."""

    history: CountHistory
    counts: Counts
    fresh: tuple[FreshWindow, ...]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One window as both tracks see it. draw: variance of the canary pods' own draw."""

    pair: BlurredLikelihood
    three: BlurredLikelihood
    draw: float


def begin(frame: Frame, history: CountBins) -> ErrorState:
    """Fit the stable pods' past."""
    table = _table(history)
    fit = fit_counts(frame, table.ids, table.first, table.events, table.exposure)
    end = min(table.end, frame.now + 1, table.end if frame.t0 is None else frame.t0)
    return ErrorState(fit, begin_counts(end), ())


def absorb(state: ErrorState, frame: Frame, bins: CountBins) -> ErrorState:
    """Consume the bins of the table that are new, up to `frame.now`."""
    table = _table(bins)
    new = new_bins(state.counts.next_bin, frame, table)
    if not new:
        return state
    eligible = Eligible(frame, table)
    for at in new:
        if counts_in(frame, at):
            state = _with_bin(state, frame, eligible, at)
    return replace(state, counts=replace(state.counts, next_bin=new.stop))


def judge(state: ErrorState, frame: Frame, metric: Metric, lottery_phi: float | None) -> Finding:
    """Both tracks of each window; lottery_phi: persistence of node drift as latency shows it."""
    margins = RateMargins.of(metric.margins, state.history.margins(metric.margins))
    phi = UNKNOWN_PHI if lottery_phi is None else lottery_phi
    windows = state.counts.windows
    if not windows:
        return nothing_yet(margins)
    first = _read(state, frame, 0, phi)
    # The first is told of in any case; a later one that is within the margins need not be read.
    later = [
        _read(state, frame, k, phi) if _speaks(window, margins) else None
        for k, window in enumerate(windows[1:], 1)
    ]
    readings = zip(windows, (first, *later), strict=True)
    lower, upper = interval_of(first.three)
    return Finding(
        tracks=tuple(track for w, reading in readings for track in _tracks(w, reading, margins)),
        effect=first.three.mode() if windows[0].totals[0] + windows[0].totals[2] > 0 else math.nan,
        lower=lower,
        upper=upper,
        log_e_safe=_safe(state.history, windows[0], first, margins),
        log_e_stage=0.0,
        harm_margin=margins.harm,
        safe_margin=margins.safe,
    )


def _speaks(window: CountWindow, margins: RateMargins) -> bool:
    """Whether a window may be evidence of harm; too few events for an estimate may be, by their points."""
    few = window.totals[0] + window.totals[2] < _RELIABLE_EVENTS
    return beyond_points(window, margins) if few else beyond(window, margins)


def _tracks(window: CountWindow, reading: _Reading | None, margins: RateMargins) -> tuple[Track, Track]:
    three = pair = -math.inf
    if reading is not None and _speaks(window, margins):
        three = reading.three.above(margins.harm, HARM_KAPPA2)
        if beyond(window, margins):
            pair = reading.pair.above(margins.harm, HARM_KAPPA2)
    return Track(window.start, three, _THREE_ARM_SHARE), Track(window.start, pair, _PAIR_SHARE)


def _safe(history: CountHistory, window: CountWindow, reading: _Reading, margins: RateMargins) -> float:
    """Evidence that the effect is below the margin: the mean of what each way of asking says."""
    three = reading.three.below(margins.safe, SAFE_KAPPA2)
    pair = reading.pair.below(margins.safe, SAFE_KAPPA2)
    relative = float(np.logaddexp(three, pair)) - math.log(2.0)
    if 2.0 * history.rate > margins.safe_points:
        return relative
    # A ratio is learned from errors alone. Requests that did not fail say as much of a margin in points:
    # a canary whose rate is below the points cannot exceed its control by them, whatever that one's rate.
    n1, m1, _, _ = (window.totals / history.dispersion).tolist()
    luck = math.exp(-2.0 * math.sqrt(reading.draw))
    absolute = shortfall_log_e(n1, margins.safe_points * m1 * luck)
    return float(np.logaddexp(relative, absolute)) - math.log(2.0)


def _read(state: ErrorState, frame: Frame, k: int, phi: float) -> _Reading:
    window, fresh = state.counts.windows[k], state.fresh[k]
    width = blur(state.counts, window, frame, state.history, phi)
    v_control = max(width.control, width.total / 4.0)
    v_canary = max(width.total - v_control, _LEAST_CANARY_DRAW)
    treated, control = window.nodes.sum(axis=1, dtype=np.float64).tolist()
    three = three_arm_likelihood(
        window.log_l.astype(np.float64),
        fresh.log_l.astype(np.float64),
        treated / control if control > 0.0 else 1.0,
        v_canary,
        v_control,
        state.history.df,
    )
    return _Reading(pair_likelihood(window, width.total, state.history.df), three, v_canary)


def _with_bin(state: ErrorState, frame: Frame, eligible: Eligible, at: int) -> ErrorState:
    starts = tuple(start for start in frame.windows if start <= at)
    canary, baseline = eligible.canary(at), eligible.baseline(at, pure=False)
    counts = add_bin(state.counts, state.history, starts, canary, baseline)
    known = {w.start: w for w in state.fresh}
    empty = np.zeros(len(LOG_RATIO_WIDE), np.float32)
    fresh = tuple(known.get(w.start, FreshWindow(w.start, empty)) for w in counts.windows)
    if canary.units and baseline.units:
        gain = _fresh_gain(state.history, (canary, baseline), eligible.stable(at))
        fresh = tuple(
            FreshWindow(w.start, (w.log_l + gain).astype(np.float32)) if w.start in starts else w
            for w in fresh
        )
    return replace(state, counts=counts, fresh=fresh)


def _fresh_gain(history: CountHistory, young: tuple[Side, Side], stable: Side) -> Singles:
    events = math.fsum(n for side in young for n in side.events.tolist())
    exposure = math.fsum(e for side in young for e in side.scaled(history).tolist())
    reference = math.fsum(stable.scaled(history).tolist())
    share = exposure / (exposure + reference) if reference > 0.0 else 1.0
    gain = log_likelihood(events, math.fsum(stable.events.tolist()), share, LOG_RATIO_WIDE)
    return (gain / history.dispersion).astype(np.float32)


def _table(bins: CountBins) -> Table:
    return Table(
        bins.ids,
        bins.first,
        np.where(bins.lost, 0.0, bins.events),
        np.where(bins.lost, 0.0, bins.exposure),
    )
