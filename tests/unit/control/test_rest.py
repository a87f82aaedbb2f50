"""What is done while no release runs."""

from dataclasses import replace

import pytest

from causal_rollouts.control.requests import carried_out, pointless
from causal_rollouts.control.rest import Rest, begin, next_release, rest, seed_of
from causal_rollouts.model import actions as act
from causal_rollouts.model.reasons import Outcome, Phase
from causal_rollouts.model.traffic import HOME, Weights
from causal_rollouts.ports import Requests
from tests.unit.control import sights
from tests.unit.control.sights import NOW, fleet, record, release, replica_set, rollout, route, seen


def at_rest(**changes):
    """The stable template runs, everything is at home."""
    plain = {
        "record": None,
        "rollout": rollout(held=False),
        "fleet": fleet(target=sights.target(paused=False, template_hash="old"), slots=()),
        "traffic": sights.traffic(route(HOME)),
    }
    return seen(**{**plain, **changes})


def asked(**changes):
    """A new template was requested."""
    return at_rest(fleet=fleet(slots=()), **changes)


def ended(outcome: Outcome, candidate: str = "new", *, since: float = NOW - 100, name: str = "checkout-1"):
    state = release(
        phase=Phase.DONE,
        outcome=outcome,
        candidate_hash=candidate,
        stable_hash="old",
        since=since,
        why="slower",
    )
    return record(state, name=name, final=True)


def test_at_rest_nothing_is_done() -> None:
    assert rest(at_rest(), NOW).rest is Rest.IDLE
    assert rest(at_rest(), NOW).actions == ()


def test_a_new_template_begins_a_release() -> None:
    assert rest(asked(), NOW).rest is Rest.BEGIN


@pytest.mark.parametrize("outcome", [Outcome.REVERTED, Outcome.ABORTED, Outcome.BLOCKED])
def test_a_template_that_failed_is_not_tried_again(outcome: Outcome) -> None:
    found = rest(asked(past=(ended(outcome),)), NOW)
    assert found.rest is Rest.FAILED_BEFORE
    assert "slower" in found.message


@pytest.mark.parametrize("outcome", [Outcome.WITHDRAWN, Outcome.SUPERSEDED, Outcome.DELETED])
def test_a_template_whose_release_only_made_room_is(outcome: Outcome) -> None:
    assert rest(asked(past=(ended(outcome),)), NOW).rest is Rest.BEGIN


def test_another_template_is_tried_though_the_last_failed() -> None:
    assert rest(asked(past=(ended(Outcome.REVERTED, "third"),)), NOW).rest is Rest.BEGIN


@pytest.mark.parametrize(
    ("retry", "begins"),
    [("true", True), ("ann:checkout-1", True), ("checkout-1", True), ("ann:checkout-9", False), ("", False)],
)
def test_retry_names_the_release_that_failed(retry: str, begins: bool) -> None:
    world = asked(past=(ended(Outcome.REVERTED),), rollout=rollout(requests=Requests(retry=retry)))
    assert (rest(world, NOW).rest is Rest.BEGIN) is begins


def test_what_the_last_promotion_replaced_is_let_through_while_the_window_lasts() -> None:
    running = (replica_set("new", 2), replica_set("old", 0))
    back = sights.target(template_hash="old")
    world = at_rest(fleet=fleet(target=back, replica_sets=running, slots=()), past=(ended(Outcome.PROMOTED),))
    found = rest(world, NOW)
    assert found.rest is Rest.GOING_BACK
    assert found.actions == (act.UnpauseTarget("checkout", "70"),)
    late = replace(world, past=(ended(Outcome.PROMOTED, since=NOW - 90_000),))
    assert rest(late, NOW).rest is Rest.BEGIN


def test_the_arm_label_alone_passes_the_gate_though_the_traffic_waits_for_it() -> None:
    labelled = fleet(target=sights.target(bare_hash="old"), slots=())
    found = rest(at_rest(fleet=labelled, problems=("Service: no arm label",)), NOW)
    assert found.rest is Rest.ADOPTING
    assert found.actions == (act.UnpauseTarget("checkout", "70"),)


@pytest.mark.parametrize("change", [{"bare_hash": "other"}, {"paused_in_git": True}, {"paused": False}])
def test_anything_else_is_no_adoption(change: dict[str, object]) -> None:
    labelled = fleet(target=sights.target(**{"bare_hash": "old", **change}), slots=())
    assert rest(at_rest(fleet=labelled), NOW).rest is not Rest.ADOPTING


def test_suspended_a_request_waits() -> None:
    world = asked()
    suspended = replace(world, resolved=replace(world.resolved, suspend=True))
    assert rest(suspended, NOW).rest is Rest.SUSPENDED


def test_two_versions_half_way_and_paused_are_told_and_left_alone() -> None:
    half = fleet(replica_sets=(replica_set("old", 1), replica_set("new", 1)), slots=())
    found = rest(at_rest(fleet=half), NOW)
    assert found.rest is Rest.NOT_READY
    assert "kubectl rollout resume deployment/checkout" in found.message
    assert found.actions == ()


