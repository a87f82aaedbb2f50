"""Workloads: what is seen of a target, and what is done to it."""

import pytest

from causal_rollouts.adapters.kube import (
    ARM_LABEL,
    CLAIM,
    DEPLOYMENT,
    POD,
    RECORD,
    REPLICA_SET,
    STATEFUL_SET,
)
from causal_rollouts.adapters.workloads import KubeWorkloads
from causal_rollouts.model import actions as act
from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.template import template_hash
from causal_rollouts.ports import NotYet
from tests.contract.things import deployment, template

SLOT = Slot(Arm.CANARY, 0)


@pytest.fixture
def workloads(lab):
    return KubeWorkloads(lab.operator)


@pytest.fixture
async def settled(lab, workloads):
    """A Deployment of two whose pods are ready."""
    await lab.add(DEPLOYMENT, deployment())

    async def ready():
        fleet = await workloads.fleet(lab.namespace, "web")
        return fleet if fleet.target.available == 2 else None

    return await lab.until("two pods available", ready)


async def owner(lab):
    """A record: the garbage collector looks for the slot's owner by name and uid."""
    spec = {"rollout": "web", "rolloutUid": "u", "registration": {}, "templates": {}}
    made = await lab.add(RECORD, {"metadata": {"name": "web-1"}, "spec": spec})
    return made["metadata"]["uid"]


def create(fleet, *, uid="", node="", slot=SLOT, version="2"):
    made = template("web", version)
    return act.CreateSlot(
        slot=slot,
        template=made,
        template_hash=template_hash(made),
        node=node,
        target=fleet.target.name,
        record="web-1",
        record_uid=uid or "00000000-0000-4000-8000-000000000000",
    )


async def unpause(lab, workloads):
    """As the loop does: look again when the Deployment's status was written in between."""

    async def once():
        fleet = await workloads.fleet(lab.namespace, "web")
        try:
            await workloads.perform(lab.namespace, act.UnpauseTarget("web", fleet.target.version))
        except NotYet:
            return False
        return True

    await lab.until("un-paused", once)


async def test_the_fleet_of_a_settled_deployment(lab, workloads, settled):
    fleet = settled
    [running] = fleet.replica_sets
    assert running.template_hash == fleet.target.template_hash
    assert (running.replicas, running.ready, fleet.target.updated) == (2, 2, 2)
    assert (fleet.target.paused, fleet.target.gate, fleet.target.paused_in_git) == (False, False, False)
    assert {pod.arm for pod in fleet.pods} == {Arm.STABLE}
    assert all(pod.slot == pod.uid and pod.ready >= pod.created and pod.deleted is None for pod in fleet.pods)
    assert {pod.node for pod in fleet.pods} <= {node.name for node in fleet.nodes if node.schedulable}
    assert not fleet.orphans
    assert not fleet.slots
    assert not fleet.waiting


async def test_no_deployment_no_fleet_and_nothing_to_refuse(lab, workloads):
    assert await workloads.fleet(lab.namespace, "web") is None
    assert await workloads.unsupported(lab.namespace, "web") == ()


async def test_a_pause_of_ours_is_ours_and_a_pause_in_the_manifest_is_told(lab, workloads, settled):
    await workloads.perform(lab.namespace, act.PauseTarget("web"))
    fleet = await workloads.fleet(lab.namespace, "web")
    assert (fleet.target.paused, fleet.target.paused_in_git) == (True, False)
    await unpause(lab, workloads)
    await lab.person.merge(DEPLOYMENT, lab.namespace, "web", {"spec": {"paused": True}})
    fleet = await workloads.fleet(lab.namespace, "web")
    assert (fleet.target.paused, fleet.target.paused_in_git) == (True, True)


async def test_unpausing_an_older_version_is_not_done(lab, workloads, settled):
    await workloads.perform(lab.namespace, act.PauseTarget("web"))
    seen = (await workloads.fleet(lab.namespace, "web")).target.version
    await lab.person.merge(DEPLOYMENT, lab.namespace, "web", {"spec": {"template": template("web", "3")}})
    with pytest.raises(NotYet):
        await workloads.perform(lab.namespace, act.UnpauseTarget("web", seen))
    fleet = await workloads.fleet(lab.namespace, "web")
    assert fleet.target.paused
    await unpause(lab, workloads)
    raw = await lab.find(DEPLOYMENT, "web")
    assert "paused" not in raw["spec"]


