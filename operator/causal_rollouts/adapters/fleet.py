"""From API objects to the fleet of one target: the only place that knows how a pod tells its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from causal_rollouts.adapters.kube import (
    ARM_LABEL,
    BEFORE_LABEL,
    FIELD_MANAGER,
    GATE_LABEL,
    HASH_ANNOTATION,
    MACHINE,
    ROLLOUT_LABEL,
    SLOT_LABEL,
    TARGET_ANNOTATION,
    ZONE,
    Object,
)
from causal_rollouts.adapters.reading import (
    condition,
    controller,
    created,
    deletion_asked,
    gated,
    labels,
    name,
    notes,
    seconds,
    section,
    uid,
)
from causal_rollouts.adapters.room import nodes_for
from causal_rollouts.model.arms import Arm, Pod, Slot
from causal_rollouts.model.template import POD_TEMPLATE_HASH, template_hash, without_label
from causal_rollouts.model.world import (
    BACK_OFF,
    CRASHES_TO_CALL_IT_A_LOOP,
    Crash,
    Fleet,
    ReplicaSet,
    SlotState,
    Target,
    Waiting,
)

STARTING = frozenset({"ContainerCreating", "PodInitializing", ""})
ENDED = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What was listed: the Deployment, all ReplicaSets of its namespace, pods of its selector, all nodes."""

    deployment: Object
    replica_sets: Sequence[Object]
    pods: Sequence[Object]
    nodes: Sequence[Object]


def fleet_of(seen: Seen) -> Fleet:
    """The fleet of one target."""
    own = uid(seen.deployment)
    sets = [rs for rs in seen.replica_sets if controller(rs) == own]
    slots = slots_named(name(seen.deployment), seen.replica_sets)
    by_slot = {uid(rs) for rs in slots}
    places = {name(node): labels(node) for node in seen.nodes}
    arm_pods = [pod for pod in seen.pods if controller(pod) in by_slot]
    return Fleet(
        target=target_of(seen.deployment),
        replica_sets=tuple(_replica_set(rs, seen.pods) for rs in sets),
        pods=tuple(pod_of(pod, places) for pod in seen.pods if not _forged(pod)),
        orphans=tuple(name(pod) for pod in seen.pods if _orphaned(pod)),
        slots=tuple(_slot_state(rs, arm_pods) for rs in slots),
        waiting=tuple(waiting for pod in arm_pods for waiting in _waiting(pod)),
        nodes=nodes_for(section(seen.deployment, "spec", "template"), list(seen.nodes)),
    )


def target_of(deployment: Object) -> Target:
    """The Deployment itself."""
    spec, status, meta = section(deployment, "spec"), section(deployment, "status"), deployment["metadata"]
    template = section(spec, "template")
    paused = bool(spec.get("paused"))
    return Target(
        name=name(deployment),
        uid=uid(deployment),
        version=str(meta["resourceVersion"]),
        generation=int(meta.get("generation") or 0),
        observed_generation=int(status.get("observedGeneration") or 0),
        paused=paused,
        gate=labels(deployment).get(GATE_LABEL) == "enabled",
        replicas=int(spec.get("replicas", 1)),
        template=template,
        template_hash=template_hash(template),
        bare_hash=template_hash(without_label(template, ARM_LABEL, Arm.STABLE)),
        selector=section(spec, "selector", "matchLabels"),
        strategy=str(section(spec, "strategy").get("type") or "RollingUpdate"),
        updated=int(status.get("updatedReplicas") or 0),
        ready=int(status.get("readyReplicas") or 0),
        available=int(status.get("availableReplicas") or 0),
        paused_in_git=paused and _claims_pause(meta.get("managedFields") or ()),
    )


def pod_of(pod: Object, places: Mapping[str, Mapping[str, str]]) -> Pod:
    """One pod of the target's selector."""
    arm = labels(pod).get(ARM_LABEL, "")
    in_slot = arm in (Arm.CANARY, Arm.BASELINE) and SLOT_LABEL in labels(pod)
    node = str(section(pod, "spec").get("nodeName") or "")
    return Pod(
        name=name(pod),
        uid=uid(pod),
        arm=Arm(arm) if in_slot else Arm.STABLE,
        slot=labels(pod)[SLOT_LABEL] if in_slot else uid(pod),
        node=node,
        zone=places.get(node, {}).get(ZONE, ""),
        machine=places.get(node, {}).get(MACHINE, ""),
        created=created(pod),
        ready=_ready_since(pod),
        deleted=ended(pod),
    )


def _orphaned(pod: Object) -> bool:
    """Left behind by a ReplicaSet of a Deployment; a pod that somebody made by hand is none of ours."""
    return POD_TEMPLATE_HASH in labels(pod) and not controller(pod) and deletion_asked(pod) is None


def _forged(pod: Object) -> bool:
    """It wears the labels of a slot, and no ReplicaSet made it: whoever made it speaks for no arm."""
    return SLOT_LABEL in labels(pod) and not controller(pod)


