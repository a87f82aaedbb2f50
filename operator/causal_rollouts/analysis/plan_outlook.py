"""From an imagined release to the outlook of each of its metrics, asked of the gate's own engines."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from causal_rollouts.analysis.plan_design import Design
from causal_rollouts.analysis.plan_reach import CountOutlook, LevelOutlook, Outlook, worth_telling
from causal_rollouts.evidence import budget, continuous, questions
from causal_rollouts.evidence.continuous import ContinuousState
from causal_rollouts.evidence.counts import UNKNOWN_PHI, Counts, blur
from causal_rollouts.evidence.errors import ErrorState
from causal_rollouts.evidence.exceedances import ExceedanceState
from causal_rollouts.evidence.frame import Finding, Frame, Lottery, RestartBins
from causal_rollouts.evidence.questions import Engine
from causal_rollouts.evidence.restarts import PRIOR_HOURS, RestartState
from causal_rollouts.evidence.tables import Bins
from causal_rollouts.evidence.testimony import BESIDE
from causal_rollouts.evidence.window_rows import Layout, compare
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import Metric, MetricKind
from causal_rollouts.model.registration import Registration
from causal_rollouts.stats.event_odds import LOG_RATIO, log_likelihood
from causal_rollouts.stats.mixed_gls import Estimate, generalised_least_squares
from causal_rollouts.stats.power import crossing, least_count

FARTHEST = 6.0
"""Log effects beyond are not looked for."""

MOST_OF_REQUESTS = 0.9
"""Share of requests that may fail."""

OFFSET_SD = 0.1
"""How much the prior lets young pods fail more than old ones, as the three-arm likelihood has it."""


RESTARTS_AN_HOUR = (0.0, math.log(6.0))
"""Of a pod: one that crashes slowly, and one that hardly runs; logarithms."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What the past taught of a metric. past: its pre-period. engine: fitted on it, nothing absorbed."""

    metric: Metric
    past: Bins
    engine: Engine
    phi: float | None


def learn(design: Design, metrics: Sequence[Metric]) -> tuple[Learned, ...]:
    """Fit every metric as a release beginning now would, latency first: it lends."""
    frame = design.past.frame(design.reg)
    lent: dict[str, Lottery] = {}
    found: dict[str, Learned] = {}
    phi: float | None = None
    for metric in sorted(metrics, key=lambda m: m.kind is not MetricKind.LATENCY):
        past = design.history(metric.name)
        lottery = lent.get(metric.series) or next(iter(lent.values()), None)
        engine = questions.begin(metric, frame, past, lottery)
        if metric.kind is MetricKind.LATENCY:
            answer = questions.ask(metric, engine, frame, None)
            if answer.lottery is not None:
                lent[metric.series] = answer.lottery
                phi = answer.lottery.phi if phi is None else phi
        found[metric.name] = Learned(metric, past, engine, phi)
    return tuple(replace(found[m.name], phi=phi) for m in metrics)


@dataclass(frozen=True, slots=True)
class Track:
    """A metric on its way through the stages: engines at the last glance, one per rate of the canary.

    Counts are followed twice, with a canary that is silent and one that is as ever: what a count makes of
    the evidence lies on the line between.
    """

    learned: Learned
    engines: tuple[Engine, ...]
    next_bin: int

    @classmethod
    def of(cls, learned: Learned, t0: int) -> Track:
        """At the first bin of the first stage."""
        twice = isinstance(learned.engine, ErrorState | ExceedanceState)
        return cls(learned, (learned.engine,) * (2 if twice else 1), t0)

    def to(self, design: Design, frame: Frame) -> Track:
        """After bin `frame.now`."""
        engines = []
        rates = (0.0, 1.0) if len(self.engines) > 1 else (1.0,)
        for engine, rate in zip(self.engines, rates, strict=True):
            over = engine.edge if isinstance(engine, ExceedanceState) else 0.0
            quiet = design.quiet(self.learned.past, frame, self.next_bin, rate, over)
            engines.append(questions.absorb(engine, frame, quiet))
        return replace(self, engines=tuple(engines), next_bin=frame.now + 1)

    def glance(self, reg: Registration, frame: Frame) -> tuple[Outlook, ...]:
        """The outlook of this one look; of latency that of its neighbours too."""
        metric = self.learned.metric
        match self.engines:
            case (ContinuousState() as state,):
                return _levels(reg, metric, frame, state)
            case (ErrorState() as silent, ErrorState() as full):
                return (_errors(reg, self.learned, frame, silent, full),)
            case (ExceedanceState() as silent, ExceedanceState() as full):
                return (_exceedances(reg, metric, frame, silent, full),)
            case (RestartState() as state,):
                return (_restarts(reg, self.learned, frame, state),)
            case _:
                raise TypeError(f"nothing is known of {metric.kind}")


