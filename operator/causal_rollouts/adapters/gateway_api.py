"""Traffic by HTTPRoute and GRPCRoute, through the API server.

Routes are changed by JSON Patch with tests: `rules` is one atomic list to
server-side apply, which would take the user's whole rule from Git.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from causal_rollouts.adapters.arm_services import (
    ARMS,
    HOME_ANNOTATION,
    INJECTED_ANNOTATION,
    arm_manifest,
    injected,
    is_current,
    is_ours,
    noted_weights,
)
from causal_rollouts.adapters.backends import Rule, arm_service, change, home_weight, rules_to, weights_in
from causal_rollouts.adapters.endpoints import pods_behind, ready
from causal_rollouts.adapters.kube import DEPLOYMENT, ROUTES, SERVICE, Gone, Kube, Object
from causal_rollouts.adapters.reading import name, section
from causal_rollouts.adapters.traffic_problems import Parts, problems
from causal_rollouts.model import actions as act
from causal_rollouts.model.actions import Action
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.traffic import HOME, TrafficPlan, Weights
from causal_rollouts.model.world import RouteState, Traffic
from causal_rollouts.ports import NotYet, Refused


@dataclass(frozen=True, slots=True)
class GatewayRouter:
    """TrafficRouter over the Gateway API."""

    kube: Kube

    async def traffic(self, namespace: str, plan: TrafficPlan) -> Traffic:
        """Service and routes as they stand, with what the user must mend."""
        if not plan.service:
            return Traffic("", (), arm_services=True, endpoints={}, problems=())
        arms = [arm_service(plan.service, arm) for arm in Arm]
        parts, pods = await asyncio.gather(
            self._read(namespace, plan), pods_behind(self.kube, namespace, arms, ready)
        )
        marks = injected(parts.arms[Arm.CANARY])
        service = parts.service
        return Traffic(
            service=plan.service,
            routes=tuple(
                _state(kind, route, plan.service, marks)
                for (kind, _), route in zip(plan.routes, parts.routes, strict=True)
                if route is not None
            ),
            arm_services=service is not None and all(is_current(parts.arms[a], service, a) for a in ARMS),
            endpoints={arm: len(pods[named]) for arm, named in zip(Arm, arms, strict=True)},
            problems=problems(parts),
        )

    async def perform(self, namespace: str, action: Action) -> None:
        """Services of the arms, and weights."""
        match action:
            case act.EnsureArmServices():
                await self._ensure(namespace, action.service)
            case act.DeleteArmServices():
                await self._delete(namespace, action.service)
            case act.SetWeights():
                await self._set(namespace, action)
            case _:
                raise TypeError(f"{type(action).__name__} is not for the router")

    async def _read(self, namespace: str, plan: TrafficPlan) -> Parts:
        named = [plan.service, *(arm_service(plan.service, arm) for arm in ARMS)]
        (service, *arms), routes, target = await asyncio.gather(
            asyncio.gather(*(self.kube.get(SERVICE, namespace, n) for n in named)),
            asyncio.gather(*(self.kube.get(ROUTES[kind], namespace, n) for kind, n in plan.routes)),
            self.kube.get(DEPLOYMENT, namespace, plan.target) if plan.target else _nobody(),
        )
        return Parts(plan, namespace, service, dict(zip(ARMS, arms, strict=True)), tuple(routes), target)

    async def _ensure(self, namespace: str, service: str) -> None:
        found = await self.kube.get(SERVICE, namespace, service)
        if found is None:
            raise NotYet(f'Service "{service}" is not there')
        for arm in ARMS:
            there = await self.kube.get(SERVICE, namespace, arm_service(service, arm))
            if there is not None and not is_ours(there, service):
                raise Refused(f'Service "{name(there)}" was not made by this operator; rename or delete it')
            if not is_current(there, found, arm):
                await self.kube.apply(SERVICE, namespace, arm_manifest(found, arm))

    async def _delete(self, namespace: str, service: str) -> None:
        listed = await asyncio.gather(*(self.kube.list(kind, namespace) for kind in ROUTES.values()))
        pointing = [name(route) for routes in listed for route in routes if _lists_arms(route, service)]
        if pointing:
            raise NotYet(f'route "{pointing[0]}" still points at the arms of Service "{service}"')
        for arm in ARMS:
            found = await self.kube.get(SERVICE, namespace, arm_service(service, arm))
            if found is not None and is_ours(found, service):
                await self._gone(namespace, name(found), found["metadata"]["uid"])

    async def _gone(self, namespace: str, service: str, uid: str) -> None:
        try:
            await self.kube.delete(SERVICE, namespace, service, uid=uid)
        except Gone:
            return

    async def _set(self, namespace: str, action: act.SetWeights) -> None:
        kind = ROUTES[action.kind]
        route = await self.kube.get(kind, namespace, action.route)
        if route is None or route["metadata"]["resourceVersion"] != action.seen:
            raise NotYet(f'{action.kind} "{action.route}" is not as it was seen')
        canary = await self.kube.get(SERVICE, namespace, arm_service(action.service, Arm.CANARY))
        if canary is None and action.weights != HOME:
            raise NotYet(f'Services for the arms of "{action.service}" are not there yet')
        rules = {_mark(action.kind, action.route, rule): rule for rule in rules_to(route, action.service)}
        marks, noted = injected(canary), noted_weights(canary)
        ours = {mark for mark, rule in rules.items() if _is_ours(action.kind, action.route, rule, marks)}
        home = {mark: home_weight(rule, noted.get(mark)) for mark, rule in rules.items()}
        of_this = f"{action.kind}/{action.route}/"
        others = {mark for mark in marks if not mark.startswith(of_this)}
        elsewhere = {mark: weight for mark, weight in noted.items() if not mark.startswith(of_this)}
        if action.weights != HOME:
            await self._note(namespace, canary, ours | others, {**elsewhere, **home})
        ops = [
            op
            for mark, rule in rules.items()
            for op in change(rule, action.service, action.weights, inject=mark in ours, noted=noted.get(mark))
        ]
        if ops:
            seen = {"op": "test", "path": "/metadata/resourceVersion", "value": action.seen}
            await self.kube.json_patch(kind, namespace, action.route, [seen, *ops])
        if action.weights == HOME:
            await self._note(namespace, canary, others, elsewhere)

    async def _note(
        self, namespace: str, canary: Object | None, marks: set[str], home: Mapping[str, int]
    ) -> None:
        """Remember what rules were without the arms: on our own Service, never on the user's route."""
        if canary is None or (marks == injected(canary) and home == noted_weights(canary)):
            return
        told = {
            INJECTED_ANNOTATION: ",".join(sorted(marks)) or None,
            HOME_ANNOTATION: ",".join(f"{mark}={weight}" for mark, weight in sorted(home.items())) or None,
        }
        await self.kube.merge(SERVICE, namespace, name(canary), {"metadata": {"annotations": told}})


