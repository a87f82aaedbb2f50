"""What 200 running releases cost the API server is their evidence state: it has a budget."""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.evidence.gate_state import CODEC
from causal_rollouts.model.reasons import Validity
from tests.unit.evidence.looks import watch
from tests.unit.evidence.sample_world import ERRORS, METRICS, World, make

BUDGET = 32 * 1024
LARGE = World(
    stable=40,
    nodes=20,
    canaries=(10, 20, 30),
    weights=(100, 200, 300),
    history=60,
    stage_bins=10,
    rps=900.0,
    base_errors=0.02,
    more_errors=0.003,
    slower=0.03,
    crashes=20.0,
    metrics=(*METRICS, replace(ERRORS, name="failed")),
)


def test_sixty_slots_six_metrics_and_three_stages_fit_the_budget():
    run = make(LARGE)
    found = watch(run)
    state = CODEC.decode(found.state)
    assert found.evidence.validity is Validity.OK
    assert sum(unit.arm != "stable" for unit in state.known.units) == 60
    assert all(metric.engine is not None for metric in state.metrics)
    windows = {
        p.metric: {q.window for q in found.evidence.processes if q.metric == p.metric}
        for p in found.evidence.processes
    }
    assert len(windows["latency"]) == len(windows["errors"]) == 3
    assert len(found.state) <= BUDGET
    assert len(found.state) > BUDGET / 16  # else the world above is not what it says
