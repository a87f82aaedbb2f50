"""When something is watched: a pre-period, nothing while pods are replaced, then the stages."""

import pytest

from causal_rollouts.evidence.framing import Known, framing
from causal_rollouts.evidence.timeline import FOREVER, first_move, pre_period, schedule, watched_from
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.registration import Registration, Stage, Times
from causal_rollouts.model.traffic import HOME, Change, Weights

GRID = Grid(10.0, 12.0, 5.0)
REG = Registration(
    "r", "shop", "web", 1, GRID, (Stage(50, 60, 600),), (), times=Times(history=600.0)
)  # fmt: skip
FIRST = Weights(50, 50)
UP = Change(1003.0, None, FIRST, "PrePeriod")
HOMEWARD = Change(1403.0, None, HOME, "Replacing")
STAGE = Change(1452.0, 0, FIRST, "Shifting")
TIMELINE = (UP, HOMEWARD, STAGE)


@pytest.mark.parametrize(
    ("now", "start"), [(100, None), (101, 101), (140, 101), (141, None), (145, None), (146, 146), (200, 146)]
)
def test_what_is_watched_at_a_bin(now, start):
    assert watched_from(GRID, TIMELINE, now) == start


def test_a_pre_period_lies_between_its_two_moves_and_is_known_once_it_is_the_past():
    assert pre_period(GRID, TIMELINE, 200) == (101, 140)
    assert pre_period(GRID, TIMELINE, 145) is None
    assert pre_period(GRID, (STAGE,), 200) is None


def test_a_pre_period_that_begins_anew_counts_from_there():
    again = Change(1203.0, None, FIRST, "PrePeriod")
    assert watched_from(GRID, (UP, again), 130) == 121
    assert pre_period(GRID, (UP, again, HOMEWARD, STAGE), FOREVER) == (121, 140)


def test_the_frame_says_that_the_arms_are_twins_and_later_what_they_were():
    twins = framing(REG, (), TIMELINE, 130, Known())
    assert (twins.t0, twins.windows, twins.twins, twins.before) == (101, (101,), True, None)
    between = framing(REG, (), TIMELINE, 143, Known())
    assert (between.t0, between.twins) == (None, False)
    later = framing(REG, (), TIMELINE, 160, Known())
    assert (later.t0, later.windows, later.twins, later.before) == (146, (146,), False, (101, 140))


def test_what_was_known_of_twins_does_not_hold_for_the_release():
    known = Known(t0=101)
    assert known.holds(GRID, TIMELINE, 140)
    assert not known.holds(GRID, TIMELINE, 141)
    assert not known.holds(GRID, TIMELINE, 150)
    assert Known(t0=146).holds(GRID, TIMELINE, 150)


def test_the_share_is_tested_in_a_pre_period_too():
    assert schedule(REG, TIMELINE, 1200.0).stage_first == 101
    assert schedule(REG, TIMELINE, 1200.0).intended == pytest.approx(0.05)
    assert schedule(REG, TIMELINE, 1420.0).stage_first is None
    assert schedule(REG, TIMELINE, 1500.0).stage_first == 146


def test_arms_are_there_from_the_first_move_on():
    assert first_move(GRID, TIMELINE) == 101
    assert first_move(GRID, (Change(5.0, None, HOME),)) is None