def _levels(reg: Registration, metric: Metric, frame: Frame, state: ContinuousState) -> tuple[Outlook, ...]:
    found = _foreseen(state, frame)
    first = found.get(frame.windows[0], ())
    newest = found.get(frame.windows[-1], ())
    own = newest[0] if newest else None
    outlooks = [_level(reg, metric, frame, metric.kind, first[0] if first else None, own)]
    if metric.kind is MetricKind.LATENCY:
        beside = first[1] if len(first) > 1 else None
        outlooks.append(_level(reg, metric, frame, MetricKind.NEIGHBOUR, beside, beside))
    return tuple(outlooks)


def _foreseen(state: ContinuousState, frame: Frame) -> dict[int, tuple[Estimate, ...]]:
    """Variances of effect and, where it is seen, neighbour effect of the first and of the newest window."""
    if frame.t0 is None:
        return {}
    layout = Layout.of(state, frame, frame.t0)
    found = {}
    for start in {frame.windows[0], frame.windows[-1]}:
        one = compare(state, layout, start)
        if one is not None:
            wanted = (one.effect,) if one.neighbour is None else (one.effect, one.neighbour)
            nothing = np.zeros(len(one.rows.weight))
            found[start] = generalised_least_squares(
                one.design, nothing, one.rows.covariance(state.components), wanted
            )
    return found


def _level(
    reg: Registration,
    metric: Metric,
    frame: Frame,
    kind: MetricKind,
    whole: Estimate | None,
    own: Estimate | None,
) -> LevelOutlook:
    name = metric.name if kind is not MetricKind.NEIGHBOUR else f"{metric.name}/{BESIDE}"
    asked = worth_telling(math.log1p(metric.margins.promote_below))
    blind = kind is MetricKind.NEIGHBOUR
    if whole is None:
        # Neighbours that cannot be seen do not stop a release; an effect that cannot be seen does.
        limit = np.array([math.inf if blind else -math.inf])
        wide = np.array([FARTHEST**2])
        none = np.array([math.inf])
        return LevelOutlook(name, kind, metric.gating, wide, wide, none, limit, limit, limit, asked)
    margins = metric.margins

    def at(estimate: Estimate, value: float) -> Estimate:
        return replace(estimate, value=value)

    def safe(estimate: Estimate, threshold: float) -> float:
        # Safety falls with the estimate: it is crossed from above.
        return -crossing(
            lambda x: continuous.safe_log_e(at(estimate, -x), margins), threshold, -FARTHEST, FARTHEST
        )

    share = _log_share(reg, frame, metric, kind)
    harm = crossing(
        lambda x: continuous.harm_log_e(at(whole, x), margins) + share,
        -math.log(reg.budget.alpha),
        math.log1p(margins.revert_above),
        FARTHEST,
    )
    agree = math.inf if kind is MetricKind.NEIGHBOUR else -math.inf if own is None else safe(own, 0.0)
    return LevelOutlook(
        name,
        kind,
        metric.gating,
        variance=np.array([whole.v_n + whole.v_e]),
        own=np.array([whole.v_n + whole.v_e if own is None else own.v_n + own.v_e]),
        harm=np.array([harm]),
        advance=np.array([safe(whole, reg.budget.advance)]),
        promote=np.array([safe(whole, reg.budget.promote_continuous)]),
        agree=np.array([agree]),
        asked=asked,
    )


def _log_share(reg: Registration, frame: Frame, metric: Metric, kind: MetricKind) -> float:
    share = budget.shares(reg).get((metric.name, kind), 0.0)
    share *= budget.window_share(reg, frame, kind, frame.windows[0])
    return math.log(share) if share > 0 else -math.inf


