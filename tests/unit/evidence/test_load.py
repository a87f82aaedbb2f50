"""What the gate says of the load of its arms' pods."""

import math
from dataclasses import replace

import numpy as np
import pytest

from causal_rollouts.evidence.frame import Frame, Unit
from causal_rollouts.evidence.load import LoadState, counted, load_equality
from causal_rollouts.evidence.tables import Schedule
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.checks import CheckName

SCHEDULE = Schedule(100, 102, 0.3, 0.2)


def frame(canaries: int = 3, baselines: int = 2, ready: int = 98) -> Frame:
    slots = [(Arm.CANARY, i) for i in range(canaries)] + [(Arm.BASELINE, i) for i in range(baselines)]
    units = tuple(Unit(f"{arm}-{i}", arm, f"n{i}", ready) for arm, i in slots)
    return Frame(units, 100, (100,), 2, {}, frozenset(), None, 130, 4)


def check(canary: float, baseline: float, seen: Frame | None = None, *, countable: bool = True):
    """Requests of an arm's pods in 20 bins."""
    state = LoadState(102, canary, 60.0, baseline, 40.0)
    (found,) = load_equality(seen or frame(), SCHEDULE, state, countable=countable)
    assert found.name is CheckName.LOAD
    return found


def test_pods_of_equal_load_pass_whatever_the_size_of_the_arms():
    found = check(6000.0, 4000.0)
    assert found.ok
    assert found.value == pytest.approx(0.0)
    assert found.bound == 0.05


def test_a_busier_canary_fails_and_so_does_an_idler_one():
    busier, idler = check(7200.0, 4000.0), check(6000.0, 4800.0)
    assert busier.ok is idler.ok is False
    assert busier.value == pytest.approx(0.2)
    assert idler.value == pytest.approx(0.2)
    assert "serves 1.2 times as much as a baseline pod" in busier.note
    assert "check the endpoints of both Services" in busier.note


def test_a_difference_that_so_few_requests_would_show_by_chance_passes():
    assert check(72.0, 40.0).ok


def test_four_percent_pass_however_many_requests_say_so():
    assert check(6_240_000.0, 4_000_000.0).ok


def test_weights_that_are_no_shares_of_the_pods_fail_before_any_request():
    state = LoadState(102)
    (found,) = load_equality(frame(baselines=3), SCHEDULE, state, countable=True)
    assert found.ok is False
    assert found.value == pytest.approx(0.5)
    assert "the weights give a canary pod 1.5 times as much" in found.note


def test_slots_that_wait_for_the_next_weights_do_not_count_under_these():
    waiting = tuple(Unit(f"canary-{i}", Arm.CANARY, "n9", 128) for i in range(3, 13))
    assert check(6000.0, 4000.0, replace(frame(), units=(*frame().units, *waiting))).ok


def test_without_requests_it_is_told_and_blocks_nothing():
    for found in (check(0.0, 0.0), check(6000.0, 4000.0, countable=False)):
        assert found.ok is None
        assert math.isnan(found.value)


def pulled(canary: float, baseline: float, *, countable: bool = True):
    """Jobs that an arm's workers finished in 20 bins; three pods and two."""
    state = LoadState(102, canary, 60.0, baseline, 40.0)
    (found,) = load_equality(frame(), SCHEDULE, state, countable=countable, pulled=True)
    return found


def test_workers_that_finish_a_third_less_pass_and_a_busier_canary_does_too():
    for canary, baseline in ((6000.0, 4000.0), (4400.0, 4000.0), (18000.0, 4000.0)):
        assert pulled(canary, baseline).ok
    assert pulled(6000.0, 4000.0).bound == 0.5


def test_workers_whose_jobs_hang_are_told_though_no_latency_shows_it():
    found = pulled(3000.0, 4000.0)
    assert found.ok is False
    assert "a canary pod finishes 0.5 times as many jobs as a baseline pod" in found.note
    assert "jobs that hang or are given back are in no latency" in found.note


def test_few_jobs_show_nothing():
    assert pulled(30.0, 40.0).ok
    assert pulled(0.0, 0.0).ok is pulled(3000.0, 4000.0, countable=False).ok is None


def test_nothing_is_said_without_both_arms_or_once_promotion_moves_the_fleet():
    for seen in (frame(baselines=0), replace(frame(), until_stable=120), replace(frame(), t0=None)):
        assert load_equality(seen, SCHEDULE, LoadState(102), countable=True) == ()
    home = Schedule(100, 102, 0.0, 0.0)
    assert load_equality(frame(), home, LoadState(102), countable=True) == ()


def tally() -> np.ndarray:
    """Eight bins: 10 requests a canary and bin, 9 a baseline."""
    out = np.zeros((9, 3, 3))
    order = list(Arm)
    out[:, order.index(Arm.CANARY), :2] = 30.0, 3.0
    out[:, order.index(Arm.BASELINE), :2] = 18.0, 2.0
    return out


def test_requests_count_from_the_end_of_the_blackout_and_anew_with_other_weights():
    old = LoadState(50, 9.0, 9.0, 9.0, 9.0)
    assert counted(old, SCHEDULE, tally(), 100, 108, 0.95) == LoadState(102, 180.0, 18.0, 108.0, 12.0)


def test_torn_bins_are_left_out_of_both_arms():
    late = tally()
    late[5, list(Arm).index(Arm.CANARY)] = 20.0, 2.0, 1.0  # bin 104
    late[6, list(Arm).index(Arm.CANARY)] = 40.0, 3.0, 0.0
    assert counted(LoadState(102), SCHEDULE, late, 100, 108, 0.95) == LoadState(102, 120.0, 12.0, 72.0, 8.0)


def test_an_arm_that_was_not_scraped_for_a_while_is_not_taken_for_idle():
    gone = tally()
    gone[4:7, list(Arm).index(Arm.CANARY)] = 0.0, 0.0, 3.0
    assert counted(LoadState(102), SCHEDULE, gone, 100, 108, 0.95) == LoadState(102, 60.0, 6.0, 36.0, 4.0)


def test_of_a_bin_that_is_whole_enough_a_lost_pod_counts_as_served():
    most = tally()
    most[5, list(Arm).index(Arm.CANARY)] = 29.0, 99.0, 1.0
    found = counted(LoadState(102), SCHEDULE, most, 100, 108, 0.95)
    assert found.canary_bins == 15.0 + 100.0


def test_one_look_or_many_count_the_same():
    whole = counted(LoadState(), SCHEDULE, tally(), 100, 108, 0.95)
    some = counted(LoadState(), SCHEDULE, tally()[:4], 100, 103, 0.95)
    assert counted(some, SCHEDULE, tally()[3:], 103, 108, 0.95) == whole
