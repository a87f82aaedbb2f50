"""Pods that come, go and differ by place while a release runs, in recordings and in the closed loop alike."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from causal_rollouts.analysis.closed_loop import Case
from causal_rollouts.analysis.simulate import simulate
from causal_rollouts.analysis.simulated_release import SimulatedRelease
from causal_rollouts.analysis.simulation.climate import HARMLESS, Consumption, Harm
from causal_rollouts.analysis.simulation.fleet import replaced, scaled, slot_pods, stable_fleet, there_at
from causal_rollouts.analysis.simulation.reach import distance
from causal_rollouts.analysis.simulation.roster import enrol
from causal_rollouts.analysis.simulation.setting import CPU, EPOCH
from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.registration import Times
from causal_rollouts.model.release import PlannedSlot
from tests.unit.analysis.recordings import QUIET, SETTING

FLEET = stable_fleet(6, 3, 1, EPOCH - 3600.0)
ARMS = slot_pods([PlannedSlot(Slot(Arm.CANARY, i), f"node-{i}") for i in range(3)], EPOCH, 10.0)
SMALL = replace(SETTING, times=Times(history=700.0), stage_seconds=(300.0, 120.0))


def test_a_fleet_grows_by_pods_that_start_and_shrinks_by_pods_that_go():
    grown = scaled(FLEET, 3, EPOCH + 60.0, 10.0, 3, 1)
    assert [(p.created, p.ready) for p in grown[6:]] == [(EPOCH + 60.0, EPOCH + 70.0)] * 3
    assert len({p.slot for p in grown}) == 9
    shrunk = scaled(grown, -4, EPOCH + 300.0, 10.0, 3, 1)
    assert [p.deleted for p in shrunk if p.deleted] == [EPOCH + 300.0] * 4
    assert len(there_at(scaled(FLEET, -99, EPOCH, 10.0, 3, 1), EPOCH + 1.0, stable=True)) == 1


def test_the_heir_of_an_evicted_pod_has_its_slot_and_a_stable_heir_its_own():
    pods = replaced((*FLEET, *ARMS), ARMS[1], EPOCH + 100.0, 10.0)
    heir = pods[-1]
    assert (heir.arm, heir.slot, heir.node) == (Arm.CANARY, "canary-1", "node-1")
    assert heir.name != ARMS[1].name
    assert replaced(FLEET, FLEET[0], EPOCH, 10.0)[-1].slot != FLEET[0].slot


def test_a_harm_of_one_zone_is_none_elsewhere():
    harm = Harm(slower=1.0, zone="zone-b")
    roster = enrol((*FLEET, *ARMS), QUIET, 1, lambda p: harm if p.arm is Arm.CANARY else HARMLESS, None)
    ((found, mine),) = roster.versions
    assert found == harm
    assert [p.name for p, hurt in zip(roster.pods, mine, strict=True) if hurt] == ["canary-1-0"]
    nowhere = enrol(ARMS, QUIET, 1, lambda _: replace(harm, zone="zone-z"), None)
    assert nowhere.versions == ()


def test_a_harm_of_one_zone_has_no_distance_of_a_constant_one():
    constant = replace(SETTING, harm=Harm(slower=math.log(2.0)))
    assert distance(constant, 0) is not None
    assert distance(replace(constant, harm=replace(constant.harm, zone="zone-a")), 0) is None


def test_only_the_canaries_of_a_hungry_candidate_take_more():
    climate = replace(QUIET, consumption=Consumption(cpu=0.01))
    found = simulate(replace(SMALL, climate=climate, harm=Harm(cpu=1.5)), 3)

    def a_request(pod: str) -> float:
        mine = [s for s in found.series if s.labels["pod"] == pod]
        (cpu,) = [s for s in mine if s.labels["__name__"] == CPU]
        (served,) = [s for s in mine if s.labels.get("le") == "+Inf"]
        return float(cpu.values[-1]) / float(served.values[-1])

    assert a_request("canary-0-0") == pytest.approx(0.015, rel=0.1)
    assert a_request("baseline-0-0") == pytest.approx(0.01, rel=0.1)
    assert not [s for s in simulate(SMALL, 3).series if s.labels["__name__"] == CPU]


def test_a_recording_scales_and_evicts_as_its_setting_says():
    found = simulate(replace(SMALL, scaling=((100.0, 5), (250.0, -5)), arm_turnover=20.0), 3)
    stable = [p for p in found.pods if p.arm is Arm.STABLE]
    assert [p.created for p in stable].count(EPOCH + 100.0) == 5
    assert [p.deleted for p in stable].count(EPOCH + 250.0) == 5
    slots: dict[str, list[tuple[float, float | None]]] = {}
    for pod in found.pods:
        if pod.arm is not Arm.STABLE:
            slots.setdefault(pod.slot, []).append((pod.created, pod.deleted))
    lives = [sorted(each) for each in slots.values()]
    assert max(map(len, lives)) > 1
    assert all(one[1] == other[0] for each in lives for one, other in pairwise(each))


@pytest.mark.parametrize("name", ["autoscaled", "evicted", "diurnal"])
def test_the_closed_loop_goes_on_whoever_comes_and_goes(name: str):
    case = Case(name, 4)
    release = SimulatedRelease(case.setting(), 4)
    release.run()
    gone = {p.slot for p in release._pods if p.deleted is not None}
    assert bool(gone) is (name != "diurnal")