async def _nobody() -> None:
    return None


def _mark(kind: str, route: str, rule: Rule) -> str:
    return f"{kind}/{route}/{rule.index}"


def _is_ours(kind: str, route: str, rule: Rule, marks: frozenset[str]) -> bool:
    """The arms of this rule are ours, or would be: Git does not list them.

    Ours never stand at weight 0: what stands there, Git lists, whatever an old mark says.
    """
    return not rule.armed or (rule.away and _mark(kind, route, rule) in marks)


def _state(kind: str, route: Object, service: str, marks: frozenset[str]) -> RouteState:
    rules = rules_to(route, service)
    found = {weights_in(rule) for rule in rules}
    inject = any(_is_ours(kind, name(route), rule, marks) for rule in rules)
    return RouteState(
        kind=kind,
        name=name(route),
        version=str(route["metadata"]["resourceVersion"]),
        form="Inject" if inject else "Weights",
        weights=_in_force(found, listed=_lists_arms(route, service)),
        accepted=_accepted(route),
        arms_listed=_lists_arms(route, service),
        port=next((int(rule.backends[rule.at[Arm.STABLE]].get("port") or 0) for rule in rules), 0),
    )


def _in_force(found: set[Weights], *, listed: bool) -> Weights | None:
    """The one set of weights; a route that sends to none of the Services has all of it at home."""
    if not found and not listed:
        return HOME
    return found.pop() if len(found) == 1 else None


def _accepted(route: Object) -> bool:
    """Every gateway that the route names has taken its current generation."""
    parents = section(route, "status").get("parents") or ()
    generation = int(route["metadata"].get("generation") or 0)
    return bool(parents) and all(_taken(parent, generation) for parent in parents)


def _taken(parent: Mapping[str, object], generation: int) -> bool:
    listed = parent.get("conditions")
    conditions = {c["type"]: c for c in listed} if isinstance(listed, list) else {}
    accepted = conditions.get("Accepted", {})
    resolved = conditions.get("ResolvedRefs", {"status": "True"})
    return (
        accepted.get("status") == "True"
        and resolved.get("status") == "True"
        and int(accepted.get("observedGeneration") or 0) >= generation
    )


def _lists_arms(route: Object, service: str) -> bool:
    arms = {arm_service(service, arm) for arm in ARMS}
    rules = section(route, "spec").get("rules") or ()
    return any(b.get("name") in arms for rule in rules for b in rule.get("backendRefs") or ())
