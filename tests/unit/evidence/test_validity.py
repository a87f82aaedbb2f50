"""Absent is not zero: what the newest bins are worth, arm by arm."""

from __future__ import annotations

import numpy as np
import pytest

from causal_rollouts.evidence import validity
from causal_rollouts.evidence.frame import CountBins, Frame, Unit
from causal_rollouts.evidence.share import ShareState, counted, share_test
from causal_rollouts.evidence.tables import Defect, MetricTable, Schedule, ShareTable
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.reasons import Validity
from tests.unit.evidence.sample_world import ERRORS

UNITS = (
    *(Unit(f"s{i}", Arm.STABLE, "n", 0) for i in range(8)),
    *(Unit(f"baseline-{i}", Arm.BASELINE, "n", 90) for i in range(2)),
    *(Unit(f"canary-{i}", Arm.CANARY, "n", 90) for i in range(2)),
)
FRAME = Frame(UNITS, 100, (100,), 3, {}, frozenset(), None, 107, 4)
NAMES = tuple(u.id for u in UNITS)


def table(lost=(), defects=(), requests=10.0, bins=8):
    gone = np.zeros((len(UNITS), bins), dtype=np.bool_)
    for unit, at in lost:
        gone[NAMES.index(unit), at - 100] = True
    exposure = np.where(gone, 0.0, requests)
    return MetricTable(CountBins(NAMES, 100, np.zeros_like(exposure), exposure, gone), defects=tuple(defects))


def judged(one, end=108):
    trail = validity.extended(validity.no_trail(), FRAME, one, 100, end)
    found, words = validity.judge(ERRORS, trail, 0.95)
    return found, words, validity.completeness(trail.tally)


def test_a_whole_window_is_complete():
    assert judged(table()) == (Validity.OK, "", 1.0)


def test_one_lost_bin_of_a_canary_in_eight_is_less_than_nineteen_in_twenty():
    found, words, share = judged(table(lost=[("canary-0", 104)]))
    assert share == pytest.approx(15 / 16)
    assert found is Validity.INCOMPLETE
    assert "93%" in words


def test_the_least_complete_arm_counts_however_small_it_is():
    silent = [("canary-1", at) for at in range(100, 108)]
    found, _, share = judged(table(lost=silent))
    assert (found, share) == (Validity.INCOMPLETE, 0.5)


def test_a_few_lost_bins_of_many_stable_pods_do_no_harm():
    assert judged(table(lost=[("s0", 104), ("s5", 106)]))[0] is Validity.OK


def test_an_outage_is_forgotten_when_it_has_left_the_window():
    everybody = [(name, at) for name in NAMES for at in range(100, 104)]
    one = table(lost=everybody, bins=14)
    assert judged(one, end=106)[0] is Validity.INCOMPLETE
    assert judged(one, end=104)[0] is Validity.NO_DATA
    assert judged(one, end=112)[0] is Validity.OK


def test_a_silent_arm_that_is_scraped_is_complete():
    one = table()
    one.bins.exposure[10:] = 0.0
    assert judged(one)[0] is Validity.OK


def test_where_nobody_asks_anything_nothing_is_compared():
    found, words, share = judged(table(requests=0.0))
    assert (found, share) == (Validity.NO_DATA, 1.0)
    assert "no pod had a request" in words
    assert judged(table(requests=0.0), end=107)[0] is Validity.OK, "not yet a whole window"
    one = table(requests=0.0)
    one.bins.exposure[3, 7] = 1.0
    assert judged(one)[0] is Validity.OK


def test_slots_are_not_missed_before_they_are_warm():
    fresh = tuple(Unit(u.id, u.arm, u.node, 104) if u.arm is not Arm.STABLE else u for u in UNITS)
    frame = Frame(fresh, 100, (100,), 3, {}, frozenset(), None, 107, 4)
    cold = table(lost=[(u.id, at) for u in fresh[8:] for at in range(100, 108)])
    trail = validity.extended(validity.no_trail(), frame, cold, 100, 108)
    assert validity.completeness(trail.tally) == 1.0


def test_broken_telemetry_is_named_even_where_little_is_missing():
    defect = Defect(105, Validity.DUPLICATE_SERIES, "web-7")
    found, words, _ = judged(table(lost=[("s0", 105)], defects=[defect]))
    assert found is Validity.DUPLICATE_SERIES
    assert "web-7" in words


