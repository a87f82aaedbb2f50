"""What people ask for by annotation: pause, resume, abort, retry, promote; each once, for one release."""

import pytest

from tests.unit.control.stories import Story, during, tell


def asked(story: Story) -> dict[str, str]:
    return story.world.rollout()["metadata"].get("annotations", {})


@pytest.mark.parametrize(
    ("phase", "stage"),
    [("Preparing", -1), ("Shifting", 0), ("Observing", 0), ("Shifting", 1), ("Observing", 1)],
)
def test_pause_holds_everything_and_resume_goes_on(phase: str, stage: int) -> None:
    story = during(phase, stage)
    story.ask("pause")
    story.run(2)
    assert story.phase == "Paused"
    assert asked(story) == {}
    held = story.weight
    story.run(120)
    assert (story.phase, story.weight) == ("Paused", held)
    story.ask("resume")
    story.run(2)
    assert story.phase != "Paused"
    assert asked(story) == {}
    assert story.goes_on()
    assert story.world.errors == []


def test_a_promotion_that_is_paused_rolls_no_further() -> None:
    story = during("Promoting", 1)
    story.run(5)
    story.ask("pause")
    story.run(3)
    versions = [story.world._version(p) for p in pods(story)]
    story.run(60)
    assert [story.world._version(p) for p in pods(story)] == versions
    assert len(set(versions)) == 2
    story.ask("resume")
    assert story.end() == "Promoted"


def test_a_pause_does_not_use_up_the_time_of_a_stage() -> None:
    ladder = [{"weight": 10, "minDuration": "30s", "maxDuration": "90s"}]
    story = tell(
        policy={"stages": ladder, "onInconclusive": "Revert", "evidence": {"promoteContinuous": "20"}}
    )
    story.request("good")
    assert story.reach("Observing")
    story.ask("pause")
    story.run(200)
    story.ask("resume")
    story.run(20)
    assert story.phase == "Observing"


def slow_to_tell(least: str = "30s") -> Story:
    """In a stage of 90 seconds that never sees enough, and reverts for it."""
    ladder = [{"weight": 10, "minDuration": least, "maxDuration": "90s"}]
    story = tell(
        policy={"stages": ladder, "onInconclusive": "Revert", "evidence": {"promoteContinuous": "20"}}
    )
    story.request("good")
    assert story.reach("Observing")
    story.run(60)
    return story


def test_extend_gives_a_stage_its_time_once_more_and_stands_in_the_record() -> None:
    story = slow_to_tell()
    story.ask("extend", "ann:checkout-1 traffic comes at nine")
    story.run(75)
    assert story.phase == "Observing"
    assert asked(story) == {}
    (heard,) = story.world.newest()["status"]["requests"]
    assert (heard["verb"], heard["user"], heard["reason"]) == ("extend", "ann", "traffic comes at nine")
    assert story.end() == "Reverted"


def test_a_stage_that_is_extended_while_paused_has_all_its_time_after() -> None:
    story = slow_to_tell()
    story.ask("pause")
    story.run(30)
    story.ask("extend")
    story.run(30)
    story.ask("resume")
    story.run(75)
    assert story.phase == "Observing"


def test_extend_of_another_release_or_before_a_stage_changes_nothing() -> None:
    story = slow_to_tell()
    story.ask("extend", "ann:checkout-7")
    story.run(5)
    assert asked(story) == {}
    assert story.end(seconds=60) == "Reverted"
    early = during("Preparing", -1)
    early.ask("extend")
    early.run(3)
    assert asked(early) == {}
    assert early.world.errors == []


def test_who_resumes_a_stage_that_ran_out_of_time_gives_it_another() -> None:
    ladder = [{"weight": 10, "minDuration": "30s", "maxDuration": "60s"}]
    story = tell(policy={"stages": ladder, "evidence": {"promoteContinuous": "20"}})
    story.request("good")
    assert story.run(120, until=lambda: story.phase == "Paused")
    assert story.reasons()[-1] == "OutOfTime" or "OutOfTime" in story.reasons()
    story.ask("resume")
    story.run(45)
    assert story.phase == "Observing"
    assert story.run(60, until=lambda: story.phase == "Paused")


