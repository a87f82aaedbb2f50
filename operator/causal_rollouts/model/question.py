"""What a release asks, of what quantity, and what its answer rests on: sealed before the first evidence.

Written in words, since it is for whoever reads the ledger years later without this program.
"""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.model.checks import CheckName
from causal_rollouts.model.metrics import Gating, Metric, MetricKind
from causal_rollouts.model.percent import of_traffic
from causal_rollouts.model.registration import Registration

ESTIMANDS = {
    MetricKind.LATENCY: "ratio of geometric mean latency",
    MetricKind.ERRORS: "ratio of the shares of failed requests",
    MetricKind.SLOW: "ratio of the shares of slow requests",
    MetricKind.TAIL: "ratio of the shares of the slowest requests",
    MetricKind.RESTARTS: "ratio of container restarts for each hour of a pod",
    MetricKind.FOOTPRINT: "ratio of what is used for each request or pod",
}


@dataclass(frozen=True, slots=True)
class Assumption:
    """checked: how the release looks at it, or that nothing does."""

    assumes: str
    checked: str


@dataclass(frozen=True, slots=True)
class Question:
    """asks: in one sentence. estimands: a line for each metric."""

    asks: str
    estimands: tuple[str, ...]
    assumptions: tuple[Assumption, ...]


def question(reg: Registration) -> Question:
    """That of a registered release."""
    ladder = ", ".join(of_traffic(stage.weight) for stage in reg.stages)
    return Question(
        f'Are users of Deployment "{reg.namespace}/{reg.target}" worse off with the candidate than with the '
        f"stable template, at {ladder} of the {'work' if reg.traffic.workers else 'traffic'}?",
        tuple(_estimand(metric) for metric in reg.metrics),
        _assumptions(reg),
    )


def _estimand(metric: Metric) -> str:
    what = f"{metric.name}: {ESTIMANDS[metric.kind]}, canary slots against baseline slots of the same start"
    margins = metric.margins
    if metric.kind is MetricKind.FOOTPRINT:
        return f"{what}; warned of above {_above(margins.revert_above)}, reverts nothing"
    harm = f"harm counts above {_above(margins.revert_above)}"
    if metric.gating is Gating.BOTH:
        return f"{what}; {harm}, safe is shown below {_above(margins.promote_below)}"
    return f"{what}; {harm}, it need not show that it is safe"


def _assumptions(reg: Registration) -> tuple[Assumption, ...]:
    drawn = f"slots draw their nodes at random within blocks (seed {reg.seed})"
    probe = "a probe by switchback" if reg.probe else "nothing tells it from an incident, so it is only held"
    past = ", a pre-period of their own" if reg.arms.pre_period else ""
    return (
        Assumption(
            "the arms differ in their template and in nothing else",
            f"{drawn}; {CheckName.BALANCE}, {CheckName.OVERLAP}, {CheckName.AGE}",
        ),
        _load(reg),
        Assumption("the nodes of both arms moved alike before", f"{CheckName.PRE_TREND}{past}"),
        Assumption(
            "stable pods are not touched by the candidate",
            f"pods beside a canary against those on other nodes; of harm to everybody: {probe}",
        ),
        Assumption(
            "what is measured is what happened",
            f"{_finished(reg)}at least {reg.min_completeness:.0%} of the requests of each arm in the newest "
            "bins",
        ),
        Assumption("stable pods differ from stable pods by chance alone", "the placebo, all the time"),
        Assumption("harm shows within the stages", "nothing; after the promotion the bake still compares"),
    )


def _finished(reg: Registration) -> str:
    """Jobs that hang are in no latency."""
    return f"{CheckName.LOAD}: canary pods finish about as many jobs; " if reg.traffic.workers else ""


def _load(reg: Registration) -> Assumption:
    if reg.traffic.workers:
        return Assumption("jobs are as hard for either arm", "nothing: each pod takes what is next")
    what = "a pod of either arm serves as much"
    return Assumption(what, f"{CheckName.LOAD}, and the share of requests seen")


def _above(margin: float) -> str:
    return f"{100 * margin:+.4g}%"
