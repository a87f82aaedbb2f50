"""The Services of the arms: the user's Service with another arm in its selector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from causal_rollouts.adapters.backends import arm_service
from causal_rollouts.adapters.kube import ARM_LABEL, GROUP, SERVICE, Object
from causal_rollouts.adapters.reading import labels, name, notes, section
from causal_rollouts.model.arms import Arm

ARMS = (Arm.BASELINE, Arm.CANARY)
OF_ANNOTATION = f"{GROUP}/service"
"""On an arm's Service: whose arm it is. Without it a Service of that name is somebody else's."""

INJECTED_ANNOTATION = f"{GROUP}/injected"
"""On the canary's Service: rules into which the operator put the arms, so that it takes out only those."""

HOME_ANNOTATION = f"{GROUP}/weights-at-home"
"""On the canary's Service: what rules with traffic on the arms gave the Service before, to be given back."""

NOT_COPIED = ("app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "argocd.argoproj.io/")
NOT_COPIED_FROM = ("kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/", "helm.sh/")
"""Labels by which a GitOps controller knows its own: with them it would prune the arm's Service."""


def arm_manifest(service: Object, arm: Arm) -> Object:
    """The Service of an arm, to be applied."""
    spec = section(service, "spec")
    return {
        "apiVersion": SERVICE.api_version,
        "kind": SERVICE.kind,
        "metadata": {
            "name": arm_service(name(service), arm),
            "namespace": service["metadata"]["namespace"],
            "labels": _labels(service),
            "annotations": {OF_ANNOTATION: name(service)},
        },
        "spec": {
            "selector": {**section(spec, "selector"), ARM_LABEL: str(arm)},
            "ports": [_port(port) for port in spec.get("ports") or ()],
        },
    }


def is_current(found: Object | None, service: Object, arm: Arm) -> bool:
    """An arm's Service stands and follows the user's."""
    if found is None or not is_ours(found, name(service)):
        return False
    wanted = arm_manifest(service, arm)
    return (
        section(found, "spec", "selector") == wanted["spec"]["selector"]
        and _ports(found) == _ports(wanted)
        and wanted["metadata"]["labels"].items() <= labels(found).items()
    )


def is_ours(found: Object, service: str) -> bool:
    """The operator made this Service for an arm of that one."""
    return notes(found).get(OF_ANNOTATION) == service


def injected(canary: Object | None) -> frozenset[str]:
    """Rules that carry arms which the operator put there."""
    text = notes(canary).get(INJECTED_ANNOTATION, "") if canary else ""
    return frozenset(text.split(",")) - {""}


def noted_weights(canary: Object | None) -> dict[str, int]:
    """By rule, the weight it gave the Service before its arms had traffic."""
    text = notes(canary).get(HOME_ANNOTATION, "") if canary else ""
    pairs = (part.rpartition("=") for part in text.split(","))
    return {rule: int(weight) for rule, _, weight in pairs if rule and weight.isdecimal()}


def _labels(service: Object) -> dict[str, str]:
    tracking = (*NOT_COPIED, *NOT_COPIED_FROM)
    return {key: value for key, value in labels(service).items() if not key.startswith(tracking)}


def _port(port: Mapping[str, Any]) -> Object:
    kept = ("name", "protocol", "appProtocol", "port", "targetPort")
    return {key: port[key] for key in kept if port.get(key) is not None}


def _ports(service: Object) -> list[tuple[object, ...]]:
    """Ports with what the API server fills in."""
    return sorted(
        (
            port["port"],
            port.get("protocol") or "TCP",
            port.get("name") or "",
            str(port.get("targetPort") or port["port"]),
            port.get("appProtocol") or "",
        )
        for port in section(service, "spec").get("ports") or ()
    )
