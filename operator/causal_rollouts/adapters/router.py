"""The one traffic port over the ways to share work: routes, pods behind a Service, or workers of a queue."""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.adapters.gateway_api import GatewayRouter
from causal_rollouts.adapters.kube import POD, Kube
from causal_rollouts.adapters.pod_share import PodShareRouter
from causal_rollouts.adapters.worker_share import WorkerShare
from causal_rollouts.model.actions import Action, SetWeights
from causal_rollouts.model.traffic import TrafficPlan
from causal_rollouts.model.world import Traffic


@dataclass(frozen=True, slots=True)
class KubeRouter:
    """TrafficRouter: each plan and each action goes to the adapter that it is for."""

    kube: Kube

    async def traffic(self, namespace: str, plan: TrafficPlan) -> Traffic:
        """As it stands, with what the user must mend."""
        if plan.workers:
            return await WorkerShare(self.kube).traffic(namespace, plan)
        if plan.pod_share:
            return await PodShareRouter(self.kube).traffic(namespace, plan)
        return await GatewayRouter(self.kube).traffic(namespace, plan)

    async def perform(self, namespace: str, action: Action) -> None:
        """Services of the arms are of routes, and so are weights that no pod carries."""
        if isinstance(action, SetWeights) and action.kind == POD.kind:
            await PodShareRouter(self.kube).set(namespace, action)
        else:
            await GatewayRouter(self.kube).perform(namespace, action)
