"""Stable must be able to carry its share: before a rise, and on the way home."""

from causal_rollouts.adapters.kube import POD
from e2e.embedded.pods import Behaviour
from tests.unit.control.stories import Story, during, tell


def failing_probe(story: Story, count: int) -> None:
    """So many stable pods are not ready from now on."""
    names = [
        pod["metadata"]["name"]
        for pod in story.world.api.stored(POD, "shop")
        if pod["metadata"]["labels"]["causalrollouts.dev/arm"] == "stable"
    ][:count]
    story.promises.disturbed = True
    story.world.controllers.behaviour_of = lambda pod: (
        Behaviour(start=1e9) if pod["metadata"]["name"] in names else Behaviour()
    )


def test_traffic_does_not_rise_while_stable_could_not_carry_its_share() -> None:
    story = tell()
    failing_probe(story, 5)
    story.request("good")
    story.run(60)
    assert (story.phase, story.weight) == ("Shifting", 0)
    assert story.condition("Reconciling")["reason"] == "WaitingForCapacity"
    assert "5 of 10 stable pods are ready" in story.condition("Reconciling")["message"]
    failing_probe(story, 0)
    assert story.reach("Observing", 0, seconds=60)


def test_a_revert_that_stable_cannot_carry_takes_the_canary_off_first() -> None:
    story = during("Observing", 1)
    failing_probe(story, 6)
    story.ask("abort")
    story.run(10)
    weights = story.world.weights()
    assert weights.canary == 0
    assert weights.baseline == 300
    assert [name for name in story.world.arm_pods() if "baseline" in name]
    failing_probe(story, 0)
    assert story.end(seconds=60) == "Aborted"
    assert story.at_home()