def test_no_pods_at_all_is_a_first_install() -> None:
    empty = fleet(replica_sets=(), slots=())
    found = rest(at_rest(fleet=empty), NOW)
    assert found.rest is Rest.FIRST_INSTALL
    assert found.actions == (act.UnpauseTarget("checkout", "70"),)


def test_a_weight_that_is_away_at_rest_comes_home_before_a_slot_that_is_left_goes() -> None:
    stray = fleet(target=sights.target(paused=False, template_hash="old"))
    away = at_rest(fleet=stray, traffic=sights.traffic(route(Weights(100, 0))))
    assert rest(away, NOW).actions == (act.SetWeights("checkout", "HTTPRoute", "checkout", HOME, "30"),)
    home = at_rest(fleet=stray)
    assert [type(a) for a in rest(home, NOW).actions] == [act.DeleteSlot, act.DeleteSlot]


def test_no_release_begins_while_something_of_an_earlier_one_is_left() -> None:
    stray = at_rest(fleet=fleet())
    assert rest(stray, NOW).rest is Rest.TIDYING
    assert [type(a) for a in rest(stray, NOW).actions] == [act.DeleteSlot, act.DeleteSlot]
    away = asked(traffic=sights.traffic(route(Weights(100, 0))))
    assert rest(away, NOW).rest is Rest.TIDYING
    assert [type(a) for a in rest(away, NOW).actions] == [act.SetWeights]


@pytest.mark.parametrize(
    "wrong", [{"problems": ("x",)}, {"unsupported": ("x",)}, {"fleet": None}, {"resolved": None}]
)
def test_what_is_not_ready_is_not_touched(wrong) -> None:
    found = rest(at_rest(traffic=sights.traffic(route(Weights(100, 0))), **wrong), NOW)
    assert found.rest is Rest.NOT_READY
    assert found.actions == ()


def test_requests_at_rest_are_taken_away_so_that_they_strike_no_later_release() -> None:
    world = at_rest(rollout=rollout(requests=Requests(abort="true", pause="ann:checkout-9", retry="true")))
    assert {(a.annotation, a.value) for a in pointless(world, waiting=False)} == {
        ("causalrollouts.dev/abort", "true"),
        ("causalrollouts.dev/pause", "ann:checkout-9"),
        ("causalrollouts.dev/retry", "true"),
    }
    assert "causalrollouts.dev/retry" not in {a.annotation for a in pointless(world, waiting=True)}


@pytest.mark.parametrize(
    ("verb", "state", "done"),
    [
        ("pause", {"phase": Phase.PAUSED}, True),
        ("pause", {}, False),
        ("resume", {}, True),
        ("resume", {"phase": Phase.PAUSED}, False),
        ("abort", {"outcome": Outcome.ABORTED}, True),
        ("abort", {}, False),
        ("promote", {"phase": Phase.PROMOTING}, True),
        ("promote", {}, False),
        ("retry", {}, True),
    ],
)
def test_a_request_is_taken_away_when_its_effect_is_on_record(verb: str, state, done: bool) -> None:
    world = seen(rollout=rollout(requests=Requests(**{verb: "true"})))
    assert bool(carried_out(world, record(release(**state)))) is done


def test_a_request_for_another_release_is_taken_away() -> None:
    world = seen(rollout=rollout(requests=Requests(abort="ann:checkout-9")))
    assert [a.value for a in carried_out(world, record())] == ["ann:checkout-9"]


def test_deletion_takes_the_services_that_no_route_names_and_lets_go() -> None:
    leaving = rollout(deleting=True)
    quiet = sights.traffic(route(HOME, arms_listed=False))
    assert rest(at_rest(rollout=leaving, traffic=quiet), NOW).actions == (
        act.DeleteArmServices("checkout"),
        act.RemoveFinalizer(),
    )
    listed = sights.traffic(route(HOME, arms_listed=True))
    assert rest(at_rest(rollout=leaving, traffic=listed), NOW).actions == (act.RemoveFinalizer(),)


def test_releases_are_numbered_past_all_that_are_known() -> None:
    assert next_release("checkout", ()) == "checkout-1"
    assert next_release("checkout", ("checkout-2", "checkout-10", "checkout-odd")) == "checkout-11"


def test_the_seed_depends_on_the_release_and_on_nothing_else() -> None:
    assert seed_of("u1", "checkout-1") == seed_of("u1", "checkout-1") != seed_of("u1", "checkout-2")


def test_a_release_begins_with_what_was_seen() -> None:
    made = begin(asked(past=(ended(Outcome.REVERTED, "x"),)), "checkout-2", NOW, ())
    assert (made.release.candidate_hash, made.release.stable_hash) == ("new", "old")
    assert (made.release.stable_set, made.previous, made.release.replicas) == (
        "checkout-old",
        "checkout-1",
        2,
    )
    with pytest.raises(ValueError, match="one running ReplicaSet"):
        begin(at_rest(fleet=fleet(replica_sets=())), "checkout-2", NOW, ())
