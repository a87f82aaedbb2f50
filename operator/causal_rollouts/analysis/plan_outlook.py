"""From an imagined release to the outlook of each of its metrics, asked of the gate's own engines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from causal_rollouts.analysis.plan_counts import errors_outlook, exceedances_outlook, restarts_outlook
from causal_rollouts.analysis.plan_design import Design
from causal_rollouts.analysis.plan_reach import LevelOutlook, Outlook, worth_telling
from causal_rollouts.evidence import budget, continuous, questions
from causal_rollouts.evidence.continuous import ContinuousState
from causal_rollouts.evidence.errors import ErrorState
from causal_rollouts.evidence.exceedances import ExceedanceState
from causal_rollouts.evidence.frame import Frame, HistogramBins, Lottery
from causal_rollouts.evidence.layout import Layout
from causal_rollouts.evidence.questions import Engine
from causal_rollouts.evidence.restarts import RestartState
from causal_rollouts.evidence.tables import Bins
from causal_rollouts.evidence.testimony import BESIDE
from causal_rollouts.evidence.window_rows import compare
from causal_rollouts.model.evidence import SUSPICION
from causal_rollouts.model.metrics import Metric, MetricKind
from causal_rollouts.model.registration import Registration
from causal_rollouts.stats.mixed_gls import Estimate, foreseen
from causal_rollouts.stats.power import crossing

FARTHEST = 6.0
"""Log effects beyond are not looked for."""


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
            if design.reg.arms.pre_period > 0 and isinstance(past, HistogramBins):
                engine = questions.begin(metric, *design.watched(past), lottery)
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
                return (errors_outlook(reg, metric, self.learned.phi, frame, silent, full),)
            case (ExceedanceState() as silent, ExceedanceState() as full):
                return (exceedances_outlook(reg, metric, frame, silent, full),)
            case (RestartState() as state,):
                return (restarts_outlook(reg, metric, frame, state),)
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
            cov = one.rows.covariance(state.components)
            found[start] = foreseen(one.design, cov, one.wanted, one.settled)
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
        return LevelOutlook(name, kind, metric.gating, wide, wide, none, none, limit, limit, limit, asked)
    margins = metric.margins

    def at(estimate: Estimate, value: float) -> Estimate:
        return replace(estimate, value=value)

    def safe(estimate: Estimate, threshold: float) -> float:
        # Safety falls with the estimate: it is crossed from above.
        return -crossing(
            lambda x: continuous.safe_log_e(at(estimate, -x), margins), threshold, -FARTHEST, FARTHEST
        )

    share = _log_share(reg, frame, metric, kind)
    harm, suspect = (
        crossing(
            lambda x: continuous.harm_log_e(at(whole, x), margins),
            threshold,
            math.log1p(margins.revert_above),
            FARTHEST,
        )
        for threshold in (-math.log(reg.alpha) - share, SUSPICION)
    )
    agree = math.inf if kind is MetricKind.NEIGHBOUR else -math.inf if own is None else safe(own, 0.0)
    return LevelOutlook(
        name,
        kind,
        metric.gating,
        variance=np.array([whole.v_n + whole.v_e]),
        own=np.array([whole.v_n + whole.v_e if own is None else own.v_n + own.v_e]),
        harm=np.array([harm]),
        suspect=np.array([suspect]),
        advance=np.array([safe(whole, reg.budget.advance)]),
        promote=np.array([safe(whole, reg.budget.promote_continuous)]),
        agree=np.array([agree]),
        asked=asked,
    )


def _log_share(reg: Registration, frame: Frame, metric: Metric, kind: MetricKind) -> float:
    share = budget.first_share(reg, frame, metric.name, kind)
    return math.log(share) if share > 0 else -math.inf
