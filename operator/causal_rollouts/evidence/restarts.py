"""Restarts: too rare for a ratio, so they are held against a rate that is known beforehand.

The null rate is the larger of a floor and twice what the controls show up to the
bin before; three restarts in ten minutes suffice where a comparison of arms would
need five. If the controls themselves begin to restart this breaks: while they may
have begun it waits, and once they have it is given up for good and only the light
comparison of arms remains.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.evidence.eligible import counts_in
from causal_rollouts.evidence.frame import Finding, Floats, Frame, RestartBins, Track, Unit
from causal_rollouts.evidence.rate_shift import SAFE_KAPPA2, interval_of
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import Margins, Metric
from causal_rollouts.stats.blurred_likelihood import BlurredLikelihood
from causal_rollouts.stats.event_odds import LOG_RATIO, log_likelihood, peak
from causal_rollouts.stats.rare_events import surplus_log_e
from causal_rollouts.stats.variance_cells import CELL_MASS

Singles = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

RECIPE = Margins(revert_above=1.0, promote_below=1.0, revert_above_points=0.1)
"""Twice the controls' rate, and a tenth of a restart an hour at least (points are restarts an hour)."""

_SURPLUS_SHARE = 10 / 12
_PAIR_SHARE = 2 / 12
_APART = 8
PRIOR_HOURS = 5.0
"""Hours without an event that the controls are credited with: a young service has no rate yet."""

_SURGE_BINS = (20, 80)
_SURGE_LIMIT = math.log(5.0)
_WAIT_BINS = (8, 20)
_SKIP_BINS = (8,)
"""Newest bins of the controls in which a surge is proved, is waited for, and keeps canaries' restarts out."""
_DOUBT_LIMIT = 0.0
_PAIR_BLUR = 0.05**2
_PAIR_KAPPA2 = 4.0
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class RestartState:
    """Sums since t0. factor, floor: of the null rate, restarts an hour. past: its control events and hours.

    last: bin of the newest restart that counted, by unit in `units` (sorted).
    control: events and hours up to `next_bin`, with the past. recent: the same of the newest bins.
    expected: canary restarts under the null, until the fleet rolls; surplus: those that came.
    totals: canary events and hours, control events and hours.
    surge: the controls began to restart.
    """

    factor: float
    floor: float
    past: Floats
    next_bin: int
    units: tuple[str, ...]
    last: Ints
    control: Floats
    recent: Singles
    expected: float
    surplus: float
    totals: Floats
    log_l: Singles
    surge: bool


def begin(frame: Frame, history: RestartBins, margins: Margins = RECIPE) -> RestartState:
    """Count the stable pods' restarts before t0."""
    blank = RestartState(
        factor=1.0 + margins.revert_above,
        floor=margins.revert_above_points or RECIPE.revert_above_points,
        past=np.zeros(2),
        next_bin=history.first,
        units=(),
        last=np.zeros(0, np.int64),
        control=np.zeros(2),
        recent=np.zeros((max(_SURGE_BINS), 2), np.float32),
        expected=0.0,
        surplus=0.0,
        totals=np.zeros(4),
        log_l=np.zeros(len(LOG_RATIO), np.float32),
        surge=False,
    )
    end = history.first + history.restarts.shape[1]
    past = _consumed(blank, frame, history, end if frame.t0 is None else min(end, frame.t0))
    return replace(past, past=past.control, recent=blank.recent, surge=False)


def absorb(state: RestartState, frame: Frame, bins: RestartBins) -> RestartState:
    """Consume the bins of the table that are new, up to `frame.now`."""
    return _consumed(state, frame, bins, bins.first + bins.restarts.shape[1])


def judge(state: RestartState, frame: Frame, metric: Metric) -> Finding:
    """Both tracks; restarts are judged from the first stage on only."""
    n1, h1, n0, h0 = state.totals.tolist()
    harm = math.log(state.factor)
    safe = math.log1p(metric.margins.promote_below)
    log_l = state.log_l.astype(np.float64)
    effect = peak(LOG_RATIO, log_l) if n1 + n0 > 0 and min(h1, h0) > 0 else math.nan
    doubt = _doubt(state)
    more = state.surplus > state.expected and not doubt
    surplus = surplus_log_e(state.surplus, state.expected) if more else -math.inf
    compared = _pair(log_l).above(harm, _PAIR_KAPPA2) if n1 > 0 and effect > harm else -math.inf
    lower, upper, log_e_safe = _beside_harm(state.log_l.tobytes(), safe)
    started = () if frame.t0 is None else (frame.t0,)
    return Finding(
        tracks=tuple(
            track
            for start in started
            for track in (Track(start, surplus, _SURPLUS_SHARE), Track(start, compared, _PAIR_SHARE))
        ),
        effect=effect,
        lower=lower,
        upper=upper,
        log_e_safe=log_e_safe,
        log_e_stage=0.0,
        harm_margin=harm,
        safe_margin=safe,
        note=doubt,
    )


def _doubt(state: RestartState) -> str:
    """Why the rate known beforehand tells nothing at this look, else empty."""
    if state.surge:
        return "restarts of the controls surged; only the comparison of arms counts"
    if _may_surge(state, _WAIT_BINS):
        return "controls restart too; until it is clear whether all do, only the comparison of arms counts"
    return ""


