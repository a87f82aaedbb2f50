"""A pipeline as a gate: it releases a release before it begins and between stages, by its own name."""

from typing import Any

import pytest

from causal_rollouts.adapters.kube import POLICY
from causal_rollouts.adapters.record_form import record_of
from causal_rollouts.control import reconcile
from e2e.embedded.patches import clone
from tests.unit.control import scripted
from tests.unit.control.listening import Listener, listened
from tests.unit.control.stories import Story

CI = "system:serviceaccount:ci:deployer"
HOLD = {"by": [CI]}


def held(monkeypatch: pytest.MonkeyPatch, *stages: dict[str, Any], listener: Listener | None = None) -> Story:
    """A harmless release under a policy whose stages have these holds."""
    monkeypatch.setattr(reconcile, "look", scripted.looking(scripted.harmless))
    story = listened(listener or Listener(), [{"channel": "team", "when": ["Held"]}])
    old = story.world.api.stored(POLICY)[0]
    new = clone(old)
    ladder = [{"weight": w, "minDuration": "4s", "maxDuration": "5m"} for w in (20, 40)]
    new["spec"]["defaults"]["stages"] = [{**a, **b} for a, b in zip(ladder, stages, strict=True)]
    story.world.api.change(POLICY, old, new, "git", manager="git")
    story.request("v2", START_SECONDS="1")
    return story


def stays(story: Story) -> None:
    """It is held, and stays where it is."""
    story.run(5)
    before = story.phase, story.stage, story.weight
    story.run(30)
    assert (story.phase, story.stage, story.weight) == before
    assert story.condition("Ready")["reason"] == "Held"


def test_before_the_first_stage_no_pod_is_made_until_the_pipeline_says_so(monkeypatch) -> None:
    listener = Listener()
    story = held(monkeypatch, {"holdBefore": HOLD}, {}, listener=listener)
    stays(story)
    assert (story.phase, story.weight, story.world.arm_pods()) == ("Preparing", 0, [])
    assert f"held until one of {CI} releases it" in story.condition("Ready")["message"]
    assert listener.heard("team") == ["Info Held"]
    story.ask("approve", f"{CI}:checkout-1/0 smoke tests passed")
    assert story.end() == "Promoted"
    (heard,) = record_of(story.world.newest()).requests
    assert (heard.verb, heard.user, heard.reason) == ("approve", CI, "smoke tests passed")


@pytest.mark.parametrize(
    "value", ["ann:checkout-1/0", f"{CI}:checkout-1", f"{CI}:checkout-1/1", f"{CI}:checkout-7/0", "true"]
)
def test_a_word_of_others_for_no_step_or_for_another_releases_nothing(value: str, monkeypatch) -> None:
    story = held(monkeypatch, {"holdBefore": HOLD}, {})
    stays(story)
    story.ask("approve", value)
    stays(story)
    assert story.phase == "Preparing"
    assert story.world.rollout()["metadata"].get("annotations", {}) == {}


def test_between_two_stages_and_before_the_promotion_it_is_held_once_each(monkeypatch) -> None:
    listener = Listener()
    story = held(monkeypatch, {"holdAfter": HOLD}, {"holdBefore": HOLD, "holdAfter": HOLD}, listener=listener)
    assert story.reach("AwaitingApproval", 0)
    stays(story)
    story.ask("approve", f"{CI}:checkout-1/1")
    assert story.reach("AwaitingApproval", 1)
    stays(story)
    story.ask("approve", f"{CI}:checkout-1/1")
    stays(story)
    story.ask("approve", f"{CI}:checkout-1/2")
    assert story.end() == "Promoted"
    assert listener.heard("team") == ["Info Held", "Info Held"]
    (promote,) = [d for d in story.world.decisions() if d["decision"]["act"] == "Promote"]
    assert f"released by {CI}" in promote["decision"]["because"]


def test_an_abort_waits_for_no_pipeline(monkeypatch) -> None:
    story = held(monkeypatch, {"holdBefore": HOLD}, {})
    stays(story)
    story.ask("abort", "ann:checkout-1 wrong branch")
    assert story.end(60) == "Aborted"
