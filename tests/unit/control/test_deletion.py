"""The rollout is deleted: traffic comes home, the arms go, and the target is left as it runs."""

import pytest

from causal_rollouts.adapters.kube import POD, REPLICA_SET
from tests.unit.control.stories import CLIMB, DEPLOYMENT, ROLLOUT, Story, during, tell

PHASES = CLIMB[:-1]


def fleet(story: Story) -> dict[str, int]:
    """Pods of the Deployment by version."""
    versions = [
        story.world._version(pod)
        for pod in story.world.api.stored(POD, "shop")
        if pod["metadata"]["labels"]["causalrollouts.dev/arm"] == "stable"
        and "deletionTimestamp" not in pod["metadata"]
    ]
    return {version: versions.count(version) for version in sorted(set(versions))}


@pytest.mark.parametrize(("phase", "stage"), PHASES)
@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_deleting_the_rollout_in_each_phase(phase: str, stage: int, propagation: str) -> None:
    story = during(phase, stage)
    story.run(4 if phase == "Promoting" else 0)
    held = story.weight
    story.delete(propagation=propagation)
    story.step()
    before = fleet(story)
    story.run(40)
    assert story.world.rollout() == {}
    assert story.at_home()
    assert max(story.canary[-2:]) <= max(held, 0)
    assert story.promises.raises == []
    after = fleet(story)
    assert after.get("good", 0) <= before.get("good", 0) + 1
    assert sum(after.values()) >= story.world.replicas
    left = [s["metadata"]["name"] for s in story.world.api.stored(REPLICA_SET, "shop")]
    assert not [name for name in left if name.startswith(("checkout-canary", "checkout-baseline"))]
    outcome = story.world.release()["outcome"]
    assert outcome == ("Promoted" if phase == "Finishing" else "Deleted")


def test_a_fleet_that_was_whole_is_not_paused_by_the_deletion() -> None:
    story = during("Baking", 1)
    story.delete()
    story.run(40)
    assert not story.world.target()["spec"].get("paused")
    assert fleet(story) == {"good": 10}


def test_a_roll_half_way_goes_no_further() -> None:
    story = during("Promoting", 1)
    story.run(5)
    story.delete()
    story.run(3)
    before = fleet(story)
    story.run(60)
    assert fleet(story) == before
    assert story.world.target()["spec"]["paused"] is True


def test_a_fleet_left_half_way_is_told_to_whoever_gates_it_again() -> None:
    story = during("Promoting", 1)
    story.run(5)
    gone = story.delete()
    story.run(60)
    story.world.api.add(ROLLOUT, "shop", {"metadata": {"name": "checkout"}, "spec": gone["spec"]}, "git")
    story.run(5)
    assert story.condition("Stalled")["reason"] == "NotReady"
    assert "paused half way between 2 versions" in story.condition("Stalled")["message"]
    story.request("v1")
    story.world.api.bypass.add("ann")
    story.edit(DEPLOYMENT, lambda target: target["spec"].pop("paused"), user="ann")
    assert story.run(60, until=lambda: fleet(story) == {"v1": 10})
    story.run(5)
    assert story.condition("Ready")["status"] == "True"


def test_what_a_rollout_left_that_lost_its_finalizer_by_force_is_put_away_before_the_next() -> None:
    story = during("Observing", 0)
    story.world.operator_down = True
    story.edit(ROLLOUT, lambda rollout: rollout["metadata"].pop("finalizers"))
    gone = story.delete()
    story.run(5)
    story.world.api.add(ROLLOUT, "shop", {"metadata": {"name": "checkout"}, "spec": gone["spec"]}, "git")
    story.world.operator_down = False
    assert story.run(10, until=lambda: story.weight == 0)
    assert story.run(60, until=lambda: story.weight == 100)
    slots = [s for s in story.world.api.stored(REPLICA_SET, "shop") if "checkout-1" in str(s["metadata"])]
    assert slots == []
    assert story.end() == "Promoted"
    assert story.at_home()


def test_deleting_the_target_ends_the_release_and_leaves_nothing() -> None:
    story = during("Observing", 1)
    story.promises.disturbed = True
    story.delete(DEPLOYMENT)
    story.run(40)
    assert story.world.release()["outcome"] == "Deleted"
    assert story.weight == 0
    assert [pod for pod in story.world.arm_pods() if pod] == []
    assert "there is no Deployment" in story.condition("Supported")["message"]


def test_deletion_at_rest_is_held_up_by_nothing() -> None:
    story = tell()
    story.delete()
    assert story.world.rollout() == {}
    story.run(70)
    assert story.world.errors == []


def test_deletion_waits_for_a_metrics_source_in_no_phase() -> None:
    story = during("Observing", 0)
    story.world.metrics.away = "no route to host"
    story.delete()
    story.run(20)
    assert story.world.rollout() == {}
    assert story.at_home()
