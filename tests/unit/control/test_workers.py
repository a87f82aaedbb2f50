"""Whole releases of workers that take their jobs from a queue: a pod works as soon as it runs."""

import pytest

from causal_rollouts.adapters.kube import POD, REPLICA_SET, SERVICE
from e2e.embedded.patches import clone
from e2e.embedded.shop import WORKERS
from tests.unit.cli.town import Town
from tests.unit.control.stories import CLIMB, during, tell

FIRST, SECOND = (1, 1), (5, 2)
"""Pods of canary and baseline beside ten stable ones, as where a Service shares."""


def test_a_good_release_climbs_the_ladder_and_is_promoted() -> None:
    story = tell(routed=WORKERS)
    story.request("good")
    assert story.end(1200) == "Promoted", story.path
    assert story.path == CLIMB
    story.run(3)
    assert story.world.versions() == {"good"}
    assert not story.world.arm_pods()
    assert story.world.api.stored(SERVICE, "shop") == []
    assert not story.world.rollout()["metadata"].get("finalizers")
    assert story.world.errors == []


def test_the_share_on_record_is_the_one_that_workers_make() -> None:
    story = during("Observing", 1, routed=WORKERS)
    assert story.arms == SECOND
    weights = story.world.release()["desired"]["weights"]
    assert (weights["canary"], weights["canaries"]) == (round(1000 * 5 / 17), 5)
    pod = next(p for p in story.world.api.stored(POD, "shop") if "canary" in p["metadata"]["name"])
    assert "readinessGates" not in pod["spec"]
    assert story.condition("TrafficApplied")["message"] == "the workers make canary 29.4%, baseline 11.8%"


def test_a_revert_ends_the_workers_at_once() -> None:
    """Nothing else keeps them from the next job."""
    story = during("Observing", 1, routed=WORKERS)
    story.ask("abort")
    assert story.run(4, until=lambda: story.arms == (0, 0)), story.arms
    assert story.end() == "Aborted"


def test_a_worker_that_replaces_another_works_on_also_without_an_operator() -> None:
    story = during("Observing", 1, routed=WORKERS)
    story.world.operator_down = True
    story.delete(POD, next(name for name in story.world.arm_pods() if "-canary-" in name))
    assert story.run(30, until=lambda: story.arms == SECOND)
    story.world.operator_down = False
    assert story.end() == "Promoted"


def test_a_rollout_that_is_deleted_takes_its_workers_away() -> None:
    story = during("Observing", 1, routed=WORKERS)
    story.delete()
    assert story.run(60, until=lambda: not story.world.rollout()), story.world.errors[-3:]
    assert story.run(5, until=lambda: not story.world.arm_pods())
    assert story.world.versions() == {"v1"}


def test_a_person_lets_go_of_it_without_the_operator(capsys: pytest.CaptureFixture[str]) -> None:
    town = Town(during("Observing", 1, routed=WORKERS).world.api)
    found = town.run(capsys, "release", "checkout", "--yes")
    assert found.code == 0, found.err
    assert town.slots() == []
    assert town.record()["status"]["final"] is True


def test_a_slot_that_somebody_brings_back_at_rest_is_put_away() -> None:
    story = during("Observing", 1, routed=WORKERS)
    sets = story.world.api.stored(REPLICA_SET, "shop")
    slot = clone(next(rs for rs in sets if "canary" in rs["metadata"]["name"]))
    story.ask("abort")
    assert story.end() == "Aborted"
    del slot["metadata"]["ownerReferences"]
    story.world.api.add(REPLICA_SET, "shop", slot)
    # Somebody raised the weight here, so no promise of the operator's is checked.
    assert story.world.run(200, until=story.world.arm_pods)
    assert story.world.run(200, until=lambda: not story.world.arm_pods())