def _errors(
    reg: Registration, learned: Learned, frame: Frame, silent: ErrorState, full: ErrorState
) -> CountOutlook:
    metric, history = learned.metric, silent.history
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
        return finding_of(metric, state, frame, learned.phi)

    window = full.counts.windows[0]
    phi = UNKNOWN_PHI if learned.phi is None else learned.phi
    width = blur(full.counts, window, frame, history, phi)
    v_control = max(width.control, width.total / 4.0)
    stable = sum(unit.arm is Arm.STABLE for unit in frame.units)
    beside = history.dispersion / max(window.totals[2], 1e-9) + v_control
    # Stable pods tell the level too, as far as young ones may differ from old ones.
    old = OFFSET_SD**2 + v_control + history.v_pod / max(stable, 1)
    spread = width.total - v_control + 1.0 / (1.0 / beside + 1.0 / old)
    return _counting(
        reg, metric, frame, judged, window.totals, history.dispersion, spread, history.rate, asked
    )


def _exceedances(
    reg: Registration, metric: Metric, frame: Frame, silent: ExceedanceState, full: ExceedanceState
) -> CountOutlook:
    history = silent.history
    asked = worth_telling(history.margins(metric.margins)[1])
    silent, full = (replace(s, counts=_first(s.counts)) for s in (silent, full))
    if not full.counts.windows:
        return _unseen(metric, history.rate, asked)

    def judged(part: float) -> Finding:
        state = replace(silent, counts=_between(silent.counts, full.counts, part))
        return finding_of(metric, state, frame, None)

    window = full.counts.windows[0]
    width = blur(full.counts, window, frame, history, silent.phi).total
    spread = width + history.dispersion / max(window.totals[2], 1e-9)
    return _counting(
        reg, metric, frame, judged, window.totals, history.dispersion, spread, history.rate, asked
    )


def finding_of(metric: Metric, engine: Engine, frame: Frame, phi: float | None) -> Finding:
    """What an engine finds."""
    return questions.ask(metric, engine, frame, phi).finding


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
    totals: np.ndarray,
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

    needed = least_count(harm, -math.log(reg.budget.alpha), 1, max(most, 1))
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
        advance=np.array([advance], dtype=np.int64),
        promote=np.array([promote], dtype=np.int64),
        spread=np.array([math.sqrt(max(spread, 0.0))]),
        base=base,
        asked=asked,
    )


def _unseen(metric: Metric, base: float, asked: tuple[float, float]) -> CountOutlook:
    none, no = np.array([0], dtype=np.int64), np.array([-1], dtype=np.int64)
    one, zero = np.array([1.0]), np.array([0.0])
    return CountOutlook(metric.name, metric.kind, metric.gating, one, none, no, no, zero, base, asked)


def _restarts(reg: Registration, learned: Learned, frame: Frame, state: RestartState) -> CountOutlook:
    """Effects are logs of restarts per pod and hour: there is no usual rate that a ratio could be of."""
    metric, past = learned.metric, learned.past
    hours, control = float(state.totals[1]), float(state.totals[3])
    events, seen = state.past.tolist()
    null = max(state.floor, state.factor * (events + 0.5) / (seen + PRIOR_HOURS))
    base = events / seen if seen > 0 else 0.0
    if hours <= 0 or not isinstance(past, RestartBins):
        return replace(_unseen(metric, base, RESTARTS_AN_HOUR), nothing=_log_rate(base))
    usual = base * control

    def judged(part: float) -> Finding:
        n = part * hours
        log_l = state.log_l + log_likelihood(n, usual, hours / (hours + control), LOG_RATIO)
        totals = np.array([n, hours, usual, control])
        tried = replace(
            state, expected=null * hours, surplus=n, totals=totals, log_l=log_l.astype(np.float32)
        )
        return finding_of(metric, tried, frame, None)

    # One restart a slot and eight bins counts: so many can come at most.
    totals = np.array([hours, 240.0 * hours])
    found = _counting(reg, metric, frame, judged, totals, 1.0, 0.0, base, RESTARTS_AN_HOUR)
    return replace(found, nothing=_log_rate(base))


def _log_rate(rate: float) -> float:
    """Of a service that never restarts: one that does so once in a thousand pod-hours."""
    return math.log(max(rate, 1e-3))
