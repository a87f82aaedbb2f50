"""A release that does harm is reverted: traffic first, pods after, and the stable fleet never notices."""

import pytest

from causal_rollouts.adapters.kube import POD
from tests.unit.control.stories import Story, during, tell


def stable_pods(story: Story) -> set[str]:
    return {
        pod["metadata"]["uid"]
        for pod in story.world.api.stored(POD, "shop")
        if pod["metadata"]["labels"]["causalrollouts.dev/arm"] == "stable"
    }


@pytest.mark.parametrize(("version", "metric"), [("slow", "latency"), ("failing", "errors")])
def test_harm_is_reverted_by_evidence(version: str, metric: str) -> None:
    story = tell()
    before = stable_pods(story)
    story.request(version)
    assert story.end() == "Reverted"
    assert story.acts() == ["Revert"]
    assert "HarmProven" in story.reasons()
    assert metric in story.world.release()["why"]
    assert story.canary == [0, 100, 0]
    assert story.at_home()
    assert stable_pods(story) == before
    assert story.condition("Stalled")["reason"] == "Reverted"
    assert metric in story.condition("Stalled")["message"]
    assert story.world.errors == []


def test_every_canary_crashing_reverts_at_once_and_says_so() -> None:
    story = tell()
    story.request("good", CRASH_AFTER="3")
    assert story.end(seconds=60) == "Reverted"
    assert "CrashLoop" in story.reasons()
    assert "every canary pod crashes" in story.world.release()["why"]
    assert story.at_home()


def test_canaries_that_never_get_ready_revert() -> None:
    story = tell()
    story.request("good", START_SECONDS="1000")
    assert story.end(seconds=90) == "Reverted"
    assert "NeverReady" in story.reasons()
    assert "canary-0, canary-1, canary-2" in story.world.release()["why"]
    assert story.canary == [0]
    assert story.at_home()


def test_pods_of_the_stable_template_that_crash_too_are_not_held_against_the_candidate() -> None:
    story = tell()
    story.request("good", CRASH_AFTER="3")
    story.world.controllers.behaviour_of = crashing_when_young(story.world.api.time)
    assert story.end(seconds=150) == "Blocked"
    assert "Harm" not in {d["decision"]["verdict"] for d in story.world.decisions()}
    assert story.at_home()


def test_a_harm_that_is_seen_while_paused_reverts_all_the_same() -> None:
    story = during("Observing", version="slow")
    story.ask("pause")
    story.run(3)
    assert story.phase == "Paused"
    assert story.end(seconds=120) == "Reverted"


def crashing_when_young(since: float):
    from e2e.embedded.pods import Behaviour, seconds

    def behaviour(pod):
        young = seconds(pod["metadata"]["creationTimestamp"]) >= since
        return Behaviour(crash_after=3.0) if young else Behaviour()

    return behaviour
