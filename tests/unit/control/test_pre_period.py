"""Both arms on the stable template first, then the candidate in the canary's places."""

from typing import Any

from causal_rollouts.adapters.kube import ARM_LABEL, POD, REPLICA_SET, SLOT_LABEL
from causal_rollouts.control.pre_period import successors
from causal_rollouts.model.arms import Arm, Pod, Slot
from causal_rollouts.model.release import PlannedSlot
from tests.unit.control.stories import Story, tell

BEFOREHAND = {"arms": {"prePeriod": "90s"}}


def told() -> Story:
    story = tell(policy=BEFOREHAND)
    story.request("good")
    assert story.reach("PrePeriod")
    return story


def arm_pods(story: Story) -> list[dict[str, Any]]:
    """Pods of slots that are not about to go."""
    return [
        pod
        for pod in story.world.api.stored(POD, "shop")
        if SLOT_LABEL in pod["metadata"]["labels"] and "deletionTimestamp" not in pod["metadata"]
    ]


def versions(story: Story, arm: str) -> set[str]:
    return {story.world._version(p) for p in arm_pods(story) if p["metadata"]["labels"][ARM_LABEL] == arm}


def nodes(story: Story) -> dict[str, str]:
    return {p["metadata"]["labels"][SLOT_LABEL]: p["spec"].get("nodeName", "") for p in arm_pods(story)}


def test_no_pod_of_the_candidate_runs_before_the_pre_period_is_over() -> None:
    story = told()
    while story.phase in {"PrePeriod", "Replacing"}:
        assert "good" not in versions(story, "canary")
        story.step()
    assert (story.phase, story.stage) == ("Shifting", 0)


def test_arms_have_the_weights_of_the_first_stage_and_lose_them_before_they_are_replaced() -> None:
    story = told()
    assert story.run(120, until=lambda: story.weight > 0)
    weights = story.world.weights()
    assert story.reach("Replacing")
    assert story.run(5, until=lambda: story.weight == 0)
    assert "good" not in versions(story, "canary")
    assert story.reach("Observing", stage=0)
    assert story.world.weights() == weights


def test_every_slot_is_replaced_where_it_stood() -> None:
    story = told()
    assert story.reach("Replacing")
    before = nodes(story)
    assert story.reach("Observing", stage=0)
    assert nodes(story) == before
    assert versions(story, "canary") == {"good"}
    assert "good" not in versions(story, "baseline")
    names = [rs["metadata"]["name"] for rs in story.world.api.stored(REPLICA_SET, "shop")]
    assert not [name for name in names if name.endswith("-before")]


def test_a_good_release_is_promoted_and_a_slow_one_reverted() -> None:
    good = told()
    assert good.end(1800) == "Promoted"
    slow = tell(policy=BEFOREHAND)
    slow.request("slow")
    assert slow.end(1800) == "Reverted"
    assert ("PrePeriod", -1) in slow.path
    assert slow.at_home()


def test_a_template_changed_in_the_pre_period_ends_it() -> None:
    story = told()
    assert story.run(120, until=lambda: story.weight > 0)
    story.request("better")
    assert story.run(60, until=lambda: len(story.world.records()) == 2)
    assert story.world.records()[0]["status"]["release"]["outcome"] == "Superseded"


def test_an_abort_in_the_pre_period_brings_everything_home() -> None:
    story = told()
    assert story.run(120, until=lambda: story.weight > 0)
    story.ask("abort")
    assert story.end() == "Aborted"
    assert story.at_home()


def test_who_resumes_in_the_pre_period_has_the_arms_watched_anew() -> None:
    story = told()
    assert story.run(120, until=lambda: story.weight > 0)
    story.run(40)
    story.ask("pause")
    assert story.reach("Paused")
    story.run(5)
    story.ask("resume")
    assert story.reach("PrePeriod")
    assert not story.run(80, until=lambda: story.phase == "Replacing")
    assert story.reach("Replacing")


def test_pods_of_the_pre_period_have_time_to_answer_after_the_weights_are_home() -> None:
    story = told()
    assert story.reach("Replacing")
    assert story.run(5, until=lambda: story.weight == 0)
    names = {pod["metadata"]["name"] for pod in arm_pods(story)}
    story.run(3)
    assert {pod["metadata"]["name"] for pod in arm_pods(story)} == names
    assert story.run(10, until=lambda: names.isdisjoint(p["metadata"]["name"] for p in arm_pods(story)))


def test_a_slot_goes_on_where_its_pod_really_ran() -> None:
    canary, baseline = Slot(Arm.CANARY, 0), Slot(Arm.BASELINE, 0)
    asked = (PlannedSlot(canary, "node1", before=True), PlannedSlot(baseline, "node2", before=True))
    pods = (
        Pod("a", "a", Arm.CANARY, "canary-0", "node1", "", 10.0, 12.0, 20.0),
        Pod("b", "b", Arm.CANARY, "canary-0", "node5", "", 20.0, 22.0),
        Pod("c", "c", Arm.BASELINE, "baseline-0", "", "", 10.0, None),
    )
    assert successors(asked, pods) == (PlannedSlot(canary, "node5"), PlannedSlot(baseline, "node2"))
    later = (PlannedSlot(canary, "node1"),)
    assert successors(later, pods) == later
