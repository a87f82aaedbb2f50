"""From pods and changes of weights to who counts when."""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.evidence.framing import Known, as_of, framing, history_start, moves
from causal_rollouts.evidence.timeline import schedule
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.registration import Registration, Stage, Times
from causal_rollouts.model.traffic import HOME, Change, Weights

GRID = Grid(10.0, 12.0, 5.0)
REG = Registration(
    "r", "shop", "web", 1, GRID, (Stage(50, 60, 600), Stage(250, 60, 600)), (),
    times=Times(history=600.0, warm_up=4, blackout=2),
)  # fmt: skip
START = Change(1003.0, 0, Weights(50, 50), "Shifting")
RISE = Change(1500.0, 1, Weights(250, 250), "Shifting")


def stable(name, ready=0.0, node="n1", deleted=None):
    return Pod(name, name, Arm.STABLE, name, node, "z", ready - 5.0, ready, deleted)


def slot(arm, ordinal, ready, node="n1", name="x", deleted=None):
    created = (ready or 0.0) - 9.0
    pod, place = f"{arm}-{ordinal}-{name}", f"{arm}-{ordinal}"
    return Pod(pod, f"u-{pod}", arm, place, node, "z", created, ready, deleted)


def at(now, pods=(), timeline=(START,), known=None):
    return framing(REG, tuple(pods), timeline, now, known or Known())


def test_a_stage_begins_with_the_first_whole_bin_under_its_weights():
    frame = at(200, timeline=(START, RISE))
    assert frame.t0 == 101
    assert frame.windows == (101, 150)


def test_a_stage_to_come_is_not_in_the_frame():
    assert at(149, timeline=(START, RISE)).windows == (101,)
    assert at(99).t0 is None
    assert at(100).windows == ()


def test_blackout_is_every_bin_that_the_time_after_a_change_touches():
    assert sorted(at(200, timeline=(START, RISE)).excluded) == [100, 101, 102, 150, 151]


def test_a_change_that_moves_no_weight_has_neither_blackout_nor_window():
    promote = Change(1600.0, 1, RISE.weights, "Promoting")
    frame = at(200, timeline=(START, RISE, promote))
    assert frame.windows == (101, 150)
    assert 160 not in frame.excluded
    assert frame.until_stable == 160
    assert at(159, timeline=(START, RISE, promote)).until_stable is None


def test_stable_pods_without_a_past_are_no_units():
    old, young = stable("old", 500.0), stable("young", 900.0)
    later, never = stable("later", 1200.0), replace(stable("never"), ready=None)
    assert [u.id for u in at(200, (young, old, later, never)).units] == ["old"]


def test_a_stable_pod_gone_before_the_first_stage_is_no_unit_and_one_gone_later_stays():
    before, after = stable("before", 0.0, deleted=950.0), stable("after", 0.0, deleted=1300.0)
    frame = at(200, (before, after))
    assert [(u.id, u.gone) for u in frame.units] == [("after", 130)]
    assert [(u.id, u.gone) for u in at(120, (before, after)).units] == [("after", None)]


def test_a_slot_is_one_unit_however_many_pods_it_had():
    first = slot(Arm.CANARY, 0, 950.0, node="n1", name="a", deleted=1200.0)
    second = slot(Arm.CANARY, 0, 1250.0, node="n2", name="b")
    frame = at(200, (second, first))
    assert [(u.id, u.ready, u.node) for u in frame.units] == [("canary-0", 95, "n2")]
    assert [u.node for u in at(124, (second, first)).units] == ["n1"]
    assert moves(GRID, (second, first), 100, 200) == (125,)
    assert moves(GRID, (second, first), 125, 200) == ()


def test_every_node_that_ever_had_a_ready_canary_is_exposed_from_then_on():
    early = slot(Arm.CANARY, 0, 950.0, node="n1", name="a", deleted=1200.0)
    moved = slot(Arm.CANARY, 0, 1250.0, node="n2", name="b")
    waiting = replace(slot(Arm.CANARY, 1, 1300.0, node="n3"), ready=None)
    beside = slot(Arm.BASELINE, 0, 950.0, node="n4")
    assert at(200, (early, moved, waiting, beside)).exposed == {"n1": 101, "n2": 125}
    assert at(110, (early, moved, waiting, beside)).exposed == {"n1": 101}


def test_units_keep_their_place_and_never_leave():
    pods = (stable("s", 0.0), slot(Arm.CANARY, 1, 950.0), slot(Arm.BASELINE, 0, 950.0))
    first = at(110, pods)
    known = Known(first.t0, first.units, tuple(first.exposed.items()))
    later = at(200, (slot(Arm.CANARY, 2, 1400.0), slot(Arm.BASELINE, 2, 1390.0)), known=known)
    assert [u.id for u in later.units] == ["s", "baseline-0", "canary-1", "baseline-2", "canary-2"]
    assert later.exposed["n1"] == 101


def test_what_is_known_of_the_future_is_not_used():
    told = at(120, (stable("s", 0.0), slot(Arm.CANARY, 0, 950.0)), (START,))
    pods = (stable("s", 0.0, deleted=1900.0), slot(Arm.CANARY, 0, 950.0), slot(Arm.CANARY, 1, 1400.0))
    assert at(120, pods, (START, RISE)) == told


def test_a_metric_that_lags_is_judged_by_the_windows_it_has_seen():
    frame = at(200, timeline=(START, RISE))
    assert as_of(frame, 140).windows == (101,)
    assert as_of(frame, 140).now == 140
    assert as_of(frame, 200) is frame


def test_the_share_is_tested_from_the_end_of_the_last_blackout():
    assert schedule(REG, (START, RISE), 1499.0) == schedule(REG, (START,), 1499.0)
    found = schedule(REG, (START, RISE), 1600.0)
    assert (found.stage_first, found.share_from, found.intended) == (150, 152, 0.25)


def test_weights_that_are_put_right_again_do_not_begin_the_stage_anew():
    lost, back = Change(1550.0, 1, HOME, "Shifting"), Change(1561.0, 1, RISE.weights, "Shifting")
    found = schedule(REG, (START, RISE, lost, back), 1700.0)
    assert (found.stage_first, found.share_from) == (150, 159)
    assert at(200, timeline=(START, RISE, lost, back)).windows == (101, 150)


def test_before_the_first_stage_nothing_is_in_force():
    found = schedule(REG, (Change(10.0, None, HOME),), 500.0)
    assert (found.stage_first, found.intended) == (None, 0.0)


def test_history_is_counted_back_from_the_first_stage():
    assert history_start(REG, 101) == 41
