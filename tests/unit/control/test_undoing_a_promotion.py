"""A harm that shows only while the fleet rolls: the promotion is undone, and ready pods never fall short."""

import pytest

from causal_rollouts.adapters.kube import DEPLOYMENT, POD, REPLICA_SET
from causal_rollouts.analysis.simulation.climate import Harm
from e2e.embedded.pods import Behaviour
from tests.unit.control.stories import Story, during, tell


def turned_bad(*, onset: float, start: str, bake: str) -> Story:
    """A release whose version is harmless until `onset` seconds after its first pod was ready."""
    story = tell(policy={"bake": bake})
    story.world.harms = {"late": Harm(slower=0.9, onset=onset)}
    story.request("late", START_SECONDS=start)
    return story


def orphans(story: Story) -> int:
    return sum(not pod["metadata"].get("ownerReferences") for pod in story.world.api.stored(POD, "shop"))


def test_harm_in_mid_roll_gives_the_fleet_back_without_a_dip() -> None:
    story = turned_bad(onset=95, start="6", bake="20s")
    assert story.reach("Promoting")
    assert story.run(60, until=lambda: len(story.world.versions()) == 2)
    served_by_orphans = 0
    while story.phase in {"Promoting", "Reverting"}:
        story.step()
        served_by_orphans = max(served_by_orphans, orphans(story))
    assert story.end() == "Reverted"
    assert "latency" in story.world.release()["why"]
    assert served_by_orphans > 0
    assert story.world.versions() == {"v1"}
    assert story.at_home()
    assert story.world.target()["spec"]["paused"] is True
    assert [rs["spec"]["replicas"] for rs in story.world.api.stored(REPLICA_SET, "shop")] == [10]


def test_harm_while_baking_gives_back_a_fleet_that_was_already_new() -> None:
    story = turned_bad(onset=110, start="2", bake="120s")
    assert story.reach("Baking")
    story.run(3)
    assert story.world.versions() == {"late"}
    assert story.end() == "Reverted"
    assert story.world.versions() == {"v1"}
    assert story.at_home()


def test_it_works_where_no_old_replica_set_is_kept() -> None:
    story = tell(policy={"bake": "60s"})
    story.edit(DEPLOYMENT, lambda target: target["spec"].update(revisionHistoryLimit=0))
    story.request("good")
    assert story.reach("Baking")
    story.run(5)
    assert len(sets(story)) == 1, "the stable set was to be pruned"
    story.ask("abort")
    assert story.end(seconds=120) == "Aborted"
    assert story.world.versions() == {"v1"}
    assert len(sets(story)) == 1


def test_old_sets_are_not_started_instead_of_the_stable_one() -> None:
    story = during("Done", 1)
    story.run(5)
    story.request("better")
    assert story.reach("Promoting")
    story.run(6)
    story.ask("abort")
    assert story.end(seconds=120) == "Aborted"
    assert story.world.versions() == {"good"}


def test_a_set_of_a_third_version_does_not_keep_an_undo_from_ending() -> None:
    """Somebody took the gate away, so a newer template gets pods in mid-promotion."""
    story = during("Promoting", 1)
    story.run(5)
    story.world.api.bypass.add("ann")
    story.edit(DEPLOYMENT, _ungated, user="ann")
    story.world.operator_down = True
    story.edit(DEPLOYMENT, _newer)
    story.run(4)
    assert len(story.world.versions()) == 3
    story.world.operator_down = False
    assert story.run(120, until=lambda: story.world.records()[0]["status"]["final"])
    assert story.world.records()[0]["status"]["release"]["outcome"] == "Superseded"
    assert story.world.versions() == {"v1"}


def test_new_pods_of_the_fleet_that_crash_undo_the_promotion_at_once() -> None:
    """They ran well as canaries; with more of them the database has no connection left."""
    story = during("Promoting", 1)
    canaries = set(story.world.arm_pods())
    story.world.controllers.behaviour_of = lambda pod: (
        Behaviour(start=6.0, crash_after=4.0)
        if story.world._version(pod) == "good" and pod["metadata"]["name"] not in canaries
        else Behaviour()
    )
    assert story.end(seconds=150) == "Reverted"
    assert "new pods of the fleet crash" in story.world.release()["why"]
    assert "CrashLoop" in story.reasons()
    assert story.world.versions() == {"v1"}
    assert story.at_home()


def test_a_fleet_whose_old_pods_crash_as_well_is_not_blamed_on_the_candidate() -> None:
    story = during("Promoting", 1)
    story.promises.disturbed = True
    story.world.controllers.behaviour_of = lambda _: Behaviour(crash_after=4.0)
    story.run(150)
    assert story.phase != "Done"
    assert "CrashLoop" not in story.reasons()


@pytest.mark.parametrize("seconds", [0, 3, 8, 15])
def test_abort_at_any_moment_of_a_roll(seconds: int) -> None:
    story = during("Promoting", 1)
    story.run(seconds)
    story.ask("abort")
    assert story.end(seconds=120) == "Aborted"
    assert story.world.versions() == {"v1"}
    assert story.at_home()
    assert orphans(story) == 0


def sets(story: Story) -> list[str]:
    found = story.world.api.stored(REPLICA_SET, "shop")
    return [rs["metadata"]["name"] for rs in found if "app" in rs["metadata"].get("labels", {})]


def _ungated(target) -> None:
    target["metadata"]["labels"]["causalrollouts.dev/gate"] = "disabled"


def _newer(target) -> None:
    env = target["spec"]["template"]["spec"]["containers"][0]["env"]
    env[:] = [{"name": "VERSION", "value": "newest"}]
