"""Does the candidate need more for each request (or in each pod) than baseline does?

The engine of latency, fed with the log of use per request of every slot and
bin: it knows what pods and nodes differ by, and what comes of few of them.
Beside it stand plain sums, for what the arms and the whole service really use.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.evidence import continuous
from causal_rollouts.evidence.continuous import ContinuousState
from causal_rollouts.evidence.frame import Finding, Floats, FootprintBins, Frame, LevelBins
from causal_rollouts.evidence.levels import NEVER, slot_begin
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import Margins
from causal_rollouts.stats.mixed_gls import News

RECENT = 20
"""Bins over which the present use of the service is read: today's, not the first stage's."""

CLIP = math.log(20.0)
"""A candidate that asks its backend ten times as often must not be cut to half of that, as latency is."""

_ARMS = tuple(Arm)
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FootprintState:
    """levels: log use per request. rate: common use per request of the past. half: use added to each bin.

    It is half of what is used at once, and comes with the requests that it would be for: the mean of the
    logs of small counts is not the log of their mean.

    totals[arm]: (use, requests) of its warm slots since the first stage. recent: (bin, use and requests of
    stable pods, requests a second of the fleet) of the newest bins; a gauge has pods in place of requests.
    """

    levels: ContinuousState
    rate: float
    half: float
    gauge: bool
    totals: Floats
    recent: Floats


@dataclass(frozen=True, slots=True)
class Use:
    """What arms and service use: canary and baseline for each request (or pod), nan where unknown.

    present: of the whole service, were all of it stable. requests, pods: of it, nan where not counted.
    """

    canary: float
    baseline: float
    present: float
    requests: float
    pods: float


def begin(frame: Frame, history: FootprintBins) -> FootprintState:
    """Fit the noise of the stable pods' past once; bins before t0 only."""
    seen = ~history.lost & (history.requests > 0)
    rate = _ratio(float(history.use[seen].sum()), float(history.requests[seen].sum()))
    rate = 0.0 if math.isnan(rate) else rate
    half = 0.0 if history.gauge else _at_once(history, rate, seen) / 2.0
    return FootprintState(
        levels=continuous.begin(frame, _levels(history, rate, half)),
        rate=rate,
        half=half,
        gauge=history.gauge,
        totals=np.zeros((len(_ARMS), 2)),
        recent=np.full((RECENT, 4), -1.0) * np.array([1.0, 0.0, 0.0, 0.0]),
    )


def absorb(state: FootprintState, frame: Frame, bins: FootprintBins) -> FootprintState:
    """Take in new bins, oldest first."""
    first = max(state.levels.next_bin, bins.first)
    levels = continuous.absorb(state.levels, frame, _levels(bins, state.rate, state.half))
    arms, counts = _counting(frame, bins)
    totals, recent = state.totals, state.recent
    for at in range(first, levels.next_bin):
        if at in frame.excluded:
            continue
        k = at - bins.first
        sums = np.array([_sums(bins, counts[:, k] & (arms == a), k) for a in range(len(_ARMS))])
        totals = totals + sums
        now = np.array([at, *sums[_ARMS.index(Arm.STABLE)], bins.fleet[k]])
        recent = np.vstack((recent[1:], now))
    return replace(state, levels=levels, totals=totals, recent=recent)


def judge(
    state: FootprintState, frame: Frame, margins: Margins, known: News | None = None
) -> tuple[Finding, Use]:
    """Ratio of use per request with its evidence, and the use itself. known: as of continuous metrics."""
    found = continuous.judge(state.levels, frame, margins, known)
    per = {arm: _ratio(*state.totals[i]) for i, arm in enumerate(_ARMS)}
    seen = state.recent[state.recent[:, 0] >= 0]
    fleet = float(seen[:, 3].mean()) if len(seen) else math.nan
    stable = _ratio(seen[:, 1].sum(), seen[:, 2].sum())
    rate = per[Arm.BASELINE] if math.isnan(stable) else stable
    return found.tau, Use(
        canary=per[Arm.CANARY],
        baseline=per[Arm.BASELINE],
        present=rate * fleet,
        requests=math.nan if state.gauge else fleet,
        pods=fleet if state.gauge else math.nan,
    )


def _at_once(history: FootprintBins, rate: float, seen: Bools) -> float:
    """What is used at once: variance of use over its mean, 1 for events that come one by one."""
    rest = np.where(seen, history.use - rate * history.requests, 0.0)
    both = seen[:, 1:] & seen[:, :-1]
    # Steps, because what makes a pod or an hour dearer is no matter of chance within a bin.
    scatter = float(np.square((rest[:, 1:] - rest[:, :-1])[both]).sum()) / 2.0
    mean = float((history.use[:, 1:] + history.use[:, :-1])[both].sum()) / 2.0
    return scatter / mean if mean > 0 else 0.0


def _levels(bins: FootprintBins, rate: float, half: float) -> LevelBins:
    """Log of use per request; nothing where nothing was asked, or a gauge shows nothing.

    `log(X + 1/2)` is nearly unbiased for the log of a Poisson mean from 1 on (Anscombe 1948).
    """
    use, asked = bins.use + half, bins.requests + (half / rate if rate > 0 else 0.0)
    some = (bins.requests > 0) & (use > 0)
    n = np.where(some, bins.requests, 0.0)
    level = np.zeros(use.shape)
    level[some] = [math.log(a / b) for a, b in zip(use[some].tolist(), asked[some].tolist(), strict=True)]
    return LevelBins(bins.ids, bins.first, n, level, bins.lost, CLIP)


def _counting(frame: Frame, bins: FootprintBins) -> tuple[NDArray[np.int64], Bools]:
    """(arm of each unit, -1 for none; where it counts as what its arm uses)."""
    named = {unit.id: unit for unit in frame.units}
    arms = np.full(len(bins.ids), -1, dtype=np.int64)
    begin = np.full(len(bins.ids), NEVER, dtype=np.int64)
    end = np.full(len(bins.ids), NEVER, dtype=np.int64)
    until = NEVER if frame.until_stable is None else frame.until_stable
    for i, name in enumerate(bins.ids):
        unit = named.get(name)
        if unit is None:
            continue
        arms[i] = _ARMS.index(unit.arm)
        if unit.arm is Arm.STABLE:
            begin[i], end[i] = unit.ready + frame.warm_up, until
        elif frame.t0 is not None:
            begin[i] = slot_begin(unit, frame.t0, frame.warm_up)
    at = np.arange(bins.first, bins.first + bins.lost.shape[1])
    return arms, (at >= begin[:, None]) & (at < end[:, None]) & ~bins.lost


def _sums(bins: FootprintBins, rows: Bools, k: int) -> tuple[float, float]:
    # Exactly rounded, as in the levels: a look made up later leaves the same bits.
    return math.fsum(bins.use[rows, k].tolist()), math.fsum(bins.requests[rows, k].tolist())


def _ratio(use: float, requests: float) -> float:
    return float(use / requests) if requests > 0 else math.nan
