"""Weights that are not as they should be: not set yet, or set by somebody else."""

from dataclasses import replace

import pytest

from causal_rollouts.control.contest import advice, defend, last_move
from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.traffic import DISTURBED, HOME, RESCALED, Change, Weights
from tests.unit.control import sights
from tests.unit.control.sights import FIRST, NOW, SECOND, record, release, route, seen

ELSEWHERE = Weights(500, 0)
GRID = Grid(width=5.0, delay=6.0, scrape=2.5)


def routes(*found):
    return seen(traffic=sights.traffic(*found))


def unset(**changes):
    """The weights of the second stage are written down and not seen yet."""
    timeline = (*release().timeline, Change(NOW - 5, 1, SECOND, Phase.SHIFTING))
    desired = replace(release().desired, weights=SECOND)
    plain = release(phase=Phase.SHIFTING, stage=1, stage_since=None, timeline=timeline, desired=desired)
    return replace(plain, **changes)


@pytest.mark.parametrize("phase", [Phase.OBSERVING, Phase.PROMOTING, Phase.SHIFTING])
def test_weights_as_they_should_be_change_nothing(phase: Phase) -> None:
    assert defend(release(phase=phase), routes(route(FIRST)), GRID, NOW) == release(phase=phase)


@pytest.mark.parametrize("phase", [Phase.PREPARING, Phase.REVERTING, Phase.FINISHING])
def test_where_no_weight_is_at_stake_nothing_is_compared(phase: Phase) -> None:
    assert defend(release(phase=phase), routes(route(ELSEWHERE)), GRID, NOW) == release(phase=phase)


@pytest.mark.parametrize("found", [(route(FIRST),), (route(FIRST, "a"), route(SECOND, "b"))])
def test_a_shift_that_was_written_down_and_never_done_has_not_happened(found) -> None:
    after = defend(unset(), routes(*found), GRID, NOW)
    assert after.timeline == release().timeline
    assert after.desired.weights == FIRST
    assert after.usable
    assert after.contested == 0


def test_once_seen_in_force_it_has_and_somebody_undid_it() -> None:
    after = defend(unset(stage_since=NOW - 5), routes(route(FIRST)), GRID, NOW)
    assert after.contested == 1
    assert after.desired.weights == HOME


def test_weights_that_are_neither_were_set_by_somebody() -> None:
    assert defend(unset(), routes(route(ELSEWHERE)), GRID, NOW).contested == 1
    assert defend(unset(), routes(route(None)), GRID, NOW).contested == 1


def test_traffic_goes_home_and_every_bin_since_the_last_look_is_lost() -> None:
    after = defend(release(), routes(route(ELSEWHERE)), GRID, NOW)
    assert (after.phase, after.since, after.stage_since) == (Phase.SHIFTING, NOW, None)
    assert after.timeline[-2:] == (
        Change(NOW - 30, 0, ELSEWHERE, DISTURBED),
        Change(NOW, 0, HOME, Phase.SHIFTING),
    )
    assert not after.usable
    assert not after.share_ok


def test_a_pause_stays_a_pause() -> None:
    paused = release(phase=Phase.PAUSED, resume=Phase.OBSERVING)
    after = defend(paused, routes(route(ELSEWHERE)), GRID, NOW)
    assert (after.phase, after.resume, after.since) == (Phase.PAUSED, Phase.SHIFTING, paused.since)
    assert after.desired.weights == HOME


@pytest.mark.parametrize(
    "state", [{"phase": Phase.BAKING}, {"phase": Phase.PAUSED, "resume": Phase.PROMOTING}]
)
def test_while_the_fleet_rolls_they_are_set_again(state) -> None:
    after = defend(release(**state), routes(route(HOME)), GRID, NOW)
    assert after.phase is release(**state).phase
    assert after.desired.weights == FIRST
    assert after.timeline[-1] == Change(NOW, 0, FIRST, Phase.SHIFTING)
    assert not after.usable


def test_a_route_that_cannot_be_written_is_one_disturbance_and_not_many() -> None:
    state = defend(release(), routes(route(ELSEWHERE)), GRID, NOW)
    for second in range(1, 500):
        state = defend(state, routes(route(ELSEWHERE)), GRID, NOW + second)
    assert state.contested == 1
    assert len(state.timeline) == 3
    assert state.timeline[-1].time == NOW + 499


@pytest.mark.parametrize(("age", "contested"), [(5.0, 0), (36.0, 0), (37.0, 1)])
def test_a_switch_of_a_probe_is_made_up_for_only_while_it_is_fresh(age: float, contested: int) -> None:
    stage = (*release().timeline, Change(NOW - 90, 0, FIRST, Phase.SHIFTING))
    switched = Change(NOW - age, 0, FIRST, Phase.PROBING)
    probing = release(phase=Phase.PROBING, timeline=(*stage, switched))
    after = defend(probing, routes(route(HOME)), GRID, NOW)
    assert after.contested == contested
    assert after.desired.weights == (HOME if contested else FIRST)


