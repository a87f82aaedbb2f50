"""The policy changes or goes under a release: what was registered holds, and harm still reverts."""

from typing import Any

from causal_rollouts.adapters.kube import POLICY
from causal_rollouts.ports import Record
from tests.unit.control import scripted
from tests.unit.control.scripted import quick
from tests.unit.control.stories import Story
from tests.unit.control.test_crash_anywhere import by


def observing() -> Story:
    story = quick()
    story.request("better", START_SECONDS="1")
    assert story.reach("Observing", stage=0, seconds=120)
    return story


def the_policy(story: Story) -> dict[str, Any]:
    (found,) = story.world.api.stored(POLICY)
    return found


def test_a_policy_that_is_edited_changes_nothing_of_a_running_release() -> None:
    with by(scripted.harmless):
        story = observing()
        old = the_policy(story)
        strict = {"weight": 5, "minDuration": "20m", "maxDuration": "1h"}
        spec = {**old["spec"], "defaults": {**old["spec"]["defaults"], "stages": [strict]}}
        story.world.api.change(POLICY, old, {**old, "spec": spec}, "git", manager="git")
        assert story.end() == "Promoted"
    # The weights of the ladder that it began with.
    assert [weight for weight in dict.fromkeys(story.canary) if weight] == [200, 400]


def test_without_its_policy_nothing_rises_until_it_is_there_again() -> None:
    with by(scripted.harmless):
        story = observing()
        old = the_policy(story)
        story.world.api.remove(POLICY, old, "Background", "git")
        assert story.end(seconds=60) == ""
        assert (story.phase, story.stage, story.weight) == ("Observing", 0, 200)
        assert 'there is no RolloutPolicy "short"' in story.condition("Ready")["message"]
        story.world.api.add(POLICY, "", {"metadata": {"name": "short"}, "spec": old["spec"]}, "git", "git")
        assert story.end() == "Promoted"


def test_without_its_policy_harm_still_reverts() -> None:
    begun: list[bool] = []

    def script(_: Record, __: int) -> dict[str, object]:
        return scripted.PROVEN if begun else {}

    with by(script):
        story = observing()
        story.world.api.remove(POLICY, the_policy(story), "Background", "git")
        story.run(20)
        begun.append(True)
        assert story.end(seconds=60) == "Reverted"
    assert story.at_home()
