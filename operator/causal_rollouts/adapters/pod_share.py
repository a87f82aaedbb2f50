"""Traffic by the number of pods, for a Service that no route sends to.

A Service shares its requests evenly between pods that are ready, so weights are
given by letting pods of the arms be ready or not: each waits at a readiness
gate of its own, whose condition says by which weights it was let in. A pod that
has just come to a slot has no condition and waits, whoever is there to see it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from causal_rollouts.adapters.endpoints import pods_behind, serving
from causal_rollouts.adapters.fleet import slots_named
from causal_rollouts.adapters.kube import (
    DEPLOYMENT,
    POD,
    REPLICA_SET,
    SERVICE,
    SLOT_LABEL,
    Kube,
    Object,
)
from causal_rollouts.adapters.pod_share_problems import problems
from causal_rollouts.adapters.reading import (
    condition,
    controller,
    deletion_asked,
    gated,
    labels,
    name,
    section,
    uid,
)
from causal_rollouts.model.actions import SetWeights
from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.traffic import HOME, POD_CONDITION, WHOLE, TrafficPlan, Weights
from causal_rollouts.model.world import RouteState, Traffic
from causal_rollouts.ports import NotYet

FORM = "Pods"
_TOLD = re.compile(rf"canary (\d+) and baseline (\d+) of {WHOLE} by (\d+) and (\d+) pods")


@dataclass(frozen=True, slots=True)
class PodShareRouter:
    """The weights of a `TrafficPlan` without routes."""

    kube: Kube

    async def traffic(self, namespace: str, plan: TrafficPlan) -> Traffic:
        """The pods of the slots as they stand, with what the user must mend."""
        service, target, sets, pods, behind = await asyncio.gather(
            self.kube.get(SERVICE, namespace, plan.service),
            self.kube.get(DEPLOYMENT, namespace, plan.target) if plan.target else _nobody(),
            self.kube.list(REPLICA_SET, namespace, SLOT_LABEL),
            self.kube.list(POD, namespace, SLOT_LABEL),
            pods_behind(self.kube, namespace, [plan.service], serving),
        )
        served = behind[plan.service]
        mine = {uid(rs) for rs in slots_named(plan.target, sets)}
        there = [pod for pod in pods if controller(pod) in mine and deletion_asked(pod) is None]
        able = [pod for pod in there if _able(pod)]
        arms = {str(arm): sum(_slot(pod).arm is arm for pod in able) for arm in (Arm.BASELINE, Arm.CANARY)}
        return Traffic(
            service=plan.service,
            routes=tuple(_state(pod, served) for pod in there if gated(pod)),
            arm_services=True,
            endpoints={str(Arm.STABLE): len(served - {uid(pod) for pod in pods}), **arms},
            problems=problems(plan, namespace, service, target),
        )

    async def set(self, namespace: str, action: SetWeights) -> None:
        """Let one pod into the traffic, or take it out."""
        pod = await self.kube.get(POD, namespace, action.route)
        if pod is None:
            raise NotYet(f'Pod "{action.route}" is not there')
        if _given(pod) == action.weights:
            return
        listed: Sequence[Object] = section(pod, "status").get("conditions") or ()
        at = next((i for i, c in enumerate(listed) if c.get("type") == POD_CONDITION), None)
        seen = {"op": "test", "path": "/metadata/resourceVersion", "value": action.seen}
        if at is None:
            path = "/status/conditions/-" if listed else "/status/conditions"
            told = _condition(action.weights)
            ops = [{"op": "add", "path": path, "value": told if listed else [told]}]
        else:
            ops = [{"op": "replace", "path": f"/status/conditions/{at}", "value": _condition(action.weights)}]
        await self.kube.json_patch(POD, namespace, action.route, [seen, *ops], status=True)


async def _nobody() -> None:
    return None


def _condition(weights: Weights) -> Object:
    if weights == HOME:
        said = {
            "status": "False",
            "reason": "OutOfTraffic",
            "message": "the release gives this pod no traffic",
        }
    else:
        message = (
            f"canary {weights.canary} and baseline {weights.baseline} of {WHOLE} by "
            f"{weights.canaries} and {weights.baselines} pods"
        )
        said = {"status": "True", "reason": "InTraffic", "message": message}
    return {"type": POD_CONDITION, **said}


def _given(pod: Object) -> Weights | None:
    """The weights by which it was let in, HOME where it was not, None where nobody of us wrote that."""
    found = condition(pod, POD_CONDITION)
    if found.get("status") != "True":
        return HOME
    told = _TOLD.fullmatch(str(found.get("message") or ""))
    try:
        return Weights(*map(int, told.groups())) if told else None
    except ValueError:
        return None


def _state(pod: Object, served: frozenset[str]) -> RouteState:
    given, serves = _given(pod), uid(pod) in served
    return RouteState(
        kind=POD.kind,
        name=name(pod),
        version=str(pod["metadata"]["resourceVersion"]),
        form=FORM,
        weights=given,
        # A pod that cannot serve does not keep the others' weights from being in force.
        accepted=not serves if given == HOME else serves or not _able(pod),
        arms_listed=False,
        slot=_slot(pod),
        fresh=not condition(pod, POD_CONDITION),
    )


def _slot(pod: Object) -> Slot:
    return Slot.parse(labels(pod)[SLOT_LABEL])


def _able(pod: Object) -> bool:
    return condition(pod, "ContainersReady").get("status") == "True"
