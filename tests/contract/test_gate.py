"""The gate on the template: the shipped admission policy, and the in-process one that repeats it."""

import pytest

from causal_rollouts.adapters.kube import DEPLOYMENT, REPLICA_SET
from causal_rollouts.adapters.workloads import KubeWorkloads
from causal_rollouts.model import actions as act
from tests.contract.things import deployment, template

LABEL = "causalrollouts.dev/gate"


@pytest.fixture
def workloads(lab):
    return KubeWorkloads(lab.operator)


@pytest.fixture
async def gated(lab, workloads):
    """A Deployment under the gate, in force."""
    await lab.git.create(DEPLOYMENT, lab.namespace, deployment())
    await workloads.perform(lab.namespace, act.GateTarget("web"))

    async def one():
        return len(await sets(lab)) == 1

    await lab.until("its ReplicaSet", one)


async def sets(lab):
    return await lab.operator.list(REPLICA_SET, lab.namespace)


async def write(kube, lab, **spec):
    """A write by somebody, and whether the Deployment is paused in the answer."""
    after = await kube.merge(DEPLOYMENT, lab.namespace, "web", {"spec": spec})
    return bool(after["spec"].get("paused"))


async def test_a_new_template_is_paused_in_the_same_write_and_makes_no_replica_set(lab, workloads, gated):
    assert await write(lab.git, lab, template=template("web", "2"))
    for _ in range(5):
        await lab.wait()
    assert len(await sets(lab)) == 1
    target = (await workloads.fleet(lab.namespace, "web")).target
    assert (target.paused, target.paused_in_git) == (True, False)


async def test_other_changes_pass(lab, gated):
    assert not await write(lab.git, lab, replicas=3)
    after = await lab.git.merge(DEPLOYMENT, lab.namespace, "web", {"metadata": {"labels": {"a": "b"}}})
    assert not after["spec"].get("paused")


async def test_the_pause_is_held_against_git(lab, workloads, gated):
    assert await write(lab.git, lab, template=template("web", "2"))
    assert await write(lab.git, lab, template=template("web", "2"))
    assert await write(lab.git, lab, paused=False)
    assert await write(lab.git, lab, paused=None)
    assert not (await workloads.fleet(lab.namespace, "web")).target.paused_in_git


async def test_a_person_who_may_bypass_lets_it_go(lab, gated):
    assert await write(lab.git, lab, template=template("web", "2"))
    assert not await write(lab.person, lab, paused=None)


async def test_the_operator_lets_it_go_and_the_next_template_is_held_again(lab, gated):
    assert await write(lab.git, lab, template=template("web", "2"))
    assert not await write(lab.operator, lab, paused=None)
    assert await write(lab.git, lab, template=template("web", "3"))


async def test_dropping_the_label_does_not_open_the_gate(lab, gated):
    after = await lab.git.merge(
        DEPLOYMENT,
        lab.namespace,
        "web",
        {"metadata": {"labels": {LABEL: None}}, "spec": {"template": template("web", "2")}},
    )
    assert after["metadata"]["labels"][LABEL] == "enabled"
    assert after["spec"]["paused"]


async def test_creation_passes(lab):
    made = deployment()
    made["metadata"]["labels"] = {LABEL: "enabled"}
    made = await lab.git.create(DEPLOYMENT, lab.namespace, made)
    assert not made["spec"].get("paused")


async def test_a_manifest_that_says_paused_false_is_told_while_it_is_held(lab, workloads):
    """Git owns the field then, whatever value it wrote; the message asks to leave it out."""
    manifest = deployment()
    manifest["metadata"]["labels"] = {LABEL: "enabled"}
    manifest["spec"]["paused"] = False
    await lab.git.apply(DEPLOYMENT, lab.namespace, manifest)
    manifest["spec"]["template"] = template("web", "2")
    after = await lab.git.apply(DEPLOYMENT, lab.namespace, manifest)
    assert after["spec"]["paused"]
    assert (await workloads.fleet(lab.namespace, "web")).target.paused_in_git