def test_a_guess_is_told_only_where_enough_is_missing():
    guess = Defect(105, Validity.LAYOUT_CHANGED, "web-7", certain=False)
    assert judged(table(lost=[("s0", 105)], defects=[guess]))[0] is Validity.OK
    assert judged(table(lost=[("canary-0", 105)], defects=[guess]))[0] is Validity.LAYOUT_CHANGED


def test_the_trail_is_the_same_however_the_bins_came():
    one = table(lost=[("canary-0", 104), ("s1", 101)], defects=[Defect(102, Validity.NOT_A_NUMBER, "p")])
    whole = validity.extended(validity.no_trail(), FRAME, one, 100, 108)
    part = validity.no_trail()
    for begin, end in ((100, 101), (101, 105), (105, 108)):
        part = validity.extended(part, FRAME, one, begin, end)
    assert part.tally.tobytes() == whole.tally.tobytes()
    assert part.code.tobytes() == whole.code.tobytes()
    assert part.pod == whole.pod


def test_history_counts_bins_in_which_half_of_the_stable_pods_were_seen():
    most = [(f"s{i}", 103) for i in range(5)]
    half = [(f"s{i}", 104) for i in range(4)]
    assert validity.history_bins(FRAME, table(lost=most + half), 100, 108) == 7


SCHEDULE = Schedule(100, 102, 0.2)


def share(table_, tally=None, state=None, end=108):
    whole = np.zeros((9, 3, 3)) if tally is None else tally
    return counted(state or ShareState(0, 100, 0.0, 0.0), table_, SCHEDULE, whole, end, 0.95)


def test_the_share_is_counted_from_the_end_of_the_blackout():
    found = share(ShareTable(100, np.full(8, 20.0), np.full(8, 100.0)))
    assert found == ShareState(102, 108, 120.0, 600.0)
    assert share_test(found, SCHEDULE, countable=True).ok is True


def test_a_bin_with_lost_requests_and_the_one_in_which_they_arrive_are_left_out():
    tally = np.zeros((9, 3, 3))
    tally[:, 2] = (20.0, 2.0, 0.0)
    tally[5, 2] = (10.0, 1.0, 1.0)  # bin 104
    requests = np.full(8, 20.0)
    requests[4], requests[5] = 10.0, 30.0
    found = share(ShareTable(100, requests, requests + 80.0), tally)
    assert (found.canary, found.total) == (80.0, 400.0)


def test_counting_begins_anew_when_weights_change():
    old = ShareState(50, 100, 999.0, 1000.0)
    assert share(ShareTable(100, np.full(8, 20.0), np.full(8, 100.0)), state=old).total == 600.0


def test_the_share_says_what_it_waits_for():
    few = share_test(ShareState(102, 108, 20.0, 150.0), SCHEDULE, countable=True)
    assert (few.ok, few.note) == (None, "150 of 200 requests seen since the weights changed")
    assert share_test(few_state(), Schedule(None, 0, 0.0), countable=True).ok is None
    assert "add latency or errors" in share_test(few_state(), SCHEDULE, countable=False).note


def test_the_share_of_workers_is_their_own_doing_as_long_as_the_canary_works():
    half = share_test(ShareState(102, 108, 100.0, 1000.0), SCHEDULE, countable=True, pulled=True)
    assert (half.ok, half.note) == (True, "")
    assert half.observed == 0.1
    idle = share_test(ShareState(102, 108, 0.0, 1000.0), SCHEDULE, countable=True, pulled=True)
    assert idle.ok is False
    assert idle.note == "the canary took none of 1000 jobs; see whether its pods read the queue"
    early = share_test(ShareState(102, 108, 0.0, 100.0), SCHEDULE, countable=True, pulled=True)
    assert early.ok is None


def few_state():
    return ShareState(102, 108, 0.0, 0.0)


def test_a_canary_that_gets_half_of_its_share_is_told():
    found = share_test(ShareState(102, 108, 100.0, 1000.0), SCHEDULE, countable=True)
    assert found.ok is False
    assert "10.00%" in found.note
    assert "20.00%" in found.note
