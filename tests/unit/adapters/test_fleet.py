"""What a pod tells of itself, read as the gate needs it."""

import pytest

from causal_rollouts.adapters.fleet import Seen, fleet_of
from causal_rollouts.model.arms import Arm, Slot

NOON = "2026-11-25T12:00:00Z"
LATER = "2026-11-25T12:00:30Z"
AT_NOON = 1795608000.0


def meta(name, **more):
    return {"name": name, "uid": f"uid-{name}", "creationTimestamp": NOON, "resourceVersion": "7", **more}


def owned_by(uid):
    return [{"uid": uid, "controller": True, "kind": "X", "name": "x", "apiVersion": "v1"}]


def deployment(**spec):
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}
    return {
        "metadata": meta("web", generation=3),
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template, **spec},
    }


def pod(name="web-x", labels=None, status=None, spec=None, **more):
    return {
        "metadata": meta(name, labels={"app": "web", **(labels or {})}, **more),
        "spec": {"nodeName": "node1", **(spec or {})},
        "status": status or {},
    }


def slot_set(slot="canary-0", target="web", **status):
    labels = {"causalrollouts.dev/rollout": "web-1", "causalrollouts.dev/slot": slot}
    notes = {"causalrollouts.dev/target": target, "causalrollouts.dev/template-hash": "abc"}
    return {
        "metadata": meta(f"{target}-{slot}", labels=labels, annotations=notes),
        "spec": {"template": {}},
        "status": status,
    }


def arm_pod(slot="canary-0", **more):
    labels = {
        "causalrollouts.dev/arm": slot.partition("-")[0],
        "causalrollouts.dev/rollout": "web-1",
        "causalrollouts.dev/slot": slot,
    }
    more.setdefault("ownerReferences", owned_by(f"uid-web-{slot}"))
    return pod(f"web-{slot}-x", labels, **more)


def fleet(*pods, sets=(), nodes=(), **spec):
    return fleet_of(Seen(deployment(**spec), sets, pods, nodes))


def ready(status="True", at=LATER):
    return {"type": "Ready", "status": status, "lastTransitionTime": at}


def container(**fields):
    return {"name": "web", "restartCount": 0, "state": {}, "lastState": {}, **fields}


def test_a_pod_is_ready_since_its_condition_turned_and_not_ready_is_none():
    found = fleet(
        pod("a", status={"conditions": [ready()]}), pod("b", status={"conditions": [ready("False")]})
    )
    assert [p.ready for p in found.pods] == [AT_NOON + 30, None]
    assert [p.created for p in found.pods] == [AT_NOON, AT_NOON]


def test_a_pod_that_ends_is_deleted_from_when_it_was_asked_not_from_when_it_must_be_gone():
    ending = pod(deletionTimestamp="2026-11-25T12:01:00Z", deletionGracePeriodSeconds=30)
    assert fleet(ending).pods[0].deleted == AT_NOON + 30


def test_an_evicted_pod_counts_as_gone():
    evicted = pod(status={"phase": "Failed", "conditions": [ready("False", LATER)]})
    assert fleet(evicted).pods[0].deleted == AT_NOON + 30


def test_a_pod_is_an_arms_only_with_both_labels():
    found = fleet(arm_pod(), pod(labels={"causalrollouts.dev/arm": "canary"}), sets=[slot_set()])
    assert [(p.arm, p.slot) for p in found.pods] == [(Arm.CANARY, "canary-0"), (Arm.STABLE, "uid-web-x")]


def test_only_pods_that_a_replica_set_left_behind_are_orphans():
    mine = {"pod-template-hash": "1"}
    found = fleet(
        pod("left", mine),
        pod("kept", mine, ownerReferences=owned_by("rs")),
        pod("made-by-hand"),
        pod("ending", mine, deletionTimestamp=LATER),
    )
    assert found.orphans == ("left",)


def test_slots_of_other_targets_are_not_ours():
    found = fleet(sets=[slot_set(), slot_set("canary-1", target="other")])
    assert [state.slot for state in found.slots] == [Slot(Arm.CANARY, 0)]


def test_the_newest_living_pod_speaks_for_its_slot():
    old = arm_pod(status={"conditions": [ready()]}, deletionTimestamp=LATER)
    new = arm_pod(spec={"nodeName": "node2"}, status={"conditions": [ready("False")]})
    [state] = fleet(old, new, sets=[slot_set()]).slots
    assert (state.node, state.ready, state.template_hash) == ("node2", False, "abc")


def test_a_full_quota_is_the_slots_failure():
    failed = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: pods=6"}
    [state] = fleet(sets=[slot_set(conditions=[failed])]).slots
    assert state.failure == "exceeded quota: pods=6"


