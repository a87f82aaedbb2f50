"""Somebody else moves the weights in the middle of a release."""

import pytest

from e2e.embedded.patches import clone
from tests.unit.control.stories import HTTP_ROUTE, ROLLOUT, Story, during, tell


def from_git(story: Story, original) -> None:
    """A GitOps tool applies its manifest."""
    story.edit(HTTP_ROUTE, lambda route: route.update(spec=clone(original["spec"])))


def to(canary: int):
    def change(route) -> None:
        for backend in route["spec"]["rules"][0]["backendRefs"]:
            share = {"checkout-canary": canary, "checkout-baseline": 0, "checkout": 1000 - canary}
            backend["weight"] = share[backend["name"]]

    return change


@pytest.mark.parametrize("canary", [0, 20, 500])
def test_weights_that_somebody_moved_are_set_again_and_the_bins_between_are_not_used(canary: int) -> None:
    story = during("Observing", 0)
    story.run(3)
    story.edit(HTTP_ROUTE, to(canary))
    moved = story.world.api.time
    story.run(6)
    assert story.weight == 0
    assert story.phase == "Shifting"
    assert story.reach("Observing", 0, seconds=90)
    assert story.weight == 100
    disturbed = [c for c in story.world.release()["timeline"] if c["phase"] == "Disturbed"]
    assert len(disturbed) == 1
    assert disturbed[0]["time"] <= moved
    assert story.goes_on()


def test_each_time_counts_however_soon_it_comes_again() -> None:
    """Whoever writes the same weights within seconds is not one disturbance that lasts."""
    story = tell(arms_listed=True)
    story.request("good")
    assert story.reach("Observing", 0)
    for times in range(1, 4):
        story.edit(HTTP_ROUTE, to(300))
        assert story.run(6, until=lambda: story.weight == 0)
        story.run(3)
        assert story.world.release()["contested"] == times
    assert story.reach("Paused", seconds=3)
    assert story.condition("TrafficApplied")["reason"] == "RouteContested"


def test_weights_raised_by_hand_come_down_also_without_metrics() -> None:
    story = during("Observing", 0)
    story.world.metrics.away = "gone"
    story.run(60)
    story.edit(HTTP_ROUTE, to(600))
    story.run(6)
    assert story.weight == 0
    story.run(60)
    assert story.weight == 0
    story.world.metrics.away = ""
    assert story.end() == "Promoted"


def test_a_paused_release_leaves_moved_weights_at_home_until_it_is_resumed() -> None:
    story = during("Observing", 0)
    story.ask("pause")
    story.run(5)
    story.edit(HTTP_ROUTE, to(400))
    story.run(60)
    assert (story.phase, story.weight) == ("Paused", 0)
    story.ask("resume")
    assert story.end() == "Promoted"


def test_weights_moved_in_mid_promotion_are_set_again() -> None:
    story = during("Promoting", 1)
    story.run(4)
    story.edit(HTTP_ROUTE, to(0))
    story.run(3)
    assert story.weight == 300
    assert story.end() == "Promoted"


def test_a_tool_that_takes_the_arms_out_again_and_again_is_told_what_to_paste() -> None:
    story = tell()
    original = clone(story.world.api.find(HTTP_ROUTE, "shop", "checkout"))
    story.request("good")
    for _ in range(3):
        assert story.run(120, until=lambda: story.weight > 0)
        story.run(4)
        from_git(story, original)
        story.run(8)
    assert story.phase == "Paused"
    assert story.weight == 0
    told = story.condition("TrafficApplied")
    assert (told["status"], told["reason"]) == ("False", "RouteContested")
    assert "- {name: checkout-canary, port: 80, weight: 0}" in told["message"]
    story.run(60)
    assert story.weight == 0
    story.ask("resume")
    assert story.end() == "Promoted"
    assert story.condition("TrafficApplied") == {}


def test_weights_moved_at_rest_come_home() -> None:
    story = tell(arms_listed=True)
    story.edit(HTTP_ROUTE, to(200))
    story.edit(ROLLOUT, lambda rollout: rollout["metadata"].setdefault("labels", {}).update(seen="yes"))
    story.run(3)
    assert story.weight == 0


def test_the_form_in_which_git_lists_the_arms_is_left_as_git_wrote_it() -> None:
    story = tell(arms_listed=True)
    original = clone(story.world.api.find(HTTP_ROUTE, "shop", "checkout"))
    story.request("good")
    assert story.end() == "Promoted"
    assert story.canary == [0, 100, 300, 0]
    assert story.world.api.find(HTTP_ROUTE, "shop", "checkout")["spec"] == original["spec"]
