"""The ReplicaSet of one slot: the user's pod, known by labels that no Deployment can claim."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from causal_rollouts.adapters.kube import (
    ARM_LABEL,
    BEFORE_LABEL,
    HASH_ANNOTATION,
    NODE_ANNOTATION,
    RECORD,
    REPLICA_SET,
    ROLLOUT_LABEL,
    SLOT_LABEL,
    TARGET_ANNOTATION,
    Object,
)
from causal_rollouts.adapters.reading import labels, section
from causal_rollouts.model.actions import CreateSlot, RestoreStableSet
from causal_rollouts.model.arms import Slot
from causal_rollouts.model.template import POD_TEMPLATE_HASH
from causal_rollouts.model.traffic import POD_CONDITION

GATE = {"conditionType": POD_CONDITION}

STRONGEST = 100
"""Weight of the wish for a node; a requirement would leave the slot without a pod when the node is full."""


def slot_name(target: str, slot: Slot, *, before: bool) -> str:
    """Of the ReplicaSet; before: of a pre-period, whose slots give their places to others of the same id."""
    return f"{target}-{slot.id}{'-before' if before else ''}"


def slot_set(action: CreateSlot) -> Object:
    """One pod of the template, asked to its node.

    The set's own labels and selector are only ours, else the target's Deployment would adopt it.
    """
    ours = {ROLLOUT_LABEL: action.record, SLOT_LABEL: action.slot.id}
    if action.before:
        ours[BEFORE_LABEL] = "true"
    written = {
        TARGET_ANNOTATION: action.target,
        HASH_ANNOTATION: action.template_hash,
        NODE_ANNOTATION: action.node,
    }
    owner = {
        "apiVersion": RECORD.api_version,
        "kind": RECORD.kind,
        "name": action.record,
        "uid": action.record_uid,
        "controller": True,
    }
    return {
        "apiVersion": REPLICA_SET.api_version,
        "kind": REPLICA_SET.kind,
        "metadata": {
            "name": slot_name(action.target, action.slot, before=action.before),
            "labels": ours,
            "annotations": {key: value for key, value in written.items() if value},
            "ownerReferences": [owner],
        },
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": ours},
            "template": _template(action, ours),
        },
    }


def stable_set(action: RestoreStableSet, deployment: Object) -> Object:
    """The stable ReplicaSet as its Deployment made it: with its labels and hash it is adopted."""
    template = action.template
    selector = section(deployment, "spec", "selector")
    digest = labels(template).get(POD_TEMPLATE_HASH) or action.name.removeprefix(f"{action.target}-")
    meta = {**section(template, "metadata"), "labels": {**labels(template), POD_TEMPLATE_HASH: digest}}
    return {
        "apiVersion": REPLICA_SET.api_version,
        "kind": REPLICA_SET.kind,
        "metadata": {"name": action.name, "labels": meta["labels"]},
        "spec": {
            "replicas": action.replicas,
            "selector": {
                **selector,
                "matchLabels": {**section(selector, "matchLabels"), POD_TEMPLATE_HASH: digest},
            },
            "template": {**template, "metadata": meta},
        },
    }


def _template(action: CreateSlot, ours: Mapping[str, str]) -> Object:
    template = action.template
    kept = {key: value for key, value in labels(template).items() if key != POD_TEMPLATE_HASH}
    meta = {
        **section(template, "metadata"),
        "labels": {**kept, **ours, ARM_LABEL: str(action.slot.arm)},
    }
    spec = _asked_to(action.node, section(template, "spec"))
    return {**template, "metadata": meta, "spec": _gated(spec) if action.gated else spec}


def _gated(spec: Object) -> Object:
    """Out of every Service's traffic until the condition is set, also while no operator runs."""
    gates = [gate for gate in spec.get("readinessGates") or () if gate != GATE]
    return {**spec, "readinessGates": [*gates, GATE]}


def _asked_to(node: str, spec: Mapping[str, Any]) -> Object:
    if not node:
        return dict(spec)
    # By name: the hostname label is another word on some clouds.
    here = {"key": "metadata.name", "operator": "In", "values": [node]}
    wish = {"weight": STRONGEST, "preference": {"matchFields": [here]}}
    affinity = section(spec, "affinity")
    on_nodes = section(affinity, "nodeAffinity")
    wishes = [*(on_nodes.get("preferredDuringSchedulingIgnoredDuringExecution") or ()), wish]
    asked = {**on_nodes, "preferredDuringSchedulingIgnoredDuringExecution": wishes}
    return {**spec, "affinity": {**affinity, "nodeAffinity": asked}}