@pytest.mark.parametrize(
    ("status", "reason", "message", "restarts"),
    [
        (
            container(
                restartCount=3,
                state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
                lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
            ),
            "CrashLoopBackOff",
            "back-off 40s; exit code 137, OOMKilled",
            3,
        ),
        (
            container(restartCount=2, lastState={"terminated": {"exitCode": 1, "reason": "Error"}}),
            "Error",
            "exit code 1, Error",
            2,
        ),
        (
            container(state={"waiting": {"reason": "CreateContainerConfigError", "message": "no secret"}}),
            "CreateContainerConfigError",
            "no secret",
            0,
        ),
    ],
)
def test_a_container_that_does_not_run_says_why(status, reason, message, restarts):
    found = fleet(arm_pod(status={"containerStatuses": [status]}), sets=[slot_set()])
    [waiting] = found.waiting
    assert (waiting.slot, waiting.reason, waiting.message, waiting.restarts) == (
        "canary-0",
        reason,
        message,
        restarts,
    )


def test_a_container_that_only_starts_or_a_stable_pod_is_not_waiting():
    starting = container(state={"waiting": {"reason": "ContainerCreating"}})
    bad = container(state={"waiting": {"reason": "ErrImagePull"}})
    found = fleet(
        arm_pod(status={"containerStatuses": [starting]}),
        pod(status={"containerStatuses": [bad]}),
        sets=[slot_set()],
    )
    assert found.waiting == ()


def test_an_old_set_counts_until_its_last_pod_is_gone():
    def rs(name, replicas, running):
        return {
            "metadata": meta(name, ownerReferences=owned_by("uid-web")),
            "spec": {"replicas": replicas, "template": {}},
            "status": {"replicas": running},
        }

    found = fleet(sets=[rs("a", 0, 2), rs("b", 0, 0), rs("c", 6, 0)])
    assert [s.replicas for s in found.replica_sets] == [2, 0, 6]


@pytest.mark.parametrize(
    ("node", "template", "fits"),
    [
        ({}, {}, True),
        ({"unschedulable": True}, {}, False),
        ({"taints": [{"key": "gpu", "effect": "NoSchedule", "value": "a"}]}, {}, False),
        (
            {"taints": [{"key": "gpu", "effect": "NoSchedule", "value": "a"}]},
            {"tolerations": [{"key": "gpu", "operator": "Equal", "value": "a"}]},
            True,
        ),
        (
            {"taints": [{"key": "gpu", "effect": "NoExecute"}]},
            {"tolerations": [{"operator": "Exists"}]},
            True,
        ),
        ({"taints": [{"key": "x", "effect": "PreferNoSchedule"}]}, {}, True),
        ({}, {"nodeSelector": {"disk": "ssd"}}, True),
        ({}, {"nodeSelector": {"disk": "hdd"}}, False),
        ({}, {"required": {"key": "disk", "operator": "NotIn", "values": ["ssd"]}}, False),
        ({}, {"required": {"key": "disk", "operator": "Exists"}}, True),
        ({}, {"required": {"key": "cores", "operator": "Gt", "values": ["4"]}}, True),
        ({}, {"required": {"key": "disk", "operator": "Gt", "values": ["4"]}}, False),
    ],
)
def test_a_node_is_offered_only_if_the_pod_could_go_there(node, template, fits):
    required = template.pop("required", None)
    if required:
        terms = {"nodeSelectorTerms": [{"matchExpressions": [required]}]}
        template["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    found = fleet_of(
        Seen(
            deployment(template={"metadata": {"labels": {"app": "web"}}, "spec": template}),
            (),
            (),
            [
                {
                    "metadata": meta("n", labels={"disk": "ssd", "cores": "8"}),
                    "spec": node,
                    "status": {"conditions": [ready()]},
                }
            ],
        )
    )
    assert [n.schedulable for n in found.nodes] == [fits]


def test_a_node_that_is_not_ready_is_not_offered():
    node = {"metadata": meta("n"), "status": {"conditions": [ready("Unknown")]}}
    assert [n.schedulable for n in fleet(nodes=[node]).nodes] == [False]


def test_a_pod_that_only_wears_the_labels_of_a_slot_speaks_for_no_arm():
    """Made by hand, or by a ReplicaSet that is not the slot's."""
    crash = {"restartCount": 9, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    for owners in ([], owned_by("uid-mine")):
        forged = arm_pod(status={**ready(), "containerStatuses": [crash]}, ownerReferences=owners)
        found = fleet(forged, sets=[slot_set()])
        assert not found.slots[0].ready
        assert found.waiting == ()
        assert bool(found.pods) is bool(owners)
