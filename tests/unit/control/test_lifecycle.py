"""From one state and one decision to the next state."""

from dataclasses import replace

import pytest

from causal_rollouts.control import leaving, lifecycle
from causal_rollouts.control.lifecycle import Step, progress
from causal_rollouts.control.rise import fresh, waits_for
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Verdict
from causal_rollouts.model.release import Desired
from causal_rollouts.model.traffic import HOME, Change
from tests.unit.control import sights
from tests.unit.control.sights import (
    FIRST,
    NOW,
    SECOND,
    fleet,
    registration,
    release,
    replica_set,
    route,
    seen,
)


def step(now: float = NOW, **changes) -> Step:
    return Step(registration(), seen(**changes), now)


def hold(reason: Reason) -> Decision:
    return Decision(Verdict.INCONCLUSIVE, Act.HOLD, reason, "because")


def act(what: Act, **more) -> Decision:
    return Decision(Verdict.SAFE, what, Reason.SAFETY_PROVEN, "because", **more)


def test_a_stage_asks_for_its_slots_and_keeps_the_weights() -> None:
    after = progress(release(), act(Act.ADVANCE), step())
    assert (after.phase, after.stage, after.stage_since) == (Phase.SHIFTING, 1, None)
    assert after.desired.weights == FIRST
    assert {p.slot.id for p in after.desired.slots} >= {"canary-0", "baseline-0"}
    assert after.timeline == release().timeline


def shifting(**changes):
    return release(phase=Phase.SHIFTING, stage=1, stage_since=None, **changes)


def test_weights_follow_when_pods_are_ready_and_the_window_is_fresh() -> None:
    after = progress(shifting(), hold(Reason.WAITING_FOR_TRAFFIC), step())
    assert after.desired.weights == SECOND
    assert after.timeline[-1] == Change(NOW, 1, SECOND, Phase.SHIFTING)
    assert not after.share_ok


@pytest.mark.parametrize(
    ("state", "world"),
    [
        ({"usable": False}, {}),
        ({"looked": NOW - 500}, {}),
        ({"looked": None}, {}),
        ({}, {"fleet": fleet(slots=())}),
        ({}, {"fleet": fleet(slots=tuple(sights.slot_state(s, ready=False) for s in sights.SLOTS))}),
        ({}, {"traffic": sights.traffic(endpoints={Arm.BASELINE: 1})}),
        ({}, {"fleet": fleet(replica_sets=(replica_set("old", 2, ready=0),))}),
        ({}, {"fleet": None}),
        ({}, {"traffic": None}),
    ],
    ids=[
        "invalid",
        "old",
        "never looked",
        "no slots",
        "not ready",
        "no endpoints",
        "no capacity",
        "gone",
        "no Service",
    ],
)
def test_weights_do_not_follow_otherwise(state, world) -> None:
    before = shifting(**state)
    assert progress(before, hold(Reason.WAITING_FOR_TRAFFIC), step(**world)) == before


@pytest.mark.parametrize(
    "reason",
    [Reason.INVALID_SPEC, Reason.SUSPENDED, Reason.BLOCKED, Reason.PROVIDER_ERROR, Reason.SHARE_MISMATCH],
)
def test_a_hold_for_another_reason_stops_the_machine_too(reason: Reason) -> None:
    before = shifting()
    assert progress(before, hold(reason), step()) == before


def with_weights_set(**changes):
    """The weights of the second stage are written down."""
    timeline = (*release().timeline, Change(NOW - 5, 1, SECOND, Phase.SHIFTING))
    return shifting(desired=replace(release().desired, weights=SECOND), timeline=timeline, **changes)


def test_a_stage_is_observed_when_traffic_was_seen_to_follow() -> None:
    set_ = with_weights_set(share_ok=False)
    there = step(traffic=sights.traffic(route(SECOND)))
    after = progress(set_, hold(Reason.WAITING_FOR_TRAFFIC), there)
    assert (after.phase, after.stage_since) == (Phase.SHIFTING, set_.timeline[-1].time)
    after = progress(replace(after, share_ok=True), hold(Reason.WAITING_FOR_TRAFFIC), there)
    assert after.phase is Phase.OBSERVING


def test_a_stage_is_not_observed_before_the_gateway_took_the_route() -> None:
    set_ = with_weights_set()
    untaken = step(traffic=sights.traffic(route(SECOND, accepted=False)))
    assert progress(set_, hold(Reason.WAITING_FOR_TRAFFIC), untaken) == set_


def test_a_window_is_fresh_for_three_looks() -> None:
    grid = registration().grid
    limit = 6 * grid.width + grid.delay
    assert fresh(release(looked=NOW - limit), grid, NOW)
    assert not fresh(release(looked=NOW - limit - 1), grid, NOW)


