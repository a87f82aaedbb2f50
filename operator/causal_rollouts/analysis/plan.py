"""What a release would be able to show at this traffic, told before it begins.

Everything comes from the past of the service's own pods, from the allocation of
the policy and from the thresholds of the gate, so that a plan and a release
cannot mean different things by the same words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.past import LEAST_PODS, NoPast, Past
from causal_rollouts.analysis.plan_design import Design, arms_at
from causal_rollouts.analysis.plan_knobs import Shortfall, shortfalls
from causal_rollouts.analysis.plan_ladder import Ladder, Walked, climb, draw, least_caught, walk
from causal_rollouts.analysis.plan_outlook import learn
from causal_rollouts.analysis.plan_reach import CountOutlook, LevelOutlook, Outlook, Reach, metric_of
from causal_rollouts.evidence import budget
from causal_rollouts.model.assignment import PURE_NODES
from causal_rollouts.model.metrics import Gating, MetricKind
from causal_rollouts.model.registration import Registration
from causal_rollouts.stats.power import detectable

PATHS = 4000
LOOKS = 10
"""Looks that are computed in each stage."""

SEED = 1

ASSUMED = (
    "Noise is what the gate believes after fitting this past; where pods or nodes are few that is too much.",
    "Harm is there from the first canary on, and only one metric has it; later harm is caught later.",
    "A stage begins when half of the good releases would go on; times to start pods are not counted.",
    "Slots stand on nodes that carry stable pods today. Incidents and drift: as this past has them.",
)
"""Said with every plan."""


@dataclass(frozen=True, slots=True)
class StagePlan:
    """One stage. Weights in percent. pure: nodes with stable pods and no canary; controls: stable pods there.

    goes_on: share of releases that change nothing, of those that come here, that go on; after: minutes in
    the stage until half of them have, None where so many never do.
    """

    weight: float
    baseline_weight: float
    canaries: int
    baselines: int
    pure: int
    controls: int
    min_minutes: float
    max_minutes: float
    goes_on: float
    after: float | None

    @property
    def fallback(self) -> str:
        """In words, what the effect stands against where too few nodes stay pure; "" where enough do."""
        if self.pure >= PURE_NODES:
            return ""
        left = f"{self.pure} node" + ("" if self.pure == 1 else "s")
        return (
            f"{left} with stable pods and no canary ({PURE_NODES} are needed): the latency effect will be "
            "told against baseline slots alone, which may suffer beside canaries, and harm to neighbours "
            "cannot be seen; spread the fleet over more nodes, or ask for fewer canaries (arms.minPods, the "
            "weight)"
        )


@dataclass(frozen=True, slots=True)
class Detectable:
    """By the end of a stage, for a release that gets there.

    half, almost: effect that is reverted with probability .5 and .95, None where none is. sd: of a level's
    estimate. expected: events of the canary.
    """

    half: float | None
    almost: float | None
    sd: float | None = None
    expected: float | None = None


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a release with one effect; minutes: median to the revert."""

    effect: float
    reverted: float
    paused: float
    promoted: float
    minutes: float | None


