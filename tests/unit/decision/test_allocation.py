"""Slots and weights of the ladder: equal load per pod, room for stable, slots only grow."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_rollouts.decision.allocation import ARMS_AT_MOST, allocate
from causal_rollouts.model.registration import ArmsPlan, Stage
from causal_rollouts.model.traffic import WHOLE


def ladder(*weights: int) -> tuple[Stage, ...]:
    return tuple(Stage(w, 60, 600) for w in weights)


def test_six_replicas_at_half_the_traffic_take_five_canaries_and_three_baselines() -> None:
    (rung,) = allocate(ladder(500), ArmsPlan(), 6)
    assert (rung.canaries, rung.baselines, rung.weights.baseline) == (5, 3, 300)


def test_a_small_first_step_has_the_least_pods_and_equal_shares() -> None:
    (rung,) = allocate(ladder(50), ArmsPlan(), 10)
    assert (rung.canaries, rung.baselines) == (3, 3)
    assert rung.weights.canary == rung.weights.baseline == 50


@given(
    weights=st.lists(st.integers(10, 700), min_size=1, max_size=6, unique=True).map(sorted),
    replicas=st.integers(2, 100),
    least=st.integers(1, 5),
)
def test_the_ladder_keeps_its_promises(weights: list[int], replicas: int, least: int) -> None:
    rungs = allocate(ladder(*weights), ArmsPlan(min_pods=least), replicas)
    for before, after in itertools.pairwise(rungs):
        assert after.canaries >= before.canaries
        assert after.baselines >= before.baselines
    for weight, rung in zip(weights, rungs, strict=True):
        assert rung.weights.canary == weight
        assert rung.baselines >= 1
        assert rung.weights.canary + rung.weights.baseline <= ARMS_AT_MOST + 1
        assert rung.canaries * WHOLE >= weight * replicas
        per_canary = rung.weights.canary / rung.canaries
        per_baseline = rung.weights.baseline / rung.baselines
        assert per_baseline == pytest.approx(per_canary, abs=0.501 / rung.baselines)