def promoting(**changes):
    desired = replace(release().desired, roll=True)
    return release(phase=Phase.PROMOTING, stage=1, desired=desired, **changes)


@pytest.mark.parametrize(
    ("state", "reason", "rolls"),
    [
        ({}, Reason.ROLLING_OUT, True),
        ({"usable": False}, Reason.ROLLING_OUT, False),
        ({"usable": False}, Reason.PROVIDER_ERROR, False),
        ({}, Reason.SUSPENDED, False),
        ({"looked": NOW - 500}, Reason.ROLLING_OUT, False),
        ({}, Reason.BLOCKED, True),
    ],
)
def test_the_fleet_rolls_only_while_the_gate_sees(state, reason: Reason, rolls: bool) -> None:
    assert progress(promoting(**state), hold(reason), step()).desired.roll is rolls


def rolled(**changes):
    whole = sights.target(paused=False, updated=2, available=2)
    return fleet(
        target=replace(whole, **changes), replica_sets=(replica_set("old", 0), replica_set("new", 2))
    )


def test_baking_begins_when_the_whole_fleet_is_new_and_available() -> None:
    after = progress(promoting(), hold(Reason.ROLLING_OUT), step(fleet=rolled()))
    assert after.phase is Phase.BAKING


@pytest.mark.parametrize(
    "changes",
    [
        {"updated": 1},
        {"available": 1},
        {"observed_generation": 2},
        {"template_hash": "other"},
        {"paused": True},
    ],
)
def test_baking_does_not_begin_before(changes) -> None:
    after = progress(promoting(), hold(Reason.ROLLING_OUT), step(fleet=rolled(**changes)))
    assert after.phase is Phase.PROMOTING


def test_a_bake_ends_on_a_fresh_window_only() -> None:
    baking = release(phase=Phase.BAKING, since=NOW - 601)
    assert progress(baking, hold(Reason.BAKING), step()).phase is Phase.FINISHING
    blind = replace(baking, usable=False)
    assert progress(blind, hold(Reason.BAKING), step()).phase is Phase.BAKING
    young = replace(baking, since=NOW - 599)
    assert progress(young, hold(Reason.BAKING), step()).phase is Phase.BAKING


def test_the_clock_stands_from_the_first_blind_look_to_the_first_that_sees() -> None:
    blind = progress(release(), hold(Reason.NO_DATA), step(NOW))
    between = progress(blind, hold(Reason.BETWEEN_LOOKS), step(NOW + 30))
    assert between.invalid_since == NOW
    again = progress(between, hold(Reason.GATHERING_EVIDENCE), step(NOW + 90))
    assert (again.invalid_since, again.invalid_seconds) == (None, 90.0)


@pytest.mark.parametrize("phase", [Phase.PROMOTING, Phase.BAKING])
def test_a_pause_stops_a_roll_and_a_resume_goes_on_with_it(phase: Phase) -> None:
    pause = Decision(Verdict.CONTAMINATED, Act.PAUSE, Reason.CONTAMINATED, "odd against even")
    rolling = release(phase=phase, desired=replace(release().desired, roll=True))
    paused = progress(rolling, pause, step())
    assert (paused.phase, paused.resume, paused.desired.roll) == (Phase.PAUSED, phase, False)
    assert paused.desired.weights == FIRST
    again = lifecycle.resume(paused, step(NOW + 60))
    assert (again.phase, again.resume, again.desired.roll) == (phase, None, True)


def test_a_second_pause_does_not_forget_what_the_first_interrupted() -> None:
    pause = Decision(Verdict.INCONCLUSIVE, Act.PAUSE, Reason.PAUSED_BY_USER, "ann asked to pause")
    once = progress(release(), pause, step())
    assert progress(once, pause, step(NOW + 5)) == once


def test_a_pause_is_not_counted_against_the_stage() -> None:
    paused = release(phase=Phase.PAUSED, resume=Phase.OBSERVING, since=NOW, invalid_seconds=20.0)
    again = lifecycle.resume(paused, step(NOW + 1000))
    assert again.invalid_seconds == pytest.approx(1020.0)


def test_a_blind_time_before_the_pause_is_not_counted_either() -> None:
    paused = release(phase=Phase.PAUSED, resume=Phase.OBSERVING, since=NOW, invalid_since=NOW - 50)
    again = lifecycle.resume(paused, step(NOW + 1000))
    assert (again.invalid_since, again.invalid_seconds) == (None, pytest.approx(1050.0))


def test_a_stage_that_ran_out_of_time_gets_all_of_it_again() -> None:
    paused = release(phase=Phase.PAUSED, resume=Phase.OBSERVING, since=NOW, stage_since=NOW - 1800)
    again = lifecycle.resume(paused, step(NOW + 10))
    assert again.invalid_seconds == pytest.approx(1810.0)