async def test_the_gate_label_is_put_without_taking_anything_else(lab, workloads, settled):
    before = await lab.find(DEPLOYMENT, "web")
    await workloads.perform(lab.namespace, act.GateTarget("web"))
    after = await lab.find(DEPLOYMENT, "web")
    assert (await workloads.fleet(lab.namespace, "web")).target.gate
    assert after["spec"] == before["spec"]
    mine = [e for e in after["metadata"]["managedFields"] if e["manager"] == "causal-rollouts"]
    assert [e["fieldsV1"] for e in mine] == [{"f:metadata": {"f:labels": {"f:causalrollouts.dev/gate": {}}}}]
    with pytest.raises(NotYet):
        await workloads.perform(lab.namespace, act.GateTarget("nobody"))


async def test_a_slot_runs_the_candidate_where_it_was_asked_and_no_deployment_takes_it(
    lab, workloads, settled
):
    node = (await lab.nodes())[-1]
    await workloads.perform(lab.namespace, create(settled, uid=await owner(lab), node=node))

    async def ready():
        fleet = await workloads.fleet(lab.namespace, "web")
        return fleet if fleet.slots and fleet.slots[0].ready else None

    fleet = await lab.until("the slot's pod ready", ready)
    [state] = fleet.slots
    assert (state.slot, state.name, state.node) == (SLOT, "web-canary-0", node)
    assert state.template_hash == template_hash(template("web", "2"))
    [pod] = [pod for pod in fleet.pods if pod.arm is Arm.CANARY]
    assert (pod.slot, pod.node) == ("canary-0", node)
    assert len(fleet.replica_sets) == 1
    raw = await lab.find(REPLICA_SET, "web-canary-0")
    ours = {"causalrollouts.dev/rollout": "web-1", "causalrollouts.dev/slot": "canary-0"}
    assert raw["metadata"]["labels"] == raw["spec"]["selector"]["matchLabels"] == ours
    [pod] = await lab.operator.list(POD, lab.namespace, "causalrollouts.dev/slot=canary-0")
    assert pod["metadata"]["labels"] == {"app": "web", ARM_LABEL: "canary", **ours}
    assert raw["metadata"]["ownerReferences"][0]["kind"] == RECORD.kind


async def test_a_slot_is_made_once_and_goes_as_often_as_asked(lab, workloads, settled):
    action = create(settled, uid=await owner(lab))
    await workloads.perform(lab.namespace, action)
    with pytest.raises(NotYet):
        await workloads.perform(lab.namespace, action)
    for _ in range(2):
        await workloads.perform(lab.namespace, act.DeleteSlot(SLOT, "web-canary-0"))

    async def gone():
        fleet = await workloads.fleet(lab.namespace, "web")
        return not fleet.slots and all(pod.arm is Arm.STABLE for pod in fleet.pods)

    await lab.until("the slot gone with its pod", gone)


async def test_an_undo_leaves_orphans_that_serve_and_stable_whole(lab, workloads, settled):
    await lab.person.merge(DEPLOYMENT, lab.namespace, "web", {"spec": {"template": template("web", "2")}})

    async def both():
        fleet = await workloads.fleet(lab.namespace, "web")
        new = next((rs for rs in fleet.replica_sets if rs.template_hash == fleet.target.template_hash), None)
        return (fleet, new) if new and new.ready == 2 and fleet.target.available == 2 else None

    _, new = await lab.until("the new version whole", both)
    old = settled.target.template_hash
    await workloads.perform(lab.namespace, act.PauseTarget("web"))
    await workloads.perform(lab.namespace, act.DeleteReplicaSet(new.name, new.uid, orphan=True))

    async def undone():
        fleet = await workloads.fleet(lab.namespace, "web")
        found = next((rs for rs in fleet.replica_sets if rs.template_hash == old), None)
        return fleet if found and found.ready == 2 and len(fleet.orphans) == 2 else None

    fleet = await lab.until("stable whole beside the orphans", undone)
    for name in fleet.orphans:
        await workloads.perform(lab.namespace, act.DeletePod(name))
        await workloads.perform(lab.namespace, act.DeletePod(name))

    async def clean():
        fleet = await workloads.fleet(lab.namespace, "web")
        return not fleet.orphans and len(fleet.pods) == 2

    await lab.until("orphans gone", clean)


