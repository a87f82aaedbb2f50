"""Places where the same contract is tried: the in-process API, and a real API server."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from causal_rollouts.adapters.kube import NODE, Kind, Kube
from causal_rollouts.adapters.kubernetes_api import connect
from e2e.embedded.apiserver import ApiServer
from e2e.embedded.controllers import Controllers, add_nodes

T = TypeVar("T")
NAMESPACE = Kind("", "v1", "namespaces", "Namespace", namespaced=False)
IMAGE = "localhost/pause:1"
EDGE = {"name": "edge", "namespace": "edge"}
GIT = "system:serviceaccount:git:git"


@dataclass
class Lab:
    """The API as three users see it: the operator with its roles, a person who may bypass the gate, and Git.

    gateway: parentRef of routes.
    """

    namespace: str
    operator: Kube
    person: Kube
    git: Kube
    gateway: dict[str, Any]
    wait: Callable[[], Awaitable[None]]
    now: Callable[[], float]

    async def until(self, what: str, ask: Callable[[], Awaitable[T]], seconds: float = 60) -> T:
        """Ask until the answer is true; bounded, and it says what it waited for."""
        end = self.now() + seconds
        while True:
            found = await ask()
            if found:
                return found
            if self.now() > end:
                raise TimeoutError(f"{what}: not within {seconds} s; last answer {found!r}")
            await self.wait()

    async def add(self, kind: Kind, obj: dict[str, Any]) -> dict[str, Any]:
        """Create as a person does."""
        return await self.person.create(kind, self.namespace, obj)

    async def find(self, kind: Kind, name: str) -> dict[str, Any]:
        found = await self.operator.get(kind, self.namespace, name)
        assert found is not None, f"{kind.kind} {name} is not there"
        return found

    async def nodes(self) -> list[str]:
        return [node["metadata"]["name"] for node in await self.operator.list(NODE)]


@asynccontextmanager
async def in_process() -> AsyncIterator[Lab]:
    api = ApiServer(bypass={"alice"})
    add_nodes(api, "node1", "node2", "node3", zones=("a", "b"))
    controllers = Controllers(api)

    async def wait() -> None:
        controllers.step(api.time + 1)

    operator, alice = api.client(), api.client("alice")
    yield Lab("contract", operator, alice, api.client(GIT, "git"), EDGE, wait, api.now)


@asynccontextmanager
async def on_cluster() -> AsyncIterator[Lab]:
    """The operator speaks as its ServiceAccount, so that its roles are tried with everything else."""
    from e2e.cluster import access, state

    cluster = state.load()
    kubeconfig = await asyncio.to_thread(access.operator_kubeconfig, cluster)
    namespace = f"contract-{uuid.uuid4().hex[:8]}"
    async with (
        connect(kubeconfig) as operator,
        connect(cluster.kubeconfig, manager="kubectl-edit") as person,
        connect(cluster.kubeconfig, manager="git") as git,
    ):
        impersonate: Any = git._client
        impersonate.set_default_header("Impersonate-User", GIT)
        impersonate.set_default_header("Impersonate-Group", "system:masters")
        await person.create(NAMESPACE, "", {"metadata": {"name": namespace}})
        try:
            yield Lab(namespace, operator, person, git, EDGE, lambda: asyncio.sleep(0.2), time.monotonic)
        finally:
            await person.delete(NAMESPACE, "", namespace)
