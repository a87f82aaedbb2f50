"""Numbers of a second opinion as people read them, in a terminal and in a report."""

from __future__ import annotations

import math

from causal_rollouts.analysis.opinion import MetricOpinion, Opinion


def effect_of(metric: MetricOpinion, one: Opinion) -> str:
    """Effect of one opinion with its interval, "-" where it has none."""
    return "-" if math.isnan(one.effect) else interval(metric, one.effect, one.lower, one.upper)


def interval(metric: MetricOpinion, effect: float, lower: float, upper: float) -> str:
    """An effect and its 95% interval, in percent or points."""
    if math.isnan(lower):
        return one_of(metric, effect)
    return f"{one_of(metric, effect)} ({one_of(metric, lower)} to {one_of(metric, upper)})"


def one_of(metric: MetricOpinion, effect: float) -> str:
    """One effect in percent, or in points of the share of requests."""
    if metric.relative:
        return f"{100 * shown(metric, effect):+.1f}%"
    return f"{100 * effect:+.3f} pp"


def shown(metric: MetricOpinion, effect: float) -> float:
    """A relative change, of an effect on a log scale; else the effect itself."""
    return math.expm1(min(effect, 20.0)) if metric.relative else effect


def p_of(p: float) -> str:
    """Two digits, "-" where there is none."""
    return "-" if math.isnan(p) else f"{p:.2g}"