def _pair(log_l: Floats) -> BlurredLikelihood:
    return BlurredLikelihood(LOG_RATIO, log_l[None, :], np.full(len(CELL_MASS), _PAIR_BLUR))


# Bins without a restart leave the likelihood as it was, and most are.
@lru_cache(maxsize=256)
def _beside_harm(log_l: bytes, safe: float) -> tuple[float, float, float]:
    """(lower, upper, log e-value of an effect below `safe`) of the comparison of arms."""
    pair = _pair(np.frombuffer(log_l, np.float32).astype(np.float64))
    return *interval_of(pair), pair.below(safe, SAFE_KAPPA2)


def _consumed(state: RestartState, frame: Frame, bins: RestartBins, end: int) -> RestartState:
    row = {name: i for i, name in enumerate(bins.ids)}
    units = sorted((u for u in frame.units if u.id in row), key=lambda u: u.id)
    state = _with_units(state, units)
    known = {name: i for i, name in enumerate(state.units)}
    place = np.array([known[u.id] for u in units], dtype=np.int64)
    rows = [row[u.id] for u in units]
    arms = {arm: np.array([u.arm is arm for u in units], dtype=np.bool_) for arm in Arm}
    last = state.last.copy()
    new = range(max(state.next_bin, bins.first), min(end, frame.now + 1))
    for at in new:
        restarts = bins.restarts[rows, at - bins.first]
        counted = (restarts > 0) & (at - last[place] >= _APART)
        hours = bins.seconds[rows, at - bins.first] / _HOUR
        last[place[counted]] = at
        state = _with_bin(state, frame, at, arms, counted.astype(np.float64), hours)
    return replace(state, last=last, next_bin=new.stop) if new else state


def _with_bin(
    state: RestartState, frame: Frame, at: int, arms: Mapping[Arm, Bools], events: Floats, hours: Floats
) -> RestartState:
    promoting = frame.until_stable is not None and at >= frame.until_stable
    controls = arms[Arm.BASELINE] if promoting else arms[Arm.STABLE] | arms[Arm.BASELINE]
    control = _sums(events, hours, controls)
    if not counts_in(frame, at):
        before = frame.t0 is None or at < frame.t0
        return _with_control(state, control) if before else state
    canary = _sums(events, hours, arms[Arm.CANARY])
    rate = max(state.floor, state.factor * (state.control[0] + 0.5) / (state.control[1] + PRIOR_HOURS))
    log_l = state.log_l
    if min(canary[1], control[1]) > 0.0:
        share = float(canary[1] / (canary[1] + control[1]))
        log_l = (log_l + log_likelihood(float(canary[0]), float(control[0]), share, LOG_RATIO)).astype(
            np.float32
        )
    # While the fleet rolls a handful of baseline slots is all that could show an incident: too few to tell
    # its restarts from the candidate's, so only the comparison of arms goes on (ADR 6).
    expected, surplus = state.expected, state.surplus
    if not promoting:
        expected += rate * float(canary[1])
        if canary[0] > 0 and not _may_surge(state, _SKIP_BINS):
            surplus += float(canary[0])
    return _with_control(
        replace(
            state,
            expected=expected,
            surplus=surplus,
            totals=state.totals + np.concatenate((canary, control)),
            log_l=log_l,
        ),
        control,
    )


def _with_control(state: RestartState, control: Floats) -> RestartState:
    recent = np.vstack((state.recent[1:], control.astype(np.float32)))
    after = replace(state, control=state.control + control, recent=recent)
    if not after.surge and _more_than_past(after, _SURGE_BINS, _SURGE_LIMIT, least=2):
        return replace(after, surge=True)
    return after


def _may_surge(state: RestartState, windows: tuple[int, ...]) -> bool:
    """Whether the newest bins of the controls look more like a beginning surge than like their past.

    In an incident of all pods many canaries pass the known rate before as many controls prove it (ADR 22).
    Until it is clear what it is no look believes that rate, and for a few bins restarts of canaries do not
    count against it: known before the bin, so what remains is an e-value still, and a smaller one.
    """
    return _more_than_past(state, windows, _DOUBT_LIMIT, least=1)


def _more_than_past(state: RestartState, windows: tuple[int, ...], limit: float, least: int) -> bool:
    """Whether the controls restart more than their own past allows, in any of the newest `windows`."""
    rate = max(state.floor, state.factor * float(state.past[0] + 0.5) / float(state.past[1] + PRIOR_HOURS))
    sums = [state.recent[-bins:].sum(axis=0, dtype=np.float64).tolist() for bins in windows]
    return any(n >= least and surplus_log_e(n, rate * hours) >= limit for n, hours in sums)


def _sums(events: Floats, hours: Floats, chosen: Bools) -> Floats:
    return np.array([math.fsum(events[chosen].tolist()), math.fsum(hours[chosen].tolist())])


def _with_units(state: RestartState, units: list[Unit]) -> RestartState:
    names = tuple(sorted({*state.units, *(u.id for u in units)}))
    if names == state.units:
        return state
    last = np.full(len(names), -_APART - 1, dtype=np.int64)
    last[[names.index(name) for name in state.units]] = state.last
    return replace(state, units=names, last=last)