@dataclass(frozen=True, slots=True)
class MetricPlan:
    """One question. Effects are relative changes; of restarts, restarts per pod and hour.

    share: of the error budget in the first window; threshold: nats that its evidence must reach alone.
    base: past rate of a count.
    """

    name: str
    kind: MetricKind
    gating: Gating
    share: float
    threshold: float | None
    base: float | None
    stages: tuple[Detectable, ...]
    fates: tuple[Fate, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole. promoted, paused, reverted: of a release that changes nothing; minutes: to promotion.

    minutes is the median and the 90th percent, None where nothing is promoted; times in the stages alone.
    pre_period_minutes comes before them. probe_minutes: of one probe, 0 where the policy has none.
    """

    pods: int
    nodes: int
    history_minutes: float
    alpha: float
    promoted: float
    paused: float
    reverted: float
    minutes: tuple[float, float] | None
    stages: tuple[StagePlan, ...]
    metrics: tuple[MetricPlan, ...]
    shortfalls: tuple[Shortfall, ...]
    pre_period_minutes: float = 0.0
    probe_minutes: float = 0.0


def plan(reg: Registration, past: Past) -> Plan:
    """The plan of a release that would begin where the past ends.

    Raises:
        NoPast: too few pods.
    """
    design = Design.of(reg, past)
    if len(design.stable) < LEAST_PODS:
        raise NoPast(f"pods: {len(design.stable)} stable pod(s) with a past, {LEAST_PODS} are needed")
    # A footprint moves nothing that a plan foretells.
    acting = [metric for metric in reg.metrics if metric.kind is not MetricKind.FOOTPRINT]
    ladder = climb(design, learn(design, acting), LOOKS, SEED)
    reaches = draw(ladder.outlooks, PATHS, SEED)
    nothing = walk(ladder, reaches, {})
    return Plan(
        pods=len(design.stable),
        nodes=len(design.nodes),
        history_minutes=past.minutes,
        alpha=reg.budget.alpha,
        promoted=float(nothing.promoted.mean()),
        paused=float(nothing.paused.mean()),
        reverted=float(nothing.reverted.mean()),
        minutes=_minutes(nothing.seconds[nothing.promoted]),
        stages=tuple(_stage(design, ladder, nothing, k) for k in range(len(reg.stages))),
        metrics=tuple(
            _metric(reg, ladder, reaches, outlook, reach)
            for outlook, reach in zip(ladder.outlooks, reaches, strict=True)
        ),
        shortfalls=shortfalls(reg, past, ladder, reaches),
        pre_period_minutes=reg.arms.pre_period / 60.0,
        probe_minutes=reg.probe.bins * reg.grid.width / 60.0 if reg.probe else 0.0,
    )


def _minutes(seconds: NDArray[np.float64]) -> tuple[float, float] | None:
    if not len(seconds):
        return None
    half, most = np.quantile(seconds, [0.5, 0.9], method="inverted_cdf").tolist()
    return half / 60.0, most / 60.0


def _stage(design: Design, ladder: Ladder, nothing: Walked, stage: int) -> StagePlan:
    canaries, baselines, pure, controls = arms_at(ladder.frames[stage])
    registered, rung = design.reg.stages[stage], design.rungs[stage]
    here = nothing.stage >= stage
    last = stage == len(design.reg.stages) - 1
    on = nothing.promoted if last else nothing.stage > stage
    used = [i for i in ladder.of_stage(stage) if ladder.used[i]]
    share = float(on.sum() / here.sum()) if here.any() else 0.0
    after = None
    if last and nothing.promoted.any():
        after = _half_in_stage(nothing, stage)
    elif not last and share >= 0.5:
        after = ladder.glances[used[-1]].age / 60.0
    return StagePlan(
        weight=rung.weights.canary / 10.0,
        baseline_weight=rung.weights.baseline / 10.0,
        canaries=canaries,
        baselines=baselines,
        pure=pure,
        controls=controls,
        min_minutes=registered.min_duration / 60.0,
        max_minutes=registered.max_duration / 60.0,
        goes_on=share,
        after=after if share >= 0.5 else None,
    )


def _half_in_stage(nothing: Walked, stage: int) -> float:
    """Median minutes in the last stage over all that come there; a path that stays takes for ever."""
    here = nothing.stage >= stage
    spent = np.where(nothing.promoted, nothing.last_seconds, np.inf)[here]
    return float(np.quantile(spent, 0.5, method="inverted_cdf")) / 60.0


def _metric(
    reg: Registration, ladder: Ladder, reaches: Sequence[Reach], outlook: Outlook, reach: Reach
) -> MetricPlan:
    share = budget.first_share(reg, ladder.frames[0], metric_of(outlook), outlook.kind)
    acts = share > 0 and outlook.gating is not Gating.REPORT_ONLY
    return MetricPlan(
        name=outlook.name,
        kind=outlook.kind,
        gating=outlook.gating,
        share=share,
        threshold=-math.log(reg.alpha * share) if acts else None,
        base=outlook.base if isinstance(outlook, CountOutlook) else None,
        stages=tuple(_detectable(ladder, outlook, reach, k) for k in range(len(reg.stages))),
        fates=tuple(_fate(ladder, reaches, outlook, effect) for effect in outlook.asked) if acts else (),
    )


def _detectable(ladder: Ladder, outlook: Outlook, reach: Reach, stage: int) -> Detectable:
    least = least_caught(ladder, reach, stage)
    last = ladder.of_stage(stage)[-1]
    half, almost = (told(outlook.kind, float(detectable(least, power)[-1])) for power in (0.5, 0.95))
    if isinstance(outlook, LevelOutlook):
        seen = math.isfinite(outlook.harm[last])
        return Detectable(half, almost, sd=math.sqrt(outlook.variance[last]) if seen else None)
    if isinstance(outlook, CountOutlook):
        return Detectable(half, almost, expected=float(outlook.expected[last] * math.exp(outlook.nothing)))
    return Detectable(half, almost)


def _fate(ladder: Ladder, reaches: Sequence[Reach], outlook: Outlook, effect: float) -> Fate:
    walked = walk(ladder, reaches, {outlook.name: effect})
    found = _minutes(walked.seconds[walked.reverted])
    return Fate(
        effect=told(outlook.kind, effect) or 0.0,
        reverted=float(walked.reverted.mean()),
        paused=float(walked.paused.mean()),
        promoted=float(walked.promoted.mean()),
        minutes=None if found is None else found[0],
    )


def told(kind: MetricKind, effect: float) -> float | None:
    """A log effect as people say it: relative change, of restarts the rate an hour; None where infinite."""
    if not math.isfinite(effect):
        return None
    return math.exp(effect) if kind is MetricKind.RESTARTS else math.expm1(effect)
