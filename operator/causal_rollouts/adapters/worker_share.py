"""Shares of work among pods that no Service sends to: they take it from a queue as soon as they run.

Nothing can hold such a pod back, so nothing is set here: slots that stand are the
weight in force, and going home means that they are gone.
"""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.adapters.fleet import ended
from causal_rollouts.adapters.kube import ARM_LABEL, BEFORE_LABEL, POD, SLOT_LABEL, Kube, Object
from causal_rollouts.adapters.reading import condition, labels, owner
from causal_rollouts.adapters.slots import slot_name
from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.traffic import TrafficPlan
from causal_rollouts.model.world import Traffic


@dataclass(frozen=True, slots=True)
class WorkerShare:
    """What the slots of one target work at."""

    kube: Kube

    async def traffic(self, namespace: str, plan: TrafficPlan) -> Traffic:
        """Pods of the arms that may take work. One that was told to end takes no more."""
        pods = await self.kube.list(POD, namespace, SLOT_LABEL)
        there = [pod for pod in pods if _works(pod, plan.target)]
        ready = [pod for pod in there if condition(pod, "Ready").get("status") == "True"]
        return Traffic(
            service="",
            routes=(),
            arm_services=True,
            endpoints={str(arm): _of(arm, ready) for arm in (Arm.BASELINE, Arm.CANARY)},
            problems=(),
            working=(_of(Arm.CANARY, there), _of(Arm.BASELINE, there)),
        )


def _works(pod: Object, target: str) -> bool:
    """By the name of its set, which may be gone a moment before the pod is told."""
    slot = Slot.parse(labels(pod)[SLOT_LABEL])
    mine = owner(pod) == slot_name(target, slot, before=BEFORE_LABEL in labels(pod))
    return mine and ended(pod) is None


def _of(arm: Arm, pods: list[Object]) -> int:
    return sum(labels(pod).get(ARM_LABEL) == arm for pod in pods)
