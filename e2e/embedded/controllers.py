"""The controllers of the in-process cluster, stepped by whoever tells the story.

`step(now)` moves the one clock and lets every controller run until none of them
has anything to write: the same story for the same steps, without a thread.
"""

from dataclasses import dataclass, field

from causal_rollouts.adapters.kube import (
    ENDPOINT_SLICE,
    GRPC_ROUTE,
    HOSTNAME,
    HTTP_ROUTE,
    NODE,
    POD,
    SERVICE,
    ZONE,
)
from e2e.embedded.apiserver import ApiServer, Object
from e2e.embedded.owners import collect_garbage, owner_of
from e2e.embedded.pods import BehaviourOf, by_environment, ready_since, run_kubelets, schedule
from e2e.embedded.replica_sets import Refusal, reconcile_replica_sets
from e2e.embedded.rolling import reconcile_deployments
from e2e.embedded.selectors import matches, of

ROUNDS = 50
"""More rounds than the longest chain of effects; beyond it two controllers fight."""


def _lets_in(_: Object) -> str:
    return ""


@dataclass(slots=True)
class Controllers:
    """behaviour_of: how pods of a template live. refuse: what the quota says to a new pod.

    gateway: the gateway controller runs; without it routes are never accepted.
    """

    api: ApiServer
    behaviour_of: BehaviourOf = by_environment
    refuse: Refusal = field(default=_lets_in)
    gateway: bool = True

    def step(self, now: float) -> None:
        """Let time pass until `now`, then let every controller catch up."""
        if now < self.api.time:
            raise ValueError(f"time does not go back: {now} is before {self.api.time}")
        self.api.time = now
        for _ in range(ROUNDS):
            before = self.api.version
            reconcile_deployments(self.api)
            reconcile_replica_sets(self.api, self.refuse)
            schedule(self.api)
            run_kubelets(self.api, self.behaviour_of)
            collect_garbage(self.api)
            if self.api.version == before:
                break
        else:
            raise RuntimeError("controllers did not come to rest")
        publish_endpoints(self.api)
        if self.gateway:
            accept_routes(self.api)


def add_nodes(api: ApiServer, *names: str, zones: tuple[str, ...] = ("a",)) -> None:
    """Nodes that are ready, over zones in turn."""
    for at, name in enumerate(names):
        labels = {HOSTNAME: name, ZONE: zones[at % len(zones)]}
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        api.add(NODE, "", {"metadata": {"name": name, "labels": labels}, "spec": {}, "status": ready})


def publish_endpoints(api: ApiServer) -> None:
    """One EndpointSlice for each Service."""
    for service in list(api.stored(SERVICE)):
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        wanted = service.get("spec", {}).get("selector") or {}
        unready_too = bool(service.get("spec", {}).get("publishNotReadyAddresses"))
        chosen = of({"matchLabels": wanted})
        endpoints = [
            {
                "addresses": [f"10.0.0.{number % 250}"],
                "conditions": {
                    "ready": unready_too or ready_since(pod) is not None,
                    "serving": ready_since(pod) is not None,
                    "terminating": "deletionTimestamp" in pod["metadata"],
                },
                "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]},
                "nodeName": pod["spec"].get("nodeName", ""),
            }
            for number, pod in enumerate(api.stored(POD, namespace))
            if wanted and matches(chosen, pod["metadata"].get("labels", {}))
        ]
        piece = {
            "metadata": {
                "name": f"{name}-slice",
                "labels": {"kubernetes.io/service-name": name},
                "ownerReferences": [owner_of(SERVICE, service)],
            },
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": service["spec"].get("ports", []),
        }
        old = api.find(ENDPOINT_SLICE, namespace, f"{name}-slice")
        if old is None:
            api.add(ENDPOINT_SLICE, namespace, piece)
        else:
            api.change(ENDPOINT_SLICE, old, {**old, "endpoints": endpoints})


def accept_routes(api: ApiServer) -> None:
    """The gateway has taken every route as it is now."""
    for kind in (HTTP_ROUTE, GRPC_ROUTE):
        for route in list(api.stored(kind)):
            generation = route["metadata"]["generation"]
            parents = [
                {
                    "parentRef": ref,
                    "controllerName": "embedded/gateway",
                    "conditions": [
                        {"type": name, "status": "True", "reason": name, "observedGeneration": generation}
                        for name in ("Accepted", "ResolvedRefs")
                    ],
                }
                for ref in route.get("spec", {}).get("parentRefs", [])
            ]
            api.change(kind, route, {**route, "status": {"parents": parents}}, status=True)
