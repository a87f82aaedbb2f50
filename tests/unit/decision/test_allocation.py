"""Slots and weights of the ladder: equal load per pod, room for stable, slots only grow."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_rollouts.decision.allocation import ARMS_AT_MOST, allocate
from causal_rollouts.model.arms import Arm
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


@pytest.mark.parametrize(
    ("weights", "plan", "replicas", "expected"),
    [
        ((50, 250, 500), ArmsPlan(), 10, [(3, 3, 50), (3, 3, 250), (7, 4, 286)]),
        ((50, 250, 500), ArmsPlan(baseline_ratio=2.0), 10, [(3, 6, 100), (3, 6, 500), (12, 7, 292)]),
        ((700,), ArmsPlan(), 4, [(21, 3, 100)]),
        ((10,), ArmsPlan(min_pods=1), 2, [(1, 1, 10)]),
        ((400,), ArmsPlan(), 10, [(4, 4, 400)]),
        ((100, 200, 500), ArmsPlan(min_pods=1), 10, [(1, 1, 100), (2, 2, 200), (5, 3, 300)]),
        ((300,), ArmsPlan(min_pods=1, baseline_ratio=0.5), 10, [(3, 2, 200)]),
        ((10,), ArmsPlan(min_pods=1, baseline_ratio=0.1), 2, [(1, 1, 10)]),
        ((100, 300), ArmsPlan(min_pods=1, baseline_max_share=100), 10, [(1, 1, 100), (3, 2, 200)]),
        ((30, 100), ArmsPlan(min_pods=1, baseline_max_share=100), 30, [(1, 1, 30), (3, 3, 100)]),
    ],
)
def test_ladders_by_hand(weights, plan, replicas, expected) -> None:
    found = [
        (r.canaries, r.baselines, r.weights.baseline) for r in allocate(ladder(*weights), plan, replicas)
    ]
    assert found == expected


def test_a_rung_has_its_slots_by_arm_and_number() -> None:
    (rung,) = allocate(ladder(500), ArmsPlan(), 6)
    assert [slot.id for slot in rung.slots] == [
        *(f"canary-{i}" for i in range(5)),
        *(f"baseline-{i}" for i in range(3)),
    ]


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


BY_PODS = ArmsPlan(pod_share=True)


@pytest.mark.parametrize(
    ("weights", "plan", "replicas", "expected"),
    [
        ((50,), BY_PODS, 10, [(1, 1, 83)]),
        ((100, 300), BY_PODS, 10, [(1, 1, 83), (5, 2, 294)]),
        ((50, 80), BY_PODS, 10, [(1, 1, 83), (1, 1, 83)]),
        ((330,), BY_PODS, 10, [(10, 10, 333)]),
        ((330,), BY_PODS, 2, [(2, 2, 333)]),
        ((50, 250), BY_PODS, 100, [(6, 6, 54), (36, 7, 252)]),
        ((330,), ArmsPlan(pod_share=True, baseline_ratio=2.0), 9, [(6, 12, 222)]),
        ((100,), ArmsPlan(pod_share=True, min_pods=20), 10, [(1, 1, 83)]),
    ],
)
def test_where_pods_make_the_share_it_is_what_they_make(weights, plan, replicas, expected) -> None:
    rungs = allocate(ladder(*weights), plan, replicas)
    assert [(r.canaries, r.baselines, r.weights.canary) for r in rungs] == expected
    assert all((r.weights.canaries, r.weights.baselines) == (r.canaries, r.baselines) for r in rungs)


@given(
    weight=st.integers(10, 330),
    replicas=st.integers(2, 60),
    ratio=st.sampled_from([0.5, 1.0, 2.0]),
)
def test_no_other_number_of_pods_would_come_nearer(weight: int, replicas: int, ratio: float) -> None:
    (rung,) = allocate(ladder(weight), ArmsPlan(pod_share=True, baseline_ratio=ratio), replicas)

    def share(canaries: int) -> float:
        return canaries / (canaries + max(1, round(ratio * canaries)) + replicas)

    mine = share(rung.canaries)
    assert abs(rung.weights.share(Arm.CANARY) - mine) <= 0.0005
    assert rung.canaries + rung.baselines <= 2 * replicas
    if rung.canaries > 1:
        assert abs(mine - weight / WHOLE) <= abs(share(rung.canaries - 1) - weight / WHOLE)
        assert share(rung.canaries - 1) < weight / WHOLE, "at most one pod above"
