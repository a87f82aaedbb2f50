"""The one way to the API server, so that every adapter runs on a real one and on an in-process one.

Objects are plain dictionaries: only the few fields that adapters know are read,
and everything else passes through untouched. Errors are the ports' three:

- 409, and 404 on a write (`Gone`), are `NotYet`: the world is not what it was when read.
- 400, 403 and 422 on a write are `Refused`, with the API server's message.
- everything else, every timeout, and any failed read is `Broken`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from causal_rollouts.ports import NotYet

Object = dict[str, Any]
"""One API object, or a part of one. Never changed after it was read."""

GROUP = "causalrollouts.dev"
OWN_VERSION = "v1alpha1"
FIELD_MANAGER = "causal-rollouts"

ARM_LABEL = f"{GROUP}/arm"
ROLLOUT_LABEL = f"{GROUP}/rollout"
SLOT_LABEL = f"{GROUP}/slot"
BEFORE_LABEL = f"{GROUP}/before"
GATE_LABEL = f"{GROUP}/gate"
POLICY_LABEL = f"{GROUP}/policy"
NAME_LABEL = f"{GROUP}/rollout-name"
TARGET_ANNOTATION = f"{GROUP}/target"
HASH_ANNOTATION = f"{GROUP}/template-hash"
NODE_ANNOTATION = f"{GROUP}/node"
FINALIZER = f"{GROUP}/traffic"
HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
MACHINE = "node.kubernetes.io/instance-type"


class Gone(NotYet):
    """What should be written or deleted is not there (any more)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as the API server addresses it."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` of the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "") -> str:
        """Where the API server serves it."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{scope}/{self.plural}" + (f"/{name}" if name else "")


ROLLOUT = Kind(GROUP, OWN_VERSION, "causalrollouts", "CausalRollout")
POLICY = Kind(GROUP, OWN_VERSION, "rolloutpolicies", "RolloutPolicy", namespaced=False)
RECORD = Kind(GROUP, OWN_VERSION, "rolloutrecords", "RolloutRecord")
DEPLOYMENT = Kind("apps", "v1", "deployments", "Deployment")
REPLICA_SET = Kind("apps", "v1", "replicasets", "ReplicaSet")
STATEFUL_SET = Kind("apps", "v1", "statefulsets", "StatefulSet")
DAEMON_SET = Kind("apps", "v1", "daemonsets", "DaemonSet")
POD = Kind("", "v1", "pods", "Pod")
NAMESPACE = Kind("", "v1", "namespaces", "Namespace", namespaced=False)
NODE = Kind("", "v1", "nodes", "Node", namespaced=False)
SERVICE = Kind("", "v1", "services", "Service")
CLAIM = Kind("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
ENDPOINT_SLICE = Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
HTTP_ROUTE = Kind("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
GRPC_ROUTE = Kind("gateway.networking.k8s.io", "v1", "grpcroutes", "GRPCRoute")
EVENT = Kind("events.k8s.io", "v1", "events", "Event")
LEASE = Kind("coordination.k8s.io", "v1", "leases", "Lease")
ROUTES = {kind.kind: kind for kind in (HTTP_ROUTE, GRPC_ROUTE)}


class Kube(Protocol):
    """The verbs adapters need. `name` and `namespace` of the object itself are always given in full."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """One object, None when it is not there (nor its kind)."""
        ...

    async def list(self, kind: Kind, namespace: str = "", labels: str = "", fields: str = "") -> list[Object]:
        """All that match both selectors, by namespace and name; every namespace when it is "".

        fields: `path=value`, of a path that the kind lets be selected.
        """
        ...

    async def heads(self, kind: Kind, namespace: str, labels: str) -> Sequence[Object]:
        """As `list`, metadata alone: for kinds whose objects are large."""
        ...

    async def create(self, kind: Kind, namespace: str, obj: Object) -> Object:
        """Create it. NotYet when it exists already."""
        ...

    async def merge(
        self, kind: Kind, namespace: str, name: str, patch: Mapping[str, Any], *, status: bool = False
    ) -> Object:
        """Merge patch; a `metadata.resourceVersion` in it is a precondition."""
        ...

    async def json_patch(
        self, kind: Kind, namespace: str, name: str, ops: Sequence[Mapping[str, Any]], *, status: bool = False
    ) -> Object:
        """JSON Patch. NotYet when a `test` fails or a path is not there."""
        ...

    async def apply(self, kind: Kind, namespace: str, obj: Object, *, force: bool = True) -> Object:
        """Server-side apply by the field manager `causal-rollouts`."""
        ...

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str = "", propagation: str = "Background"
    ) -> None:
        """Delete it, exactly the one with this uid where given. Gone when it is not there."""
        ...
