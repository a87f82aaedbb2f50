"""What is out of reach at this traffic, and which setting would bring it into reach.

Each knob is turned in a few steps and the plan of that one question is made
again, because what helps is not obvious: where the luck of few pods is the
limit, hours of waiting change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from causal_rollouts.analysis.past import Past
from causal_rollouts.analysis.plan_design import Design
from causal_rollouts.analysis.plan_ladder import Ladder, climb, draw, least_caught, walk
from causal_rollouts.analysis.plan_outlook import learn
from causal_rollouts.analysis.plan_reach import LevelOutlook, Outlook, Reach, metric_of
from causal_rollouts.api.v1alpha1_stages import HEAVIEST_OF_PODS
from causal_rollouts.model.metrics import Gating, Metric, MetricKind
from causal_rollouts.model.registration import Registration, Stage

ENOUGH = 0.9
"""Share of good releases that a gating metric alone should let through."""

SURE = 0.95
PATHS, LOOKS, SEED = 1500, 3, 2
MOST_PODS = 64
MOST_WEIGHT = 600


@dataclass(frozen=True, slots=True)
class Turn:
    """One knob turned as far as it is worth. reached: it is enough; share: what it comes to."""

    setting: str
    value: str
    share: float
    reached: bool


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What cannot be relied on. promotion: safety of a good release; else harm of size `effect` (log).

    share: of releases, now: alone let through, or alone reverted by the end of the ladder. turns: none where
    the design cannot see it at all.
    """

    name: str
    kind: MetricKind
    promotion: bool
    effect: float
    share: float
    turns: tuple[Turn, ...]


def shortfalls(
    reg: Registration, past: Past, ladder: Ladder, reaches: Sequence[Reach]
) -> tuple[Shortfall, ...]:
    """All that is missing, each with what each knob does to it."""
    found = []
    for outlook, reach in zip(ladder.outlooks, reaches, strict=True):
        metric = next(m for m in reg.metrics if m.name == metric_of(outlook))
        for promotion in (True, False):
            if not _matters(outlook, promotion=promotion):
                continue
            share = _share(ladder, outlook, reach, promotion=promotion)
            if share < (ENOUGH if promotion else SURE):
                hidden = isinstance(outlook, LevelOutlook) and not np.isfinite(outlook.harm).any()
                # No knob of the policy shows what the cluster is too small to show.
                turns = () if hidden else tuple(_turns(reg, past, metric, outlook, promotion=promotion))
                found.append(Shortfall(outlook.name, outlook.kind, promotion, outlook.asked[1], share, turns))
    return tuple(found)


def _matters(outlook: Outlook, *, promotion: bool) -> bool:
    return outlook.gating is Gating.BOTH if promotion else outlook.gating is not Gating.REPORT_ONLY


def _share(ladder: Ladder, outlook: Outlook, reach: Reach, *, promotion: bool) -> float:
    if promotion:
        alone = replace(ladder, outlooks=(outlook,))
        return float(walk(alone, (reach,), {}).promoted.mean())
    least = least_caught(ladder, reach, ladder.glances[-1].stage)[:, -1]
    return float((least <= outlook.asked[1]).mean())


def _turns(
    reg: Registration, past: Past, metric: Metric, outlook: Outlook, *, promotion: bool
) -> Iterator[Turn]:
    """Of each knob the first step that is enough, else its last."""
    enough = ENOUGH if promotion else SURE
    for steps in _knobs(reg, metric, promotion=promotion):
        turn = None
        for setting, value, turned in steps:
            found = _again(turned, past, metric, outlook, promotion=promotion)
            turn = Turn(setting, value, found, found >= enough)
            if turn.reached:
                break
        if turn is not None:
            yield turn


def _again(reg: Registration, past: Past, metric: Metric, outlook: Outlook, *, promotion: bool) -> float:
    """The share under other settings. What is asked for stays what it was before the margin moved."""
    design = Design.of(reg, past)
    turned = next(m for m in reg.metrics if m.name == metric.name)
    lenders = [m for m in reg.metrics if m.kind is MetricKind.LATENCY and m.name != metric.name]
    mine = [one for one in learn(design, (*lenders, turned)) if one.metric.name == metric.name]
    ladder = climb(design, mine, LOOKS, SEED)
    reaches = draw(ladder.outlooks, PATHS, SEED)
    pairs = zip(ladder.outlooks, reaches, strict=True)
    found, reach = next((o, r) for o, r in pairs if o.name == outlook.name)
    return _share(ladder, found.asking(outlook.asked), reach, promotion=promotion)


Step = tuple[str, str, Registration]


def _knobs(reg: Registration, metric: Metric, *, promotion: bool) -> Iterator[list[Step]]:
    yield [_longer(reg, factor) for factor in (2, 4)]
    if not reg.arms.pod_share:
        pods = (reg.arms.min_pods * factor for factor in (2, 4, 8))
        yield [_more_pods(reg, n) for n in pods if n <= MOST_PODS]
    if promotion and metric.kind is not MetricKind.RESTARTS:
        yield [_wider(reg, metric, factor) for factor in (1.5, 2.0, 3.0)]
    yield [step for factor in (2, 4) if (step := _heavier(reg, factor)) is not None]


def _longer(reg: Registration, factor: int) -> Step:
    stages = tuple(replace(s, max_duration=s.max_duration * factor) for s in reg.stages)
    value = ", ".join(f"{s.max_duration / 60:g}m" for s in stages)
    return "stages[].maxDuration", value, replace(reg, stages=stages)


def _more_pods(reg: Registration, pods: int) -> Step:
    return "arms.minPods", str(pods), replace(reg, arms=replace(reg.arms, min_pods=pods))


def _wider(reg: Registration, metric: Metric, factor: float) -> Step:
    margins = replace(
        metric.margins,
        promote_below=metric.margins.promote_below * factor,
        promote_below_points=metric.margins.promote_below_points * factor,
    )
    metrics = tuple(replace(m, margins=margins) if m.name == metric.name else m for m in reg.metrics)
    value = f"{100 * margins.promote_below:g}%"
    if margins.promote_below_points:
        value += f" (promoteBelowPoints {100 * margins.promote_below_points:g}%)"
    return f"metrics[{metric.name}].promoteBelow", value, replace(reg, metrics=metrics)


def _heavier(reg: Registration, factor: int) -> Step | None:
    """All weights times a factor, strictly rising still, and leaving stable its part."""
    stages: list[Stage] = []
    most = 10 * HEAVIEST_OF_PODS if reg.arms.pod_share else MOST_WEIGHT
    for stage in reg.stages:
        weight = min(stage.weight * factor, max(most, stage.weight))
        if stages and weight <= stages[-1].weight:
            break
        stages.append(replace(stage, weight=weight))
    if [s.weight for s in stages] == [s.weight for s in reg.stages]:
        return None
    value = ", ".join(f"{s.weight / 10:g}" for s in stages)
    return "stages[].weight", value, replace(reg, stages=tuple(stages))
