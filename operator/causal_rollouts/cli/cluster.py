"""The cluster a command speaks with, and the few things every command reads there."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from causal_rollouts.adapters.kube import ROLLOUT, Kube
from causal_rollouts.adapters.reading import name as name_of
from causal_rollouts.adapters.records import KubeRolloutStore
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.model.world import Key
from causal_rollouts.ports import Record, Rollout

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
USUAL = Path("~/.kube/config")


class Time(Protocol):
    """Time as commands need it: to look at and to let pass."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


class RealTime:
    """The wall clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Where:
    """What a person said of the cluster; "" where nothing."""

    kubeconfig: str = ""
    context: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """One API server, one namespace, one clock."""

    kube: Kube
    namespace: str
    time: Time

    @property
    def store(self) -> KubeRolloutStore:
        """CausalRollouts and records."""
        return KubeRolloutStore(self.kube)

    def key(self, name: str) -> Key:
        """A rollout of this namespace."""
        return Key(self.namespace, name)

    async def rollout(self, name: str) -> Rollout:
        """The CausalRollout, or words that say what there is instead."""
        found = await self.store.rollout(self.key(name))
        if found is not None:
            return found
        others = [name_of(obj) for obj in await self.kube.list(ROLLOUT, self.namespace)]
        there = f"there are: {', '.join(others)}" if others else "there is none; try another -n"
        raise Stopped(
            f'CausalRollout "{name}": not found in namespace "{self.namespace}"; {there}', Exit.USAGE
        )

    async def records(self, name: str) -> tuple[Record, ...]:
        """Records of a rollout, oldest first."""
        return await self.store.records(self.key(name))


Opener = Callable[[Where], AbstractAsyncContextManager[Cluster]]
"""How a command gets its cluster; tests give another."""


@asynccontextmanager
async def opened(where: Where) -> AsyncIterator[Cluster]:
    """The real one: by --kubeconfig, KUBECONFIG, the pod's ServiceAccount, or ~/.kube/config."""
    path = kubeconfig_of(where)
    import yaml
    from kubernetes.aio.config import ConfigException

    from causal_rollouts.adapters.kubernetes_api import connect

    # The loader stumbles over a file that is no kubeconfig in as many ways as there are such files.
    kinds = (TypeError, AttributeError, LookupError, ValueError)
    unreadable = (ConfigException, OSError, yaml.YAMLError, *kinds)
    async with AsyncExitStack() as stack:
        try:
            kube = await stack.enter_async_context(connect(path, context=where.context))
            namespace = where.namespace or _namespace(path, where.context)
        except unreadable as error:
            what = f"kubeconfig {path}" if path else "ServiceAccount of this pod"
            said = " ".join(str(error).split()) or type(error).__name__
            raise Stopped(f"{what}: cannot be used: {said}; give another --kubeconfig", Exit.USAGE) from error
        yield Cluster(kube, namespace, RealTime())


def kubeconfig_of(where: Where) -> Path | None:
    """The kubeconfig to use, None inside a pod.

    Raises:
        Stopped: there is none, or the one that was named is not there.
    """
    named = where.kubeconfig or os.environ.get("KUBECONFIG", "")
    if named:
        parts = [Path(part).expanduser() for part in named.split(os.pathsep) if part]
        if not any(part.is_file() for part in parts):
            raise Stopped(f"kubeconfig {named}: no such file; correct --kubeconfig or KUBECONFIG", Exit.USAGE)
        return Path(os.pathsep.join(str(part) for part in parts))
    if (SERVICE_ACCOUNT / "token").is_file():
        return None
    if USUAL.expanduser().is_file():
        return USUAL.expanduser()
    raise Stopped("no cluster named: give --kubeconfig FILE or set KUBECONFIG", Exit.USAGE)


def _namespace(path: Path | None, context: str) -> str:
    """The namespace of the context, as kubectl takes it."""
    if path is None:
        said = SERVICE_ACCOUNT / "namespace"
        return said.read_text().strip() if said.is_file() else "default"
    import yaml

    for part in str(path).split(os.pathsep):
        found = yaml.safe_load(Path(part).read_text()) if Path(part).is_file() else None
        config = found if isinstance(found, dict) else {}
        wanted = context or config.get("current-context")
        for entry in config.get("contexts") or ():
            if entry.get("name") == wanted:
                return str((entry.get("context") or {}).get("namespace") or "default")
    return "default"
