"""A recording of a release that never happened: the simulated service under a schedule of its own."""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.analysis.manifest import manifest
from causal_rollouts.analysis.recording import Recording, Run
from causal_rollouts.analysis.simulation.chance import draws
from causal_rollouts.analysis.simulation.fleet import (
    before_pods,
    places,
    replaced,
    scaled,
    slot_pods,
    stable_fleet,
    there_at,
)
from causal_rollouts.analysis.simulation.setting import Setting
from causal_rollouts.analysis.simulation.source import SimulatedSource
from causal_rollouts.decision.allocation import allocate
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.assignment import assign
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.release import PlannedSlot
from causal_rollouts.model.traffic import HOME, Change

AGE = 86400.0
"""Age of the stable fleet when the release begins."""

SETTLE = 5.0
"""Seconds between a pod's readiness and the change of weights."""

SPARE = 120.0
"""Seconds recorded before the history begins, so that its first bin is whole."""


def simulate(setting: Setting, seed: int) -> Recording:
    """One release by the clock: each stage lasts as long as the setting says, whatever happens in it."""
    reg = setting.registration(seed)
    source = SimulatedSource(
        seed,
        setting.climate,
        begin=setting.begin - setting.times.history - SPARE,
        scrape=setting.grid.scrape,
        namespace=reg.namespace,
        harm_of=setting.harm_of,
    )
    timeline, pods = _schedule(setting, seed)
    end = timeline[-1].time + setting.stage_seconds[-1]
    instants = sorted(
        {end, *(c.time for c in timeline), *(t for p in pods for t in (p.created, p.deleted) if t)}
    )
    for instant in instants:
        if instant <= end:
            weights = next((c.weights for c in reversed(timeline) if c.time < instant), HOME)
            source.advance(instant, pods, weights)
    return Recording(
        manifest=manifest(reg),
        pods=pods,
        timeline=timeline,
        run=Run(setting.grid, seed, reg.release, source="simulated", scatter=reg.scatter),
        series=source.series(),
    )


def _schedule(setting: Setting, seed: int) -> tuple[tuple[Change, ...], tuple[Pod, ...]]:
    """All changes of weights and all pods of the release."""
    pods = stable_fleet(setting.replicas, setting.nodes, seed, setting.begin - AGE)
    timeline = [Change(setting.begin, None, HOME)]
    slots: tuple[PlannedSlot, ...] = ()
    moment = setting.begin
    rungs = allocate(setting.stages, setting.arms, setting.replicas)
    if setting.arms.pre_period:
        up = moment + setting.start_up + SETTLE
        down = up + setting.arms.pre_period
        planned = assign(seed, places(setting.nodes), (), rungs[0].slots)
        before = before_pods(planned, moment, setting.start_up)
        pods = (*pods, *(replace(pod, deleted=down) for pod in before))
        timeline += [
            Change(up, None, rungs[0].weights, Phase.PRE_PERIOD),
            Change(down, None, HOME, Phase.REPLACING),
        ]
        moment = down
    for stage, rung in enumerate(rungs):
        new = [slot for slot in rung.slots if slot not in {p.slot for p in slots}]
        planned = assign(seed, places(setting.nodes), slots, new)
        pods = (*pods, *slot_pods(planned[len(slots) :], moment, setting.start_up))
        slots = planned
        shifted = moment + setting.start_up + SETTLE
        timeline.append(Change(shifted, stage, rung.weights))
        moment = shifted + setting.stage_seconds[min(stage, len(setting.stage_seconds) - 1)]
    for after, by in setting.scaling:
        pods = scaled(pods, by, setting.begin + after, setting.start_up, setting.nodes, seed)
    pods = _turned_over(setting, seed, pods, moment)
    return tuple(timeline), _arms_turned_over(setting, seed, pods, moment)


def _turned_over(setting: Setting, seed: int, pods: tuple[Pod, ...], end: float) -> tuple[Pod, ...]:
    """Stable pods that are replaced while the release runs."""
    luck = draws(seed, "turnover")
    times = luck.poisson(setting.turnover * (end - setting.begin) / 3600.0)
    for time in sorted(luck.uniform(setting.begin, end, times)):
        there = [p for p in pods if p.arm is Arm.STABLE and p.deleted is None and (p.ready or 0.0) < time]
        pods = replaced(pods, there[int(luck.integers(len(there)))], float(time), setting.start_up)
    return pods


def _arms_turned_over(setting: Setting, seed: int, pods: tuple[Pod, ...], end: float) -> tuple[Pod, ...]:
    """Pods of arms that are evicted, each slot on its own; a slot's next pod waits for the one before."""
    luck = draws(seed, "arm turnover")
    first = {pod.slot: pod.created for pod in pods if pod.arm is not Arm.STABLE}
    for slot, since in first.items():
        for time in sorted(
            luck.uniform(since, end, luck.poisson(setting.arm_turnover * (end - since) / 3600.0))
        ):
            there = [pod for pod in there_at(pods, float(time), stable=False) if pod.slot == slot]
            for victim in there:
                pods = replaced(pods, victim, float(time), setting.start_up)
    return pods