async def test_a_replica_set_that_was_replaced_is_not_deleted(lab, workloads, settled):
    [running] = settled.replica_sets
    with pytest.raises(NotYet):
        await workloads.perform(
            lab.namespace,
            act.DeleteReplicaSet(running.name, "00000000-0000-4000-8000-000000000000", orphan=True),
        )


async def test_the_stable_set_comes_back_from_the_record_and_is_adopted(lab, workloads, settled):
    [stable] = settled.replica_sets
    await workloads.perform(lab.namespace, act.PauseTarget("web"))
    await workloads.perform(lab.namespace, act.DeleteReplicaSet(stable.name, stable.uid, orphan=False))

    async def empty():
        fleet = await workloads.fleet(lab.namespace, "web")
        return not fleet.replica_sets and not fleet.pods

    await lab.until("no pod left", empty)
    await workloads.perform(
        lab.namespace,
        act.RestoreStableSet(stable.name, stable.template, 2, "web", settled.target.uid),
    )

    async def back():
        fleet = await workloads.fleet(lab.namespace, "web")
        return fleet if fleet.replica_sets and fleet.replica_sets[0].ready == 2 else None

    fleet = await lab.until("stable back", back)
    assert fleet.replica_sets[0].template_hash == stable.template_hash


async def test_a_slot_that_cannot_start_says_why(lab, workloads, settled):
    made = template("web", "2")
    made["spec"]["containers"][0]["image"] = "localhost/missing:1"
    action = create(settled, uid=await owner(lab))
    await workloads.perform(lab.namespace, act.CreateSlot(**{**fields(action), "template": made}))

    async def told():
        fleet = await workloads.fleet(lab.namespace, "web")
        return fleet.waiting

    [waiting] = await lab.until("a waiting container", told)
    assert waiting.slot == "canary-0"
    assert waiting.reason in {"ErrImagePull", "ErrImageNeverPull", "ImagePullBackOff"}


async def test_a_slot_without_a_node_is_unschedulable(lab, workloads, settled):
    made = template("web", "2", nodeSelector={"no-such": "node"})
    action = create(settled, uid=await owner(lab))
    await workloads.perform(lab.namespace, act.CreateSlot(**{**fields(action), "template": made}))

    async def told():
        return (await workloads.fleet(lab.namespace, "web")).waiting

    [waiting] = await lab.until("an unschedulable pod", told)
    assert waiting.reason == "Unschedulable"


def fields(action):
    return {name: getattr(action, name) for name in action.__dataclass_fields__}


@pytest.mark.parametrize(
    ("change", "field", "fix"),
    [
        ({"strategy": {"type": "Recreate", "rollingUpdate": None}}, "spec.strategy.type", "RollingUpdate"),
        ({"replicas": 1}, "spec.replicas", "2 or more"),
        ({"template": {"spec": {"hostNetwork": True}}}, "spec.template.spec.hostNetwork", "remove"),
    ],
)
async def test_a_workload_that_cannot_be_gated_is_refused_with_field_and_fix(
    lab, workloads, change, field, fix
):
    await lab.add(DEPLOYMENT, deployment(replicas=2))
    await lab.person.merge(DEPLOYMENT, lab.namespace, "web", {"spec": {"paused": True, **change}})
    [text] = [t for t in await workloads.unsupported(lab.namespace, "web") if field in t]
    assert fix in text


async def test_a_volume_for_one_node_is_refused(lab, workloads):
    claim = {
        "metadata": {"name": "disk"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    await lab.add(CLAIM, claim)
    volume = {"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}}
    await lab.add(DEPLOYMENT, deployment(volumes=[volume]))
    [text] = await workloads.unsupported(lab.namespace, "web")
    assert "spec.template.spec.volumes[0]" in text
    assert "ReadWriteMany" in text


async def test_a_stateful_set_of_that_name_is_named_as_what_it_is(lab, workloads):
    made = deployment()
    made["spec"].pop("strategy")
    await lab.add(STATEFUL_SET, {**made, "spec": {**made["spec"], "serviceName": "web", "replicas": 0}})
    [text] = await workloads.unsupported(lab.namespace, "web")
    assert "StatefulSet" in text
    assert text.startswith("spec.targetRef.name")
