"""Where slots stand: repeatable, apart, and with pure nodes left over."""

from __future__ import annotations

from collections import Counter

from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.assignment import PURE_NODES, assign

NODES = dict.fromkeys(["n1", "n2", "n3", "n4", "n5"], "")
THREE = [Slot(arm, i) for arm in (Arm.CANARY, Arm.BASELINE) for i in range(3)]


def nodes_of(planned: tuple, arm: Arm) -> set[str]:
    return {p.node for p in planned if p.slot.arm is arm}


def test_the_same_seed_draws_the_same_nodes_whatever_the_order_they_are_listed_in() -> None:
    assert assign(7, NODES, (), THREE) == assign(7, dict(reversed(NODES.items())), (), THREE)


def test_other_seeds_draw_other_nodes() -> None:
    assert len({assign(seed, NODES, (), THREE) for seed in range(30)}) > 5


def test_canaries_spread_keep_from_baseline_and_leave_pure_nodes() -> None:
    for seed in range(30):
        planned = assign(seed, NODES, (), THREE)
        canary, baseline = nodes_of(planned, Arm.CANARY), nodes_of(planned, Arm.BASELINE)
        assert len(canary) == 3
        assert not canary & baseline
        assert len(set(NODES) - canary) >= PURE_NODES


def test_a_later_cohort_exposes_no_new_node_and_moves_nobody() -> None:
    first = assign(3, NODES, (), THREE)
    later = assign(3, NODES, first, [Slot(Arm.CANARY, 3), Slot(Arm.CANARY, 4), Slot(Arm.BASELINE, 3)])
    assert later[: len(first)] == first
    assert nodes_of(later, Arm.CANARY) == nodes_of(first, Arm.CANARY)


def test_without_a_schedulable_node_the_scheduler_decides() -> None:
    assert {p.node for p in assign(1, {}, (), THREE)} == {""}


def test_both_arms_go_round_the_zones() -> None:
    nodes = {f"n{i}": f"zone-{i % 3}" for i in range(9)}
    for seed in range(30):
        planned = assign(seed, nodes, (), THREE)
        for arm in (Arm.CANARY, Arm.BASELINE):
            assert {nodes[node] for node in nodes_of(planned, arm)} == {"zone-0", "zone-1", "zone-2"}


def test_every_node_of_a_zone_is_as_likely_to_hold_a_canary() -> None:
    nodes = {f"n{i}": f"zone-{i % 3}" for i in range(8)}
    held = Counter(
        node for seed in range(1500) for node in nodes_of(assign(seed, nodes, (), THREE), Arm.CANARY)
    )
    for zone, share in (("zone-0", 500), ("zone-1", 500), ("zone-2", 750)):
        for node in (n for n, of in nodes.items() if of == zone):
            assert abs(held[node] - share) < 90, held
