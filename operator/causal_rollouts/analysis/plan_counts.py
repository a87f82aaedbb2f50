"""The outlook of counts: how many events of the canary would revert, and how many would still be safe.

Counts are followed twice, with a canary that is silent and one that is as ever:
what a number of events makes of the evidence lies on the line between.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.plan_reach import CountOutlook, worth_telling
from causal_rollouts.evidence import budget, questions
from causal_rollouts.evidence.counts import UNKNOWN_PHI, Counts, blur
from causal_rollouts.evidence.errors import ErrorState
from causal_rollouts.evidence.exceedances import ExceedanceState
from causal_rollouts.evidence.frame import Finding, Frame
from causal_rollouts.evidence.restarts import PRIOR_HOURS, RestartState
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.evidence import SUSPICION
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.registration import Registration
from causal_rollouts.stats.event_odds import LOG_RATIO, log_likelihood
from causal_rollouts.stats.power import least_count

MOST_OF_REQUESTS = 0.9
"""Share of requests that may fail."""

OFFSET_SD = 0.1
"""How much the prior lets young pods fail more than old ones, as the three-arm likelihood has it."""

RESTARTS_AN_HOUR = (0.0, math.log(6.0))
"""Of a pod: one that crashes slowly, and one that hardly runs; logarithms."""


def errors_outlook(
    reg: Registration, metric: Metric, phi: float | None, frame: Frame, silent: ErrorState, full: ErrorState
) -> CountOutlook:
    """Canary against baseline and stable pods, as the error engine would judge them."""
    history = silent.history
    asked = worth_telling(history.margins(metric.margins)[1])
    silent, full = (
        replace(s, counts=_first(s.counts), fresh=s.fresh[: len(_first(s.counts).windows)])
        for s in (silent, full)
    )
    if not full.counts.windows:
        return _unseen(metric, history.rate, asked)

    def judged(part: float) -> Finding:
        fresh = tuple(
            replace(a, log_l=a.log_l + np.float32(part) * (b.log_l - a.log_l))
            for a, b in zip(silent.fresh, full.fresh, strict=True)
        )
        state = replace(silent, counts=_between(silent.counts, full.counts, part), fresh=fresh)
        return questions.ask(metric, state, frame, phi).finding

    window = full.counts.windows[0]
    width = blur(full.counts, window, frame, history, UNKNOWN_PHI if phi is None else phi)
    v_control = max(width.control, width.total / 4.0)
    stable = sum(unit.arm is Arm.STABLE for unit in frame.units)
    beside = _own_noise(window.totals[2] / history.dispersion) + v_control
    # Stable pods tell the level too, as far as young ones may differ from old ones.
    old = OFFSET_SD**2 + v_control + history.v_pod / max(stable, 1)
    spread = width.total - v_control + 1.0 / (1.0 / beside + 1.0 / old)
    return _counting(
        reg, metric, frame, judged, window.totals, history.dispersion, spread, history.rate, asked
    )


def exceedances_outlook(
    reg: Registration, metric: Metric, frame: Frame, silent: ExceedanceState, full: ExceedanceState
) -> CountOutlook:
    """Canary against baseline alone, as the engine of slow requests would judge them."""
    history = silent.history
    asked = worth_telling(history.margins(metric.margins)[1])
    silent, full = (replace(s, counts=_first(s.counts)) for s in (silent, full))
    if not full.counts.windows:
        return _unseen(metric, history.rate, asked)

    def judged(part: float) -> Finding:
        state = replace(silent, counts=_between(silent.counts, full.counts, part))
        return questions.ask(metric, state, frame, None).finding

    window = full.counts.windows[0]
    width = blur(full.counts, window, frame, history, silent.phi).total
    spread = width + _own_noise(window.totals[2] / history.dispersion)
    return _counting(
        reg, metric, frame, judged, window.totals, history.dispersion, spread, history.rate, asked
    )


def _own_noise(clusters: float) -> float:
    """Variance that the control's own events leave in the log of its rate.

    That of log(1 + n): a control without an event says little, but it does not make the rate infinite.
    """
    return clusters / (1.0 + clusters) ** 2


def _first(counts: Counts) -> Counts:
    return replace(counts, windows=counts.windows[:1])


def _between(silent: Counts, full: Counts, part: float) -> Counts:
    """The window in which the canary had `part` of its usual events."""
    a, b = silent.windows[0], full.windows[0]
    window = replace(
        a,
        log_l=a.log_l + np.float32(part) * (b.log_l - a.log_l),
        totals=a.totals + part * (b.totals - a.totals),
    )
    return replace(silent, windows=(window,))


def _counting(
    reg: Registration,
    metric: Metric,
    frame: Frame,
    judged: Callable[[float], Finding],
    totals: NDArray[np.float64],
    cluster: float,
    spread: float,
    base: float,
    asked: tuple[float, float],
) -> CountOutlook:
    """Critical counts by bisection; cluster: events that come together."""
    usual = max(float(totals[0]), 1e-9) / cluster
    most = int(min(MOST_OF_REQUESTS * float(totals[1]) / cluster, 60.0 * usual + 60.0))
    known: dict[int, Finding] = {}

    def at(count: int) -> Finding:
        if count not in known:
            known[count] = judged(count / usual)
        return known[count]

    def harm(count: int) -> float:
        return budget.spent(budget.processes(reg, frame, metric, metric.kind, metric.name, at(count)))

    def unsafe(count: int) -> float:
        finding = at(count)
        return -finding.log_e_safe if finding.identified else math.inf

    def doubtful(count: int) -> float:
        return max((track.log_e for track in at(count).tracks), default=-math.inf)

    needed = least_count(harm, -math.log(reg.alpha), 1, max(most, 1))
    suspect = least_count(doubtful, SUSPICION, 1, max(most, 1))
    limits = [
        least_count(unsafe, math.nextafter(-threshold, math.inf), 0, max(most, 1))
        for threshold in (reg.budget.advance, reg.budget.promote_counts)
    ]
    advance, promote = (most if limit is None else limit - 1 for limit in limits)
    return CountOutlook(
        metric.name,
        metric.kind,
        metric.gating,
        expected=np.array([usual]),
        needed=np.array([needed or 0], dtype=np.int64),
        suspect=np.array([suspect or 0], dtype=np.int64),
        advance=np.array([advance], dtype=np.int64),
        promote=np.array([promote], dtype=np.int64),
        spread=np.array([math.sqrt(max(spread, 0.0))]),
        base=base,
        asked=asked,
    )


def _unseen(metric: Metric, base: float, asked: tuple[float, float]) -> CountOutlook:
    none, no = np.array([0], dtype=np.int64), np.array([-1], dtype=np.int64)
    one, zero = np.array([1.0]), np.array([0.0])
    return CountOutlook(metric.name, metric.kind, metric.gating, one, none, none, no, no, zero, base, asked)


def restarts_outlook(reg: Registration, metric: Metric, frame: Frame, state: RestartState) -> CountOutlook:
    """Effects are logs of restarts per pod and hour: there is no usual rate that a ratio could be of."""
    hours, control = float(state.totals[1]), float(state.totals[3])
    events, seen = state.past.tolist()
    null = max(state.floor, state.factor * (events + 0.5) / (seen + PRIOR_HOURS))
    base = events / seen if seen > 0 else 0.0
    if hours <= 0:
        return replace(_unseen(metric, base, RESTARTS_AN_HOUR), nothing=_log_rate(base))
    usual = base * control

    def judged(part: float) -> Finding:
        n = part * hours
        log_l = state.log_l + log_likelihood(n, usual, hours / (hours + control), LOG_RATIO)
        totals = np.array([n, hours, usual, control])
        tried = replace(
            state, expected=null * hours, surplus=n, totals=totals, log_l=log_l.astype(np.float32)
        )
        return questions.ask(metric, tried, frame, None).finding

    # One restart a slot and eight bins counts: so many can come at most.
    totals = np.array([hours, 240.0 * hours])
    found = _counting(reg, metric, frame, judged, totals, 1.0, 0.0, base, RESTARTS_AN_HOUR)
    return replace(found, nothing=_log_rate(base))


def _log_rate(rate: float) -> float:
    """Of a service that never restarts: one that does so once in a thousand pod-hours."""
    return math.log(max(rate, 1e-3))
