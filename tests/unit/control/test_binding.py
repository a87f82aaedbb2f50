"""Namespaces that a platform team binds to a policy by a label."""

from typing import Any

from causal_rollouts.adapters.kube import NAMESPACE, POLICY, ROLLOUT
from tests.unit.control.stories import NAMESPACE as SHOP
from tests.unit.control.stories import Story, tell


def bound(story: Story, policy: str) -> None:
    meta = {"name": SHOP, "labels": {"causalrollouts.dev/policy": policy}}
    story.world.api.add(NAMESPACE, "", {"metadata": meta}, "platform", "platform")


def without_ref(rollout: dict[str, Any]) -> None:
    rollout["spec"].pop("policyRef")


def test_a_rollout_without_a_policy_ref_takes_the_policy_of_its_namespace() -> None:
    story = tell()
    bound(story, "short")
    story.edit(ROLLOUT, without_ref)
    story.request("good")
    assert story.end() == "Promoted"
    assert story.canary == [0, 100, 300, 0]


def test_a_policy_ref_may_repeat_the_label_and_not_contradict_it() -> None:
    story = tell()
    bound(story, "short")
    story.run(65)
    assert story.condition("Ready")["status"] == "True"
    story.edit(ROLLOUT, lambda rollout: rollout["spec"].update(policyRef={"name": "lax"}))
    story.world.api.add(POLICY, "", {"metadata": {"name": "lax"}, "spec": {}}, "dev", "dev")
    story.request("good")
    story.run(5)
    assert story.world.records() == []
    said = story.condition("Ready")["message"]
    assert 'namespace "shop" is bound to RolloutPolicy "short"' in said
    assert 'this names "lax"; name that one or leave policyRef out' in said


def test_a_label_that_names_no_policy_lets_nothing_begin() -> None:
    story = tell()
    story.edit(ROLLOUT, without_ref)
    bound(story, "gone")
    story.request("good")
    story.run(5)
    assert story.world.records() == []
    assert 'there is no RolloutPolicy "gone"' in story.condition("Ready")["message"]