def test_without_a_route_there_is_nothing_to_compare() -> None:
    nowhere = seen(traffic=replace(sights.traffic(), routes=()))
    assert defend(release(), nowhere, GRID, NOW) == release()
    assert defend(release(), seen(traffic=None), GRID, NOW) == release()


def test_the_last_move_is_of_weights_and_not_of_phases() -> None:
    assert last_move(()) == 0.0
    promoted = (*release().timeline, Change(NOW, 0, FIRST, Phase.PROMOTING))
    assert last_move(promoted) == release().timeline[0].time


def test_advice_is_given_for_each_route_with_its_port() -> None:
    contested = release(contested=3)
    two = routes(route(HOME, "a"), route(HOME, "b", kind="GRPCRoute", port=0))
    text = advice(contested, two)
    assert 'HTTPRoute "a"' in text
    assert "- {name: checkout-baseline, port: 80, weight: 0}" in text
    assert 'GRPCRoute "b"' in text
    assert "- {name: checkout-baseline, weight: 0}" in text
    assert advice(replace(contested, contested=2), two) == ""


def test_a_release_before_its_first_weights_has_nothing_to_defend() -> None:
    early = release(phase=Phase.SHIFTING, timeline=(), desired=replace(release().desired, weights=HOME))
    assert defend(early, routes(route(ELSEWHERE)), GRID, NOW) == early
    assert record(early).release == early


PODS, MORE_PODS = Weights.of_pods(1, 1, 2), Weights.of_pods(2, 1, 2)


def pod(arm: Arm, ordinal: int, weights: Weights | None = HOME, **changes):
    slot = Slot(arm, ordinal)
    return route(
        weights, f"checkout-{slot.id}-x", kind="Pod", form="Pods", slot=slot, arms_listed=False, **changes
    )


def by_pods(**changes):
    """In its first stage, one pod an arm."""
    timeline = (Change(NOW - 320, 0, PODS, Phase.SHIFTING),)
    return release(desired=replace(release().desired, weights=PODS), timeline=timeline, **changes)


BASE = pod(Arm.BASELINE, 0, PODS)


@pytest.mark.parametrize(
    "canaries",
    [
        (pod(Arm.CANARY, 0, PODS),),
        (pod(Arm.CANARY, 0, fresh=True),),
        (pod(Arm.CANARY, 0, PODS), pod(Arm.CANARY, 1, fresh=True)),
        (pod(Arm.CANARY, 0, PODS), pod(Arm.CANARY, 1)),
    ],
    ids=["as it should be", "its pod was replaced", "one comes for the next stage", "one was out before"],
)
def test_pods_that_stand_as_the_weights_say_are_nobodys_doing(canaries) -> None:
    assert defend(by_pods(), routes(BASE, *canaries), GRID, NOW) == by_pods()


@pytest.mark.parametrize(
    "canaries",
    [
        (pod(Arm.CANARY, 0),),
        (pod(Arm.CANARY, 0, None),),
        (pod(Arm.CANARY, 0, PODS), pod(Arm.CANARY, 1, PODS)),
    ],
    ids=["taken out", "told something else", "one too many"],
)
def test_pods_that_stand_otherwise_were_moved_by_somebody(canaries) -> None:
    after = defend(by_pods(), routes(BASE, *canaries), GRID, NOW)
    assert (after.contested, after.desired.weights) == (1, HOME)


def test_a_shift_of_pods_that_stopped_half_way_has_not_happened() -> None:
    rising = replace(
        by_pods(phase=Phase.SHIFTING, stage=1, stage_since=None),
        timeline=(*by_pods().timeline, Change(NOW - 5, 1, MORE_PODS, Phase.SHIFTING)),
        desired=replace(release().desired, weights=MORE_PODS),
    )
    seen = routes(pod(Arm.BASELINE, 0, MORE_PODS), pod(Arm.CANARY, 0, PODS), pod(Arm.CANARY, 1, fresh=True))
    after = defend(rising, seen, GRID, NOW)
    assert (after.contested, after.timeline, after.desired.weights) == (0, by_pods().timeline, PODS)


def test_a_rescaled_stage_that_stopped_half_way_is_nobodys_doing() -> None:
    eased = Weights.of_pods(1, 1, 4)
    rescaled = replace(
        by_pods(phase=Phase.SHIFTING),
        timeline=(*by_pods().timeline, Change(NOW - 5, 0, eased, RESCALED)),
        desired=replace(release().desired, weights=eased),
    )
    after = defend(rescaled, routes(BASE, pod(Arm.CANARY, 0, eased)), GRID, NOW)
    assert (after.contested, after.desired.weights) == (0, PODS)


def test_a_way_home_that_stopped_half_way_is_the_same_disturbance() -> None:
    moved = defend(by_pods(), routes(BASE, pod(Arm.CANARY, 0)), GRID, NOW)
    again = defend(moved, routes(pod(Arm.BASELINE, 0), pod(Arm.CANARY, 0, PODS)), GRID, NOW + 1)
    assert (again.contested, again.desired.weights) == (1, HOME)


def test_who_moves_pods_is_told_what_to_look_for() -> None:
    text = advice(by_pods(contested=3), routes(BASE))
    assert "causalrollouts.dev/traffic" in text
    assert "backendRefs" not in text
