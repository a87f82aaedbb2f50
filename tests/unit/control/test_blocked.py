"""Pods that cannot start for reasons of the cluster: the release waits, and is never blamed for it."""

from dataclasses import replace

import pytest

from causal_rollouts.adapters.kube import REPLICA_SET, ROLLOUT
from causal_rollouts.ports import Refused
from e2e.embedded.pods import Behaviour, by_environment
from tests.unit.control.stories import Story, during, tell

BLAME = {"CrashLoop", "NeverReady", "HarmProven", "NeighbourHarm", "BackendHarm"}


def no_room(pod) -> str:
    slot = pod["metadata"]["labels"].get("causalrollouts.dev/slot")
    return 'pods "x" is forbidden: exceeded quota: compute' if slot else ""


def room(_) -> str:
    return ""


def test_an_image_that_cannot_be_pulled_ends_blocked_without_blame() -> None:
    story = tell()
    story.request("missing")
    story.run(10)
    assert story.condition("Reconciling")["reason"] == "Blocked"
    assert "ErrImagePull" in story.condition("Reconciling")["message"]
    assert story.end(seconds=120) == "Blocked"
    assert not BLAME & set(story.reasons())
    assert story.canary == [0]
    assert story.at_home()
    assert story.condition("Stalled")["reason"] == "Blocked"


def test_a_registry_that_comes_back_late_is_not_held_against_the_candidate() -> None:
    story = tell(policy={"readyTimeout": "30s", "blockedTimeout": "5m"})
    story.request("missing", START_SECONDS="8")
    story.run(60)
    assert story.phase == "Shifting"
    story.world.controllers.behaviour_of = without_image_trouble
    assert story.goes_on()
    assert not BLAME & set(story.reasons())


def test_a_quota_that_refuses_pods_is_told_and_waited_for() -> None:
    story = tell(policy={"readyTimeout": "30s", "blockedTimeout": "5m"})
    story.world.controllers.refuse = no_room
    story.request("good")
    story.run(60)
    assert "exceeded quota" in story.condition("Reconciling")["message"]
    assert story.canary == [0]
    story.world.controllers.refuse = room
    assert story.goes_on()
    assert not BLAME & set(story.reasons())


def test_a_quota_that_stays_ends_blocked() -> None:
    story = tell()
    story.world.controllers.refuse = no_room
    story.request("good")
    assert story.end(seconds=120) == "Blocked"
    assert "exceeded quota" in story.world.release()["why"]
    assert story.at_home()


def test_what_the_api_server_refuses_is_said_in_its_words() -> None:
    story = tell()
    story.world.api.before = refusing_slots
    story.request("good")
    story.run(15)
    assert story.condition("Reconciling")["reason"] == "Refused"
    assert "denied by policy no-bare-sets" in story.condition("Reconciling")["message"]
    assert any("no-bare-sets" in error for error in story.world.errors), "the queue must hear of it, to wait"
    story.world.api.before = None
    assert story.goes_on()


def test_slots_that_are_refused_keep_no_weight_from_going_home() -> None:
    story: Story = during("Observing", 0)
    story.world.api.before = refusing_slots
    story.delete(REPLICA_SET, name="checkout-baseline-1")
    story.run(3)
    story.ask("abort")
    story.run(3)
    assert story.weight == 0
    assert story.end(seconds=60) == "Aborted"


def test_without_its_finalizer_a_release_does_nothing() -> None:
    """Deleting the rollout would leave the weights where they are."""
    story = during("Observing", 0)
    story.edit(ROLLOUT, lambda rollout: rollout["metadata"].pop("finalizers"))
    story.delete(REPLICA_SET, name="checkout-baseline-1", propagation="Orphan")
    story.world.api.before = refusing_the_finalizer
    story.run(5)
    assert story.world.api.find(REPLICA_SET, "shop", "checkout-baseline-1") is None
    story.world.api.before = None
    story.run(5)
    assert story.world.api.find(REPLICA_SET, "shop", "checkout-baseline-1") is not None
    assert story.world.rollout()["metadata"]["finalizers"] == ["causalrollouts.dev/traffic"]


def refusing_the_finalizer(call) -> None:
    if call.verb == "merge" and call.kind == "CausalRollout":
        raise Refused("denied by policy no-finalizers")


@pytest.mark.parametrize("arm", ["canary", "baseline"])
def test_an_operator_that_was_away_blames_nobody_for_pods_that_it_never_made(arm: str) -> None:
    """It stopped after it had written down the slots of a stage, and came back long after readyTimeout."""
    story = tell(policy={"readyTimeout": "10s"})
    story.world.controllers.behaviour_of = slower_to_start(arm)
    story.world.api.before = refusing_slots
    story.request("good")
    assert story.reach("Shifting", 0)
    story.world.operator_down = True
    story.run(300)
    story.world.api.before = None
    story.world.operator_down = False
    assert story.goes_on()
    assert not BLAME & set(story.reasons())


def refusing_slots(call) -> None:
    if call.verb == "create" and call.kind == "ReplicaSet" and call.user.endswith(":operator"):
        raise Refused("replicasets.apps is forbidden: denied by policy no-bare-sets")


def without_image_trouble(pod):
    return replace(by_environment(pod), image_error="")


def slower_to_start(arm: str):
    def behaviour(pod):
        slow = pod["metadata"]["labels"].get("causalrollouts.dev/arm") == arm
        return Behaviour(start=7.0 if slow else 2.0)

    return behaviour
