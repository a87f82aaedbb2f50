"""Which workloads cannot be gated, each with the field, what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from causal_rollouts.adapters.kube import ARM_LABEL, Object
from causal_rollouts.adapters.reading import name, section

SHARED = frozenset({"ReadWriteMany", "ReadOnlyMany"})
LEAST = 2


def refusals(deployment: Object, claims: Mapping[str, Object]) -> tuple[str, ...]:
    """Why this Deployment cannot be gated. claims: the PersistentVolumeClaims it names, by name."""
    who = f'Deployment "{name(deployment)}"'
    spec = section(deployment, "spec")
    return tuple(
        f"{who} {text}"
        for text in (
            *_of_the_deployment(spec),
            *_of_the_pod(section(spec, "template", "spec")),
            *_of_the_volumes(section(spec, "template", "spec"), claims),
        )
    )


def claim_names(deployment: Object) -> tuple[str, ...]:
    """PersistentVolumeClaims that the pods share by name."""
    volumes = section(deployment, "spec", "template", "spec").get("volumes") or ()
    found = (section(volume, "persistentVolumeClaim").get("claimName") for volume in volumes)
    return tuple(str(claim) for claim in found if claim)


def wrong_kind(kind: str, target: str) -> str:
    """The name belongs to a workload of another kind."""
    return (
        f'spec.targetRef.name: "{target}" is a {kind}, and its pods have an identity that a copy cannot '
        "take; gate a Deployment, or release this one without a CausalRollout"
    )


def _of_the_deployment(spec: Mapping[str, Any]) -> Iterator[str]:
    strategy = section(spec, "strategy").get("type") or "RollingUpdate"
    if strategy != "RollingUpdate":
        yield (
            f"spec.strategy.type: {strategy} stops every pod before a new one runs; set it to RollingUpdate"
        )
    replicas = int(spec.get("replicas", 1))
    if replicas < LEAST:
        yield (
            f"spec.replicas: {replicas} leaves nothing to compare the release with; "
            f"set {LEAST} or more, 4 to see a small harm"
        )
    selector = section(spec, "selector")
    keys = {*section(selector, "matchLabels"), *(e["key"] for e in selector.get("matchExpressions") or ())}
    if ARM_LABEL in keys:
        yield (
            f"spec.selector: names {ARM_LABEL}, so pods of the arms would not belong to it; "
            "create the Deployment again with a selector that leaves this label out"
        )


def _of_the_pod(pod: Mapping[str, Any]) -> Iterator[str]:
    at = "spec.template.spec"
    if pod.get("hostNetwork"):
        yield f"{at}.hostNetwork: two pods of it cannot share a node; remove hostNetwork"
    for group in ("initContainers", "containers"):
        for i, container in enumerate(pod.get(group) or ()):
            for k, port in enumerate(container.get("ports") or ()):
                if port.get("hostPort"):
                    yield (
                        f"{at}.{group}[{i}].ports[{k}].hostPort: {port['hostPort']} can be taken once on a "
                        "node, so an arm has no room beside stable; remove hostPort and use the Service"
                    )


def _of_the_volumes(pod: Mapping[str, Any], claims: Mapping[str, Object]) -> Iterator[str]:
    for i, volume in enumerate(pod.get("volumes") or ()):
        claim = claims.get(str(section(volume, "persistentVolumeClaim").get("claimName")))
        modes = list(section(claim, "spec").get("accessModes") or ()) if claim else []
        if claim is not None and not SHARED.intersection(modes):
            yield (
                f'spec.template.spec.volumes[{i}]: claim "{name(claim)}" is {", ".join(modes)}, so pods of '
                "two versions would write to one volume or wait for it; keep this state outside the pods "
                "or use a ReadWriteMany volume"
            )
