"""Pods that a Service sends to, as its EndpointSlices list them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from causal_rollouts.adapters.kube import ENDPOINT_SLICE, Kube
from causal_rollouts.adapters.reading import section

Takes = Callable[[Mapping[str, object]], bool]
"""From the conditions of an endpoint to whether it counts."""


async def pods_behind(kube: Kube, namespace: str, service: str, takes: Takes) -> frozenset[str]:
    """Uids, each pod once however many slices and families list it; addresses of what is no pod."""
    slices = await kube.list(ENDPOINT_SLICE, namespace, f"kubernetes.io/service-name={service}")
    return frozenset(
        str(section(endpoint, "targetRef").get("uid") or endpoint.get("addresses"))
        for piece in slices
        for endpoint in piece.get("endpoints") or ()
        if takes(section(endpoint, "conditions"))
    )


def ready(said: Mapping[str, object]) -> bool:
    """Unknown counts as ready."""
    return said.get("ready", True) is not False


def serving(said: Mapping[str, object]) -> bool:
    """It tells of the pod itself, also where a Service publishes pods that are not ready."""
    return said.get("serving", said.get("ready", True)) is not False
