"""Pods that a Service sends to, as its EndpointSlices list them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from causal_rollouts.adapters.kube import ENDPOINT_SLICE, Kube
from causal_rollouts.adapters.reading import labels, section

SERVICE_NAME = "kubernetes.io/service-name"

Takes = Callable[[Mapping[str, object]], bool]
"""From the conditions of an endpoint to whether it counts."""


async def pods_behind(
    kube: Kube, namespace: str, services: Sequence[str], takes: Takes
) -> dict[str, frozenset[str]]:
    """Uids by Service, each pod once however many slices and families list it; addresses of what is no pod.

    One call for all of them: the API server looks through every slice of the namespace for each.
    """
    slices = await kube.list(ENDPOINT_SLICE, namespace, f"{SERVICE_NAME} in ({','.join(services)})")
    return {
        service: frozenset(
            str(section(endpoint, "targetRef").get("uid") or endpoint.get("addresses"))
            for piece in slices
            if labels(piece)[SERVICE_NAME] == service
            for endpoint in piece.get("endpoints") or ()
            if takes(section(endpoint, "conditions"))
        )
        for service in services
    }


def ready(said: Mapping[str, object]) -> bool:
    """Unknown counts as ready."""
    return said.get("ready", True) is not False


def serving(said: Mapping[str, object]) -> bool:
    """It tells of the pod itself, also where a Service publishes pods that are not ready."""
    return said.get("serving", said.get("ready", True)) is not False
