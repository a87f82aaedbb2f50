"""One face for the engines: each metric is a question that is begun, fed and asked.

Which engine answers which kind of metric is said here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.evidence import continuous, errors, exceedances, footprint, restarts
from causal_rollouts.evidence.continuous import ContinuousState
from causal_rollouts.evidence.errors import ErrorState
from causal_rollouts.evidence.exceedances import ExceedanceState
from causal_rollouts.evidence.footprint import FootprintState, Use
from causal_rollouts.evidence.frame import (
    CountBins,
    Finding,
    FootprintBins,
    Frame,
    HistogramBins,
    Lottery,
    RestartBins,
)
from causal_rollouts.evidence.restarts import RestartState
from causal_rollouts.evidence.tables import Bins
from causal_rollouts.model.checks import Check
from causal_rollouts.model.metrics import Metric, MetricKind
from causal_rollouts.stats.mixed_gls import News

Engine = ContinuousState | ExceedanceState | ErrorState | RestartState | FootprintState


@dataclass(frozen=True, slots=True)
class Answer:
    """What a metric says. All but `finding` come from continuous metrics only, `use` from footprints only."""

    finding: Finding
    neighbour: Finding | None = None
    shared: float | None = None
    placebo: float | None = None
    lottery: Lottery | None = None
    pre_trend: Check | None = None
    use: Use | None = None


def begin(metric: Metric, frame: Frame, history: Bins, lottery: Lottery | None) -> Engine:
    """Fit the past. lottery: of latency, lent to exceedances; else they take it from their own histogram."""
    match history:
        case HistogramBins() if metric.kind is MetricKind.LATENCY:
            return continuous.begin(frame, history)
        case HistogramBins():
            borrowed = lottery if lottery is not None else _own_lottery(metric, frame, history)
            return exceedances.begin(frame, history, metric, borrowed)
        case CountBins():
            return errors.begin(frame, history)
        case RestartBins():
            return restarts.begin(frame, history, metric.margins)
        case FootprintBins():
            return footprint.begin(frame, history)


def absorb(engine: Engine, frame: Frame, bins: Bins) -> Engine:
    """Take in new bins, oldest first."""
    match engine, bins:
        case ContinuousState(), HistogramBins():
            return continuous.absorb(engine, frame, bins)
        case ExceedanceState(), HistogramBins():
            return exceedances.absorb(engine, frame, bins)
        case ErrorState(), CountBins():
            return errors.absorb(engine, frame, bins)
        case RestartState(), RestartBins():
            return restarts.absorb(engine, frame, bins)
        case FootprintState(), FootprintBins():
            return footprint.absorb(engine, frame, bins)
        case _:
            raise TypeError(f"{type(bins).__name__} are nothing for a {type(engine).__name__}")


def ask(metric: Metric, engine: Engine, frame: Frame, phi: float | None, known: News | None = None) -> Answer:
    """Judge. phi: persistence of node drift as latency shows it, None without latency.

    known: what earlier arms of one template told of this metric's fresh pods, None where none did.
    """
    match engine:
        case ContinuousState():
            found = continuous.judge(engine, frame, metric.margins, known)
            return Answer(
                found.tau, found.neighbour, found.shared, found.placebo, found.lottery, found.pre_trend
            )
        case ExceedanceState():
            return Answer(exceedances.judge(engine, frame, metric))
        case ErrorState():
            return Answer(errors.judge(engine, frame, metric, phi))
        case RestartState():
            return Answer(restarts.judge(engine, frame, metric))
        case FootprintState():
            finding, use = footprint.judge(engine, frame, metric.margins, known)
            return Answer(finding, use=use)


def missing_edge(metric: Metric, edges: tuple[float, ...]) -> str:
    """What to say where `over` is no bucket edge, "" where all is well."""
    if metric.kind not in {MetricKind.SLOW, MetricKind.TAIL} or metric.over <= 0:
        return ""
    if exceedances.edge_of(metric, edges) is not None:
        return ""
    listed = ", ".join(f"{edge:g}" for edge in edges)
    field = f"metrics[{metric.name}].{metric.kind}.over"
    return f"{field}: {metric.over:g} s is no bucket edge; use one of {listed} s"


def _own_lottery(metric: Metric, frame: Frame, history: HistogramBins) -> Lottery:
    return continuous.judge(continuous.begin(frame, history), frame, metric.margins).lottery
