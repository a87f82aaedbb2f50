"""The target, its pods and the slots, through the API server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from causal_rollouts.adapters.fleet import Seen, fleet_of, slots_of
from causal_rollouts.adapters.kube import (
    CLAIM,
    DAEMON_SET,
    DEPLOYMENT,
    GATE_LABEL,
    NODE,
    POD,
    REPLICA_SET,
    SLOT_LABEL,
    STATEFUL_SET,
    Gone,
    Kind,
    Kube,
)
from causal_rollouts.adapters.nodes import Nodes
from causal_rollouts.adapters.reading import section, selector_text, uid
from causal_rollouts.adapters.slots import slot_set, stable_set
from causal_rollouts.adapters.support import claim_names, refusals, wrong_kind
from causal_rollouts.model import actions as act
from causal_rollouts.model.actions import Action
from causal_rollouts.model.world import Fleet, SlotState
from causal_rollouts.ports import NotYet


@dataclass(frozen=True, slots=True)
class KubeWorkloads:
    """Workloads over the API server. nodes: shared by many passes; without it each look lists them."""

    kube: Kube
    nodes: Nodes | None = None

    async def fleet(self, namespace: str, target: str) -> Fleet | None:
        """All that runs for one target, or None when the Deployment is not there."""
        deployment = await self.kube.get(DEPLOYMENT, namespace, target)
        if deployment is None:
            return None
        wanted = selector_text(section(deployment, "spec", "selector"))
        sets, slots, pods, nodes = await asyncio.gather(
            self.kube.list(REPLICA_SET, namespace, wanted),
            self.kube.list(REPLICA_SET, namespace, SLOT_LABEL),
            self.kube.list(POD, namespace, wanted),
            self.nodes.seen() if self.nodes else self.kube.list(NODE),
        )
        return fleet_of(Seen(deployment, list({uid(rs): rs for rs in (*sets, *slots)}.values()), pods, nodes))

    async def unsupported(self, namespace: str, target: str) -> tuple[str, ...]:
        """Why this target cannot be gated; empty when it can, or when nothing has this name."""
        deployment = await self.kube.get(DEPLOYMENT, namespace, target)
        if deployment is None:
            return await self._other_kinds(namespace, target)
        names = claim_names(deployment)
        found = await asyncio.gather(*(self.kube.get(CLAIM, namespace, name) for name in names))
        claims = {name: claim for name, claim in zip(names, found, strict=True) if claim is not None}
        return refusals(deployment, claims)

    async def slots(self, namespace: str, target: str) -> tuple[SlotState, ...]:
        """Slots of a target, also of one that is not there any more."""
        sets = await self.kube.list(REPLICA_SET, namespace, SLOT_LABEL)
        pods = await self.kube.list(POD, namespace, SLOT_LABEL)
        return slots_of(target, sets, pods)

    async def perform(self, namespace: str, action: Action) -> None:
        """Slots, pausing, ReplicaSets and pods."""
        match action:
            case act.CreateSlot():
                await self.kube.create(REPLICA_SET, namespace, slot_set(action))
            case act.DeleteSlot():
                await self._delete(REPLICA_SET, namespace, action.name, action.uid)
            case act.GateTarget():
                await self._gate(namespace, action.target)
            case act.PauseTarget():
                await self.kube.merge(DEPLOYMENT, namespace, action.target, {"spec": {"paused": True}})
            case act.UnpauseTarget():
                await self._unpause(namespace, action)
            case act.DeleteReplicaSet():
                propagation = "Orphan" if action.orphan else "Background"
                await self._delete(REPLICA_SET, namespace, action.name, action.uid, propagation)
            case act.RestoreStableSet():
                await self._restore(namespace, action)
            case act.DeletePod():
                await self._delete(POD, namespace, action.name)
            case _:
                raise TypeError(f"{type(action).__name__} is not for workloads")

    async def _other_kinds(self, namespace: str, target: str) -> tuple[str, ...]:
        kinds = (STATEFUL_SET, DAEMON_SET)
        found = await asyncio.gather(*(self.kube.get(kind, namespace, target) for kind in kinds))
        named = zip(kinds, found, strict=True)
        return tuple(wrong_kind(kind.kind, target) for kind, obj in named if obj is not None)

    async def _gate(self, namespace: str, target: str) -> None:
        if await self.kube.get(DEPLOYMENT, namespace, target) is None:
            raise Gone(f'Deployment "{target}" is not there')
        label = {
            "apiVersion": DEPLOYMENT.api_version,
            "kind": DEPLOYMENT.kind,
            "metadata": {"name": target, "namespace": namespace, "labels": {GATE_LABEL: "enabled"}},
        }
        await self.kube.apply(DEPLOYMENT, namespace, label)

    async def _unpause(self, namespace: str, action: act.UnpauseTarget) -> None:
        # None, not False: at rest the object is as Git wrote it.
        patch = {"metadata": {"resourceVersion": action.seen}, "spec": {"paused": None}}
        await self.kube.merge(DEPLOYMENT, namespace, action.target, patch)

    async def _restore(self, namespace: str, action: act.RestoreStableSet) -> None:
        deployment = await self.kube.get(DEPLOYMENT, namespace, action.target)
        if deployment is None or uid(deployment) != action.target_uid:
            raise NotYet(f'Deployment "{action.target}" is not the one that the release began with')
        await self.kube.create(REPLICA_SET, namespace, stable_set(action, deployment))

    async def _delete(
        self, kind: Kind, namespace: str, name: str, uid: str = "", propagation: str = "Background"
    ) -> None:
        try:
            await self.kube.delete(kind, namespace, name, uid=uid, propagation=propagation)
        except Gone:
            # Somebody was faster: what was wanted is true.
            return
