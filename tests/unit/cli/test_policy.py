"""`policy diff`: every setting with who said it, at rest and while a release runs."""

from causal_rollouts.adapters.kube import POLICY, ROLLOUT
from causal_rollouts.cli.exits import Exit
from tests.unit.cli.town import NAME

FREEZE = [{"cron": "0 18 * * 5", "duration": "60h"}]


def settings(found):
    return {line["name"]: line for line in found.json["settings"]}


def test_each_value_comes_from_the_rollout_the_policy_a_guardrail_or_the_built_in_ones(moments, capsys):
    town = moments.town("at rest")
    town.change(ROLLOUT, NAME, lambda rollout: rollout["spec"].update(bake="40s", arms={"minPods": 4}))
    policy = town.api.stored(POLICY)[0]
    guarded = {**policy, "spec": {**policy["spec"], "guardrails": {"freeze": FREEZE}}}
    town.api.change(POLICY, policy, guarded, "platform", manager="platform")
    found = settings(said := town.run(capsys, "policy", "diff", NAME, "-o", "json"))
    assert (said.code, said.json["policy"], said.json["by"]) == (0, "quick", "spec.policyRef")
    assert found["bake"] == {"name": "bake", "value": "40s", "from": "rollout", "insteadOf": "20s"}
    assert found["arms.minPods"] == {"name": "arms.minPods", "value": 4, "from": "rollout", "insteadOf": 3}
    assert (found["history"]["value"], found["history"]["from"]) == ("10m", "policy")
    assert found["alphaRevert"]["from"] == "built-in"
    assert (found["guardrails.freeze"]["value"], found["guardrails.freeze"]["from"]) == (FREEZE, "guardrail")
    shown = town.run(capsys, "policy", "diff", NAME).out
    assert "RolloutPolicy quick (spec.policyRef)" in shown
    assert town.seen == []


def test_a_value_that_the_api_server_wrote_into_a_silent_policy_is_built_in(moments, capsys):
    town = moments.town("at rest")
    policy = town.api.stored(POLICY)[0]
    silent = {**policy, "spec": {"defaults": {**policy["spec"]["defaults"], "alphaRevert": "0.01"}}}
    town.api.change(POLICY, policy, silent, "platform", manager="platform")
    assert (
        settings(town.run(capsys, "policy", "diff", NAME, "-o", "json"))["alphaRevert"]["from"] == "built-in"
    )


def test_what_a_running_release_registered_otherwise_is_told(moments, capsys):
    town = moments.town("observing")
    town.change(ROLLOUT, NAME, lambda rollout: rollout["spec"].update(bake="40s"))
    said = town.run(capsys, "policy", "diff", NAME, "-o", "json").json
    assert said["running"] == "checkout-1"
    assert said["registeredOtherwise"] == [
        {"name": "bake", "value": "20s", "from": "policy", "insteadOf": "40s"}
    ]
    assert "checkout-1 keeps what it registered" in town.run(capsys, "policy", "diff", NAME).out


def test_an_attempt_to_loosen_is_told_with_the_guardrail(moments, capsys):
    town = moments.town("at rest")
    town.change(ROLLOUT, NAME, lambda rollout: rollout["spec"].update(alphaRevert="0.1"))
    policy = town.api.stored(POLICY)[0]
    guarded = {**policy, "spec": {**policy["spec"], "guardrails": {"maxAlphaRevert": "0.01"}}}
    town.api.change(POLICY, policy, guarded, "platform", manager="platform")
    found = town.run(capsys, "policy", "diff", NAME)
    assert found.code == Exit.FAILED
    assert "spec.alphaRevert: 0.1 is above the guardrail maxAlphaRevert; use 0.01 or less" in found.err
