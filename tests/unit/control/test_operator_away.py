"""The operator is down for a while, in each phase: the next one continues exactly where it was."""

import pytest

from tests.unit.control.stories import CLIMB, during

PHASES = CLIMB[:-1]


@pytest.mark.parametrize(("phase", "stage"), PHASES)
@pytest.mark.parametrize("seconds", [20, 150])
def test_it_continues_where_it_was(phase: str, stage: int, seconds: int) -> None:
    story = during(phase, stage)
    before = story.world.newest()["status"]
    story.world.operator_down = True
    held = story.weight
    story.run(seconds)
    assert story.weight == held
    story.world.operator_down = False
    assert story.goes_on() if phase != "Finishing" else story.end() == "Promoted"
    after = story.world.newest()["status"]
    changes = before["release"].get("timeline", [])
    assert after["release"]["timeline"][: len(changes)] == changes
    assert after["decisions"][: len(before["decisions"])] == before["decisions"]
    assert len(story.world.records()) == 1


def test_a_harm_that_came_while_it_was_away_is_seen_at_once() -> None:
    story = during("Shifting", 0, version="slow")
    assert story.run(60, until=lambda: story.weight > 0)
    story.world.operator_down = True
    story.run(120)
    story.world.operator_down = False
    assert story.end(seconds=30) == "Reverted"


def test_a_revert_that_was_cut_short_is_finished() -> None:
    story = during("Reverting", 0, version="slow")
    story.world.operator_down = True
    story.run(60)
    assert story.world.arm_pods()
    story.world.operator_down = False
    assert story.end(seconds=60) == "Reverted"
    assert story.at_home()


def test_a_template_that_came_meanwhile_is_held_and_released_after() -> None:
    story = during("Done", 1)
    story.run(3)
    story.world.operator_down = True
    story.request("better")
    story.run(30)
    assert story.world.versions() == {"good"}
    story.world.operator_down = False
    assert story.run(60, until=lambda: len(story.world.records()) == 2)
    assert story.reach("Observing", 0)


def test_weights_that_were_moved_while_it_was_away_spoil_all_the_bins_between() -> None:
    from tests.unit.control.stories import HTTP_ROUTE

    story = during("Observing", 0)
    story.run(3)
    story.world.operator_down = True

    def crowd(route) -> None:
        for backend in route["spec"]["rules"][0]["backendRefs"]:
            share = {"checkout-canary": 500, "checkout-baseline": 10, "checkout": 490}
            backend["weight"] = share[backend["name"]]

    story.edit(HTTP_ROUTE, crowd)
    story.run(150)
    story.world.operator_down = False
    story.run(3)
    assert story.weight == 0
    assert story.end() == "Promoted"
    assert "HarmProven" not in story.reasons()
