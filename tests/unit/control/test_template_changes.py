"""Somebody changes the template: replaced, withdrawn, undone, gone back to."""

import pytest

from tests.unit.control.stories import during, tell


@pytest.mark.parametrize(
    ("phase", "stage"), [("Preparing", -1), ("Shifting", 0), ("Observing", 0), ("Observing", 1)]
)
def test_a_newer_template_supersedes_and_then_runs_its_own_release(phase: str, stage: int) -> None:
    story = during(phase, stage)
    story.request("better")
    assert story.run(60, until=lambda: len(story.world.records()) == 2)
    first, second = story.world.records()
    assert first["status"]["release"]["outcome"] == "Superseded"
    assert second["spec"]["previous"].startswith("checkout-1@sha256:")
    assert story.reach("Observing", 0)


@pytest.mark.parametrize(("phase", "stage"), [("Preparing", -1), ("Shifting", 0), ("Observing", 1)])
def test_the_stable_template_again_withdraws_the_release(phase: str, stage: int) -> None:
    story = during(phase, stage)
    story.request("v1")
    assert story.end(seconds=60) == "Withdrawn"
    story.run(5)
    assert not story.world.target()["spec"].get("paused")
    assert story.world.versions() == {"v1"}
    assert story.at_home()
    assert story.condition("Ready")["status"] == "True"
    assert len(story.world.records()) == 1


@pytest.mark.parametrize("seconds", [1, 6, 12])
def test_a_newer_template_in_mid_promotion_undoes_it_and_then_runs_its_own_release(seconds: int) -> None:
    story = during("Promoting", 1)
    story.run(seconds)
    story.request("better")
    assert story.run(120, until=lambda: len(story.world.records()) == 2)
    assert story.world.records()[0]["status"]["release"]["outcome"] == "Superseded"
    assert story.world.versions() == {"v1"}
    assert story.reach("Observing", 0)


def test_a_newer_template_while_baking_undoes_the_promotion_too() -> None:
    story = during("Baking", 1)
    story.run(3)
    story.request("better")
    assert story.run(120, until=lambda: len(story.world.records()) == 2)
    assert story.world.versions() == {"v1"}
    assert story.end() == "Promoted"
    assert story.world.versions() == {"better"}


def test_the_stable_template_again_in_mid_promotion_withdraws_without_a_dip() -> None:
    story = during("Promoting", 1)
    story.run(6)
    story.request("v1")
    assert story.end(seconds=90) == "Withdrawn"
    story.run(10)
    assert story.world.versions() == {"v1"}
    assert not story.world.target()["spec"].get("paused")


def test_going_back_after_a_promotion_is_never_gated() -> None:
    story = during("Done", 1)
    story.run(5)
    story.request("v1")
    assert story.run(60, until=lambda: story.world.versions() == {"v1"})
    story.run(10)
    assert len(story.world.records()) == 1
    assert not story.world.target()["spec"].get("paused")
    assert story.condition("Ready")["status"] == "True"


def test_after_the_rollback_window_going_back_is_a_release_as_any_other() -> None:
    story = tell(policy={"rollbackWindow": "10s", "bake": "1s"})
    story.request("good")
    assert story.end() == "Promoted"
    story.run(30)
    story.request("v1")
    story.run(5)
    assert len(story.world.records()) == 2


def test_the_first_template_of_all_passes_without_a_release() -> None:
    story = tell()
    story.promises.disturbed = True
    story.delete(kind=_deployment())
    story.run(5)
    from e2e.embedded import shop

    made = shop.deployment("checkout", replicas=10, image="checkout:v9", VERSION="v9")
    story.world.api.add(_deployment(), "shop", made, "git", "git")
    story.run(90)
    assert story.world.versions() == {"v9"}
    assert story.world.records() == []


def _deployment():
    from causal_rollouts.adapters.kube import DEPLOYMENT

    return DEPLOYMENT