def _claims_pause(entries: Sequence[Mapping[str, Any]]) -> bool:
    """Somebody besides us says `spec.paused`; what the admission policy set belongs to nobody."""
    return any(
        "f:paused" in section(entry, "fieldsV1", "f:spec")
        for entry in entries
        if entry.get("manager") != FIELD_MANAGER
    )


def _ready_since(pod: Object) -> float | None:
    # Whether it could serve; whether it does is a question of weights, where these stand on pods.
    found = condition(pod, "ContainersReady" if gated(pod) else "Ready")
    return seconds(found["lastTransitionTime"]) if found.get("status") == "True" else None


def ended(pod: Object) -> float | None:
    """Since when it works no more: told to end, or over by itself; None while it may work."""
    asked = deletion_asked(pod)
    if asked is not None or section(pod, "status").get("phase") not in ENDED:
        return asked
    since = condition(pod, "Ready").get("lastTransitionTime")
    return seconds(since) if since else created(pod)


def _replica_set(rs: Object, pods: Sequence[Object]) -> ReplicaSet:
    spec, status = section(rs, "spec"), section(rs, "status")
    template = section(spec, "template")
    return ReplicaSet(
        name=name(rs),
        uid=uid(rs),
        template=template,
        template_hash=template_hash(template),
        # Pods that still run count: a set told to be empty is empty when they are gone.
        replicas=max(int(spec.get("replicas", 1)), int(status.get("replicas") or 0)),
        ready=int(status.get("readyReplicas") or 0),
        created=created(rs),
        crashing=tuple(
            Crash(w.pod, w.restarts, w.message or w.reason)
            for pod in pods
            if controller(pod) == uid(rs)
            for w in _waiting(pod)
            # Only what crashes now: a fleet pod may have a past that no pod of an arm shares.
            if w.reason == BACK_OFF and w.restarts >= CRASHES_TO_CALL_IT_A_LOOP
        ),
    )


def slots_of(target: str, replica_sets: Sequence[Object], pods: Sequence[Object]) -> tuple[SlotState, ...]:
    """Slots of a target by its name."""
    return tuple(_slot_state(rs, pods) for rs in slots_named(target, replica_sets))


def slots_named(target: str, replica_sets: Sequence[Object]) -> list[Object]:
    """ReplicaSets of the slots of a target."""
    return [
        rs
        for rs in replica_sets
        if ROLLOUT_LABEL in labels(rs)
        and SLOT_LABEL in labels(rs)
        and notes(rs).get(TARGET_ANNOTATION) == target
    ]


def _slot_key(pod: Object) -> tuple[str, str, str]:
    """Of a ReplicaSet of a slot or of its pod."""
    found = labels(pod)
    return found.get(ROLLOUT_LABEL, ""), found.get(SLOT_LABEL, ""), found.get(BEFORE_LABEL, "")


def _slot_state(rs: Object, arm_pods: Sequence[Object]) -> SlotState:
    key = _slot_key(rs)
    mine = [pod for pod in arm_pods if controller(pod) == uid(rs) and ended(pod) is None]
    newest = max(mine, key=created, default=None)
    failed = condition(rs, "ReplicaFailure")
    return SlotState(
        slot=Slot.parse(key[1]),
        name=name(rs),
        template_hash=notes(rs).get(HASH_ANNOTATION, ""),
        node=str(section(newest, "spec").get("nodeName") or "") if newest else "",
        ready=newest is not None and _ready_since(newest) is not None,
        failure=str(failed.get("message", "")) if failed.get("status") == "True" else "",
        uid=uid(rs),
        before=bool(key[2]),
    )


def _waiting(pod: Object) -> list[Waiting]:
    """Containers that do not run, or that run again after they ended; and a pod without a node."""
    slot = labels(pod).get(SLOT_LABEL, "")
    if ended(pod) is not None:
        return []
    placed = condition(pod, "PodScheduled")
    if placed.get("status") == "False":
        message = str(placed.get("message", ""))
        return [Waiting(slot, name(pod), str(placed.get("reason", "Unschedulable")), message, 0)]
    status = section(pod, "status")
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    found = [_stopped(container) for container in containers]
    return [Waiting(slot, name(pod), *reason) for reason in found if reason is not None]


def _stopped(container: Mapping[str, Any]) -> tuple[str, str, int] | None:
    restarts = int(container.get("restartCount") or 0)
    waits = section(container, "state", "waiting")
    ended = section(container, "state", "terminated") or section(container, "lastState", "terminated")
    last = f"exit code {ended['exitCode']}, {ended.get('reason', '')}" if "exitCode" in ended else ""
    if str(waits.get("reason", "")) not in STARTING:
        message = "; ".join(text for text in (str(waits.get("message", "")), last) if text)
        return str(waits["reason"]), message, restarts
    if restarts and last:
        return str(ended.get("reason", "Error")), last, restarts
    return None
