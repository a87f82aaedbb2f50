"""Recordings with hours of nothing before the first stage, made once a session."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from causal_rollouts.analysis.past import Past, recorded_past
from causal_rollouts.analysis.recording import Recording
from causal_rollouts.analysis.simulate import simulate
from causal_rollouts.analysis.simulation.setting import Setting
from causal_rollouts.model.registration import Registration, Stage, Times
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


@cache
def long_past(seed: int = 3) -> Past:
    return recorded_past(registration(seed), long_recording(seed))