def test_pods_that_can_start_again_get_their_time_anew() -> None:
    blocked = lifecycle.note_blocked(shifting(), "no room", NOW)
    assert blocked.blocked_since == NOW
    assert lifecycle.note_blocked(blocked, "no room", NOW + 5) == blocked
    free = lifecycle.note_blocked(blocked, "", NOW + 90)
    assert (free.blocked_since, free.since) == (None, NOW + 90)


def test_what_a_shift_waits_for_is_named() -> None:
    late = seen(fleet=fleet(slots=(sights.slot_state(sights.SLOTS[0]),)))
    reason, because = waits_for(shifting(), registration(), late)
    assert reason is Reason.WAITING_FOR_PODS
    assert "baseline-0" in because
    assert "canary-0" not in because
    unseen = seen(traffic=sights.traffic(endpoints={Arm.BASELINE: 1, Arm.CANARY: 0}))
    assert "endpoints of canary" in waits_for(shifting(), registration(), unseen)[1]
    assert waits_for(shifting(), registration(), seen()) is None
    assert waits_for(release(), registration(), late) is None


def revert(outcome: Outcome = Outcome.REVERTED) -> Decision:
    return Decision(Verdict.HARM, Act.REVERT, Reason.HARM_PROVEN, "slower", outcome)


@pytest.mark.parametrize(
    ("state", "outcome", "undo"),
    [
        ({}, Outcome.REVERTED, False),
        ({"phase": Phase.PROMOTING}, Outcome.REVERTED, True),
        ({"phase": Phase.BAKING}, Outcome.SUPERSEDED, True),
        ({"phase": Phase.PAUSED, "resume": Phase.PROMOTING}, Outcome.ABORTED, True),
        ({"phase": Phase.PAUSED, "resume": Phase.OBSERVING}, Outcome.ABORTED, False),
        ({"phase": Phase.PROMOTING}, Outcome.DELETED, False),
        ({"phase": Phase.PROMOTING}, Outcome.BYPASSED, False),
    ],
)
def test_only_what_had_begun_to_roll_is_undone(state, outcome: Outcome, undo: bool) -> None:
    after = progress(release(**state), revert(outcome), step())
    assert after.phase is Phase.REVERTING
    assert after.desired.weights == HOME
    assert after.desired.undo is undo
    assert after.desired.slots == release().desired.slots


def reverting(**changes):
    desired = changes.pop("desired", replace(release().desired, weights=HOME))
    plain = {"phase": Phase.REVERTING, "outcome": Outcome.REVERTED, "since": NOW - 60, "home_since": NOW - 50}
    return release(desired=desired, **{**plain, **changes})


def test_arms_go_after_weights_were_seen_at_home_for_as_long_as_requests_last() -> None:
    at_home = seen(traffic=sights.traffic(route(HOME)))
    late = leaving.clean_up(reverting(home_since=None), at_home, NOW)
    assert late == reverting(home_since=NOW)
    assert leaving.clean_up(late, at_home, NOW + 4) == late
    assert leaving.clean_up(late, at_home, NOW + 5).desired.slots == ()


def test_weights_that_somebody_moves_away_again_begin_the_wait_anew() -> None:
    assert leaving.clean_up(reverting(), seen(), NOW) == reverting(home_since=None)


def test_a_release_is_done_when_nothing_of_it_is_left() -> None:
    empty = reverting(desired=Desired(services=True))
    home = sights.traffic(route(HOME))
    assert leaving.clean_up(empty, seen(traffic=home), NOW) == empty
    assert leaving.clean_up(empty, seen(traffic=home, fleet=fleet(slots=())), NOW).phase is Phase.DONE
    left = seen(traffic=home, fleet=None, left=(sights.slot_state(sights.SLOTS[0]),))
    assert leaving.clean_up(empty, left, NOW) == empty
    assert leaving.clean_up(empty, seen(traffic=home, fleet=None), NOW).phase is Phase.DONE


@pytest.mark.parametrize(
    ("sets", "orphans", "done"),
    [
        ((replica_set("old", 2),), (), True),
        ((replica_set("old", 2, ready=1),), (), False),
        ((replica_set("old", 2),), ("p",), False),
        ((replica_set("old", 2), replica_set("new", 0)), (), False),
        ((replica_set("old", 2), replica_set("third", 1)), (), False),
        ((replica_set("old", 2), replica_set("older", 0)), (), True),
        ((), (), False),
    ],
)
def test_an_undo_is_done_when_the_fleet_is_the_stable_one_whole(sets, orphans, done: bool) -> None:
    empty = reverting(desired=Desired(services=True, undo=True))
    world = seen(
        traffic=sights.traffic(route(HOME)), fleet=fleet(slots=(), replica_sets=sets, orphans=orphans)
    )
    assert (leaving.clean_up(empty, world, NOW).phase is Phase.DONE) is done
