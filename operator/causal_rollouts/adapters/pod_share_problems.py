"""What the user must mend before pods can share the traffic of a Service, each `field: what; fix`."""

from __future__ import annotations

from collections.abc import Iterator

from causal_rollouts.adapters.kube import ARM_LABEL, Object
from causal_rollouts.adapters.reading import name, section
from causal_rollouts.adapters.traffic_problems import no_service, selects_others
from causal_rollouts.model.traffic import TrafficPlan

FIELD = "spec.traffic.service"

UNEVEN = (
    ("publishNotReadyAddresses", True, "sends to pods that are not ready, so none can be kept out"),
    ("sessionAffinity", "ClientIP", "holds each client to one pod, so pods get uneven shares"),
    ("internalTrafficPolicy", "Local", "sends to pods of the client's node, so pods get uneven shares"),
    ("externalTrafficPolicy", "Local", "sends to pods of the node that was asked, so pods get uneven shares"),
)
"""Fields of a Service under which requests are not shared evenly between ready pods."""


def problems(
    plan: TrafficPlan, namespace: str, service: Object | None, deployment: Object | None
) -> tuple[str, ...]:
    """All of them."""
    if service is None:
        return (no_service(plan, namespace),)
    return (*_of_selector(service, deployment), *_of_sharing(service))


def _of_selector(service: Object, deployment: Object | None) -> Iterator[str]:
    selector, svc = section(service, "spec", "selector"), f'Service "{name(service)}"'
    if not selector:
        yield (
            f"{FIELD}: {svc} has no selector, so its pods cannot be counted; "
            "name a Service that selects the target's pods"
        )
        return
    if ARM_LABEL in selector:
        yield (
            f'{FIELD}: {svc} selects "{ARM_LABEL}: {selector[ARM_LABEL]}", which keeps the '
            "arms out, and with podShare they get their traffic through it; take this line out of its "
            "spec.selector"
        )
        return
    if deployment is not None and (wrong := selects_others(service, deployment)):
        yield wrong


def _of_sharing(service: Object) -> Iterator[str]:
    spec, svc = section(service, "spec"), f'Service "{name(service)}"'
    for field, value, why in UNEVEN:
        if spec.get(field) == value:
            told = str(value).lower() if value is True else value
            yield f"{FIELD}: {svc} has {field}: {told}, which {why}; take it out, or name a route instead"
    if preferred := spec.get("trafficDistribution"):
        yield (
            f"{FIELD}: {svc} has trafficDistribution: {preferred}, which prefers pods near the client, so "
            "pods get uneven shares; take it out, or name a route instead"
        )
