"""What is done about the difference between what should be and what is."""

import pytest

from causal_rollouts.control.plan import plan
from causal_rollouts.model import actions as act
from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.reasons import Outcome, Phase
from causal_rollouts.model.release import Desired
from causal_rollouts.model.traffic import HOME, Weights
from tests.unit.control import sights
from tests.unit.control.sights import FIRST, SLOTS, fleet, record, release, replica_set, rollout, route, seen

GOING_HOME = Desired(weights=HOME, slots=sights.planned(), services=True)
UNDOING = Desired(weights=HOME, slots=(), services=True, undo=True)


def kinds(record_, observed) -> list[str]:
    return [type(action).__name__ for action in plan(record_, observed)]


def test_nothing_is_done_when_the_world_is_as_it_should_be() -> None:
    assert plan(record(), seen()) == ()


def test_each_route_that_differs_is_set_under_the_version_that_was_seen() -> None:
    routes = sights.traffic(route(HOME, "a", version="31"), route(FIRST, "b"))
    assert plan(record(), seen(traffic=routes)) == (
        act.SetWeights("checkout", "HTTPRoute", "a", FIRST, "31"),
    )


def test_the_finalizer_comes_before_every_effect() -> None:
    found = kinds(record(), seen(rollout=rollout(held=False), fleet=fleet(slots=())))
    assert found[0] == "AddFinalizer"
    assert found[1:] == ["CreateSlot", "CreateSlot"]


def test_a_rollout_that_is_being_deleted_gets_no_finalizer() -> None:
    assert kinds(record(), seen(rollout=rollout(held=False, deleting=True))) == []


def test_canary_slots_get_the_candidate_and_baseline_slots_the_stable_template() -> None:
    made = [a for a in plan(record(), seen(fleet=fleet(slots=()))) if isinstance(a, act.CreateSlot)]
    assert {(a.slot.arm, a.template_hash, *a.template) for a in made} == {
        (Arm.CANARY, "new", "new"),
        (Arm.BASELINE, "old", "old"),
    }
    assert {(a.record, a.record_uid, a.node) for a in made} == {("checkout-1", "r1", "node1")}


@pytest.mark.parametrize(
    "routes",
    [
        sights.traffic(),
        sights.traffic(route(HOME), route(FIRST, "b")),
        sights.traffic(route(HOME, accepted=False)),
    ],
)
def test_no_slot_goes_while_a_route_or_a_gateway_may_still_send_to_it(routes) -> None:
    leaving = release(phase=Phase.REVERTING, outcome=Outcome.REVERTED, desired=Desired(services=True))
    assert "DeleteSlot" not in kinds(record(leaving), seen(traffic=routes))


def test_slots_go_when_all_weights_are_seen_at_home() -> None:
    leaving = release(phase=Phase.REVERTING, outcome=Outcome.REVERTED, desired=Desired(services=True))
    assert kinds(record(leaving), seen(traffic=sights.traffic(route(HOME)))) == ["DeleteSlot", "DeleteSlot"]


def test_a_release_that_leaves_makes_no_pod_and_no_service() -> None:
    leaving = release(phase=Phase.REVERTING, outcome=Outcome.ABORTED, desired=GOING_HOME)
    world = seen(fleet=fleet(slots=()), traffic=sights.traffic(arm_services=False))
    assert kinds(record(leaving), world) == ["SetWeights"]


def test_slots_of_a_target_that_is_gone_go_too() -> None:
    leaving = release(phase=Phase.REVERTING, outcome=Outcome.DELETED, desired=Desired(services=True))
    left = tuple(sights.slot_state(slot) for slot in SLOTS)
    world = seen(fleet=None, left=left, traffic=sights.traffic(route(HOME)))
    assert plan(record(leaving), world) == tuple(act.DeleteSlot(s.slot, s.name) for s in left)


