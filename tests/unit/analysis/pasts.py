"""Recordings with hours of nothing before the first stage, made once a session."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from causal_rollouts.analysis.past import Past, recorded_past
from causal_rollouts.analysis.recording import Recording
from causal_rollouts.analysis.simulate import simulate
from causal_rollouts.analysis.simulated_release import AGE
from causal_rollouts.analysis.simulation.fleet import stable_fleet
from causal_rollouts.analysis.simulation.setting import Setting
from causal_rollouts.analysis.simulation.tables import SimulatedBins
from causal_rollouts.evidence.frame import Frame, Unit
from causal_rollouts.evidence.tables import Schedule
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.registration import Registration, Stage, Times
from causal_rollouts.model.traffic import HOME
from tests.unit.analysis.recordings import QUIET

HOURS = 2.0
STAGES = (Stage(100, 300.0, 900.0), Stage(300, 300.0, 900.0))
SETTING = Setting(
    QUIET,
    replicas=16,
    nodes=8,
    stages=STAGES,
    stage_seconds=(30.0, 30.0),
    times=Times(history=HOURS * 3600.0),
)


@cache
def long_recording(seed: int = 3) -> Recording:
    """A quiet service of 16 pods on 8 nodes."""
    return simulate(SETTING, seed)


@cache
def small_recording(replicas: int, seed: int = 3) -> Recording:
    """A fleet of few pods, an hour of it."""
    return simulate(replace(SETTING, replicas=replicas, nodes=4, times=Times(history=3600.0)), seed)


def registration(seed: int = 3, **changes: object) -> Registration:
    """With half an hour of history, so that two hours hold many starts."""
    return replace(SETTING.registration(seed), times=Times(history=1800.0), **changes)


def simulated_past(setting: Setting, seed: int) -> tuple[Registration, Past]:
    """The past of the very world in which `SimulatedRelease(setting, seed)` runs, without raw samples."""
    reg, grid = setting.registration(seed), setting.grid
    pods = stable_fleet(setting.replicas, setting.nodes, seed, setting.begin - AGE)
    bins = SimulatedBins(setting, seed)
    last = grid.index(setting.begin) - 1
    first = last + 1 - round(setting.times.history / grid.width)
    for index in range(first, last + 1):
        bins.serve(index, pods, HOME)
    units = tuple(Unit(pod.slot, Arm.STABLE, pod.node, grid.index(pod.ready or 0.0)) for pod in pods)
    frame = Frame(units, None, (), len(reg.stages), {}, frozenset(), None, last, reg.times.warm_up)
    return reg, Past(grid, pods, first, last, bins.tables(frame, Schedule(None, 0, 0.0), first).metrics)


@cache
def long_past(seed: int = 3) -> Past:
    return recorded_past(registration(seed), long_recording(seed))
