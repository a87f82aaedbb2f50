"""What the gate says of its own comparison: places, ages and the time before."""

import math
from dataclasses import replace

import numpy as np
import pytest

from causal_rollouts.evidence.covariates import covariates
from causal_rollouts.evidence.frame import Frame, Unit
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.checks import CheckName
from tests.unit.evidence.latency_world import T0
from tests.unit.evidence.test_continuous import judged, release

GRID = Grid(30.0, 32.0, 15.0)
NOW = 1000


def pod(slot: str, zone: str = "a", *, ready: float = 29_000.0, machine: str = "m5") -> Pod:
    arm = Arm(slot.split("-", maxsplit=1)[0])
    return Pod(slot, slot, arm, slot, "n1", zone, ready - 9, ready, None, machine)


def frame(pods: list[Pod]) -> Frame:
    units = tuple(Unit(p.slot, p.arm, p.node, GRID.index(p.ready or 0)) for p in pods)
    return Frame(units, 960, (960,), 2, {}, frozenset(), None, NOW, 4)


def checks(pods: list[Pod], seen: Frame | None = None) -> dict[str, object]:
    return {check.name: check for check in covariates(GRID, pods, seen or frame(pods))}


def arms(canary: str, baseline: str, **changes) -> list[Pod]:
    """Slots in zones given by a letter each."""
    both = [pod(f"canary-{i}", zone, **changes) for i, zone in enumerate(canary)]
    return [*both, *(pod(f"baseline-{i}", zone) for i, zone in enumerate(baseline))]


def test_arms_in_the_same_places_are_balanced():
    found = checks(arms("abc", "cab"))
    assert found[CheckName.BALANCE].value == 0.0
    assert all(check.ok for check in found.values())


def test_one_common_place_of_three_is_enough():
    assert checks(arms("aab", "bcc"))[CheckName.BALANCE].ok


def test_arms_in_different_zones_are_not_comparable():
    found = checks(arms("aaa", "bbb"))
    assert not found[CheckName.BALANCE].ok
    assert "places of the canary a/m5 100%, of the baseline b/m5 100%" in found[CheckName.BALANCE].note
    assert not found[CheckName.OVERLAP].ok


def test_stable_pods_with_a_past_are_controls_too():
    pods = [*arms("aaa", "bbb"), pod("stable-0", "a")]
    assert checks(pods)[CheckName.OVERLAP].ok


def test_places_that_stable_pods_show_need_no_balance():
    shown = [pod("stable-0", "a"), pod("stable-1", "b")]
    assert checks([*arms("aaa", "bbb"), *shown])[CheckName.BALANCE].value == 0.0
    half = checks([*arms("ccaa", "bbbb"), *shown])[CheckName.BALANCE]
    assert half.value == pytest.approx(0.5)


def test_instance_types_tell_places_apart():
    pods = [replace(p, machine="m7") if p.arm is Arm.CANARY else p for p in arms("abc", "abc")]
    assert not checks(pods)[CheckName.BALANCE].ok


def test_a_canary_that_was_just_replaced_is_too_young_and_ages_heal():
    pods = arms("abc", "abc")
    seen = frame(pods)
    young = [replace(p, ready=29_900.0) if p.arm is Arm.CANARY else p for p in pods]
    assert not checks(young, seen)[CheckName.AGE].ok
    later = replace(seen, now=NOW + 40)
    assert checks(young, later)[CheckName.AGE].ok


def test_slots_without_a_counterpart_of_their_start_do_not_count():
    late = [pod(f"canary-{i}", "z", ready=29_950.0) for i in range(3, 12)]
    found = checks([*arms("abc", "abc"), *late])
    assert found[CheckName.BALANCE].value == 0.0
    assert found[CheckName.AGE].ok


def test_nothing_is_said_before_there_is_a_pair_or_once_promotion_replaces_stable():
    assert checks([pod("canary-0")]) == {}
    pods = arms("aaa", "bbb")
    assert checks(pods, replace(frame(pods), until_stable=990)) == {}


def moved(seed: int, by: float):
    """A release whose canary nodes got slower by `by` half-way through the past."""
    r = release(seed, drift_sd=0.005)
    mine = {u.node for u in r.units if u.arm is Arm.CANARY}

    def added(units, at):
        there = np.array([u.node in mine for u in units])
        return by * (there[:, None] & (at >= T0 - r.fleet.history // 2))

    from tests.unit.evidence.latency_world import draw

    return draw(np.random.default_rng(seed), r.fleet, added)


def test_nodes_that_drifted_apart_before_the_release_fail_the_pre_trend():
    assert judged(moved(3, 0.15), 12).pre_trend.ok is False


def test_nodes_that_moved_alike_pass_it():
    found = judged(moved(3, 0.0), 12).pre_trend
    assert found.ok is True
    assert found.bound == pytest.approx(math.log(1.10))


def test_a_past_that_nobody_on_the_arms_nodes_saw_is_told_and_blocks_nothing():
    r = release(3)
    units = tuple(replace(u, node=f"new-{u.node}") if u.arm is not Arm.STABLE else u for u in r.units)
    found = judged(replace(r, units=units, exposed={}), 12).pre_trend
    assert found.ok is None
    assert "0% of the arms" in found.note