def test_only_the_candidate_is_let_through_and_only_as_it_was_seen() -> None:
    rolling = release(
        phase=Phase.PROMOTING, desired=Desired(FIRST, sights.planned(), roll=True, services=True)
    )
    assert plan(record(rolling), seen()) == (act.UnpauseTarget("checkout", "70"),)
    newer = fleet(target=sights.target(template_hash="newer"))
    assert plan(record(rolling), seen(fleet=newer)) == ()


@pytest.mark.parametrize("phase", [Phase.OBSERVING, Phase.PAUSED, Phase.REVERTING])
def test_a_target_that_runs_on_is_paused(phase: Phase) -> None:
    state = release(phase=phase, outcome=Outcome.ABORTED if phase is Phase.REVERTING else None)
    running = fleet(target=sights.target(paused=False))
    assert kinds(record(state), seen(fleet=running))[0] == "PauseTarget"


def test_a_deletion_pauses_what_is_half_way_and_nothing_else() -> None:
    gone = release(phase=Phase.REVERTING, outcome=Outcome.DELETED, desired=GOING_HOME)
    running = sights.target(paused=False)
    half = fleet(target=running, replica_sets=(replica_set("old", 1), replica_set("new", 1)))
    whole = fleet(target=running, replica_sets=(replica_set("old", 0), replica_set("new", 2)))
    barely = fleet(target=running, replica_sets=(replica_set("old", 2), replica_set("new", 0)))
    assert "PauseTarget" in kinds(record(gone), seen(fleet=half))
    assert "PauseTarget" not in kinds(record(gone), seen(fleet=whole))
    assert "PauseTarget" in kinds(record(gone), seen(fleet=barely)), "it was to begin any moment"


def undoing(*sets, **changes) -> list[act.Action]:
    state = release(phase=Phase.REVERTING, outcome=Outcome.REVERTED, desired=UNDOING)
    world = seen(fleet=fleet(replica_sets=sets, slots=(), **changes), traffic=sights.traffic(route(HOME)))
    return list(plan(record(state), world))


def test_an_undo_waits_until_the_target_is_paused() -> None:
    found = undoing(replica_set("old", 1), replica_set("new", 1), target=sights.target(paused=False))
    assert [type(a).__name__ for a in found] == ["PauseTarget"]


def test_an_undo_takes_empty_sets_first_and_leaves_serving_pods_as_orphans() -> None:
    found = undoing(replica_set("new", 1), replica_set("older", 0), replica_set("old", 1))
    assert found == [
        act.DeleteReplicaSet("checkout-older", "uid-older", orphan=False),
        act.DeleteReplicaSet("checkout-new", "uid-new", orphan=True),
    ]


def test_an_undo_before_the_first_new_pod_keeps_the_history_of_the_target() -> None:
    found = undoing(replica_set("new", 0), replica_set("older", 0), replica_set("old", 2))
    assert found == [act.DeleteReplicaSet("checkout-new", "uid-new", orphan=False)]


def test_orphans_go_only_when_stable_is_whole_again() -> None:
    assert undoing(replica_set("old", 2, ready=1), orphans=("p1",)) == []
    assert undoing(replica_set("old", 2), orphans=("p1", "p2")) == [act.DeletePod("p1"), act.DeletePod("p2")]


def test_a_stable_set_that_was_pruned_is_made_again_from_the_record() -> None:
    found = undoing(replica_set("new", 2))
    assert found[-1] == act.RestoreStableSet("checkout-old", {"old": True}, 2, "checkout", "d1")


def test_a_revert_that_would_overload_stable_takes_the_canary_off_first() -> None:
    state = release(phase=Phase.REVERTING, outcome=Outcome.REVERTED, desired=GOING_HOME)
    weak = fleet(replica_sets=(replica_set("old", 2, ready=1),))
    found = plan(record(state), seen(fleet=weak))
    assert [a.weights for a in found if isinstance(a, act.SetWeights)] == [Weights(0, 100)]
    alone = fleet(replica_sets=weak.replica_sets, slots=(sights.slot_state(Slot(Arm.CANARY, 0)),))
    found = plan(record(state), seen(fleet=alone))
    assert [a.weights for a in found if isinstance(a, act.SetWeights)] == [HOME], "no baseline could help"