@pytest.mark.parametrize(
    ("phase", "stage"),
    [("Preparing", -1), ("Shifting", 0), ("Observing", 1), ("Promoting", 1), ("Baking", 1)],
)
def test_abort_brings_everything_back(phase: str, stage: int) -> None:
    story = during(phase, stage)
    story.ask("abort", "ann:checkout-1")
    assert story.end(seconds=90) == "Aborted"
    assert story.at_home()
    assert story.world.versions() == {"v1"}
    assert "aborted by ann" in story.world.release()["why"]
    assert asked(story) == {}


def test_an_abort_that_names_another_release_is_taken_away_and_does_nothing() -> None:
    story = during("Observing", 0)
    story.ask("abort", "ann:checkout-7")
    story.run(3)
    assert story.phase == "Observing"
    assert asked(story) == {}


def test_an_abort_at_rest_does_not_strike_the_next_release() -> None:
    story = tell()
    story.ask("abort")
    story.ask("pause")
    story.run(3)
    assert asked(story) == {}
    story.request("good")
    assert story.reach("Observing", 0)


def test_a_failed_template_is_remembered_until_somebody_asks_to_try_again() -> None:
    story = during("Done", 0, version="slow")
    story.run(120)
    assert len(story.world.records()) == 1
    story.request("v1")
    story.run(5)
    assert story.condition("Ready")["status"] == "True"
    story.request("slow")
    story.run(30)
    assert len(story.world.records()) == 1
    assert story.condition("Stalled")["reason"] == "Reverted"
    story.ask("retry", "ann:checkout-1")
    story.run(5)
    assert len(story.world.records()) == 2
    assert asked(story) == {}
    assert story.end() == "Reverted"
    story.run(60)
    assert len(story.world.records()) == 2


def test_a_person_may_promote_before_the_evidence_is_complete_also_from_a_pause() -> None:
    story = during("Observing", 0)
    story.ask("pause")
    story.run(2)
    story.ask("promote", "ann:checkout-1")
    story.run(2)
    assert story.phase == "Promoting"
    assert asked(story) == {}
    assert story.end() == "Promoted"
    assert "PromotedByUser" in story.reasons()


def test_a_bypass_by_hand_is_honoured_and_recorded() -> None:
    from tests.unit.control.stories import DEPLOYMENT

    story = during("Observing", 0)
    story.world.api.bypass.add("ann")
    story.edit(DEPLOYMENT, lambda target: target["spec"].pop("paused"), user="ann")
    assert story.end(seconds=60) == "Bypassed"
    story.run(40)
    assert story.world.versions() == {"good"}
    assert story.at_home()


def test_a_suspended_rollout_begins_nothing_and_a_suspended_release_holds() -> None:
    from tests.unit.control.stories import ROLLOUT

    story = tell(spec={"suspend": True})
    story.request("good")
    story.run(60)
    assert story.world.records() == []
    assert "spec.suspend" in story.condition("Ready")["message"]
    story.edit(ROLLOUT, lambda rollout: rollout["spec"].update(suspend=False))
    assert story.reach("Observing", 0)
    story.edit(ROLLOUT, lambda rollout: rollout["spec"].update(suspend=True))
    held = story.weight
    story.run(120)
    assert (story.phase, story.weight) == ("Observing", held)
    story.edit(ROLLOUT, lambda rollout: rollout["spec"].update(suspend=False))
    assert story.goes_on()


def pods(story: Story):
    from causal_rollouts.adapters.kube import POD

    return [
        pod
        for pod in story.world.api.stored(POD, "shop")
        if pod["metadata"]["labels"]["causalrollouts.dev/arm"] == "stable"
        and "deletionTimestamp" not in pod["metadata"]
    ]
