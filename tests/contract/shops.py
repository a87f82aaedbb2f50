"""A shop behind one route of either kind: what each kind calls things stands here, and in no test."""

from dataclasses import dataclass
from typing import Any

from causal_rollouts.adapters.gateway_api import GatewayRouter
from causal_rollouts.adapters.kube import DEPLOYMENT, HTTP_ROUTE, SERVICE, Kind
from causal_rollouts.model import actions as act
from causal_rollouts.model.traffic import TrafficPlan, Weights
from causal_rollouts.model.world import Traffic
from causal_rollouts.ports import NotYet
from tests.contract.labs import Lab
from tests.contract.things import backend, deployment, grpc_rule, route, rule, service

Json = dict[str, Any]


@dataclass
class Shop:
    """Deployment, Service and route, all named web, with the router that shares the traffic."""

    lab: Lab
    kind: Kind

    @property
    def router(self) -> GatewayRouter:
        return GatewayRouter(self.lab.operator)

    @property
    def plan(self) -> TrafficPlan:
        return TrafficPlan("web", ((self.kind.kind, "web"),), target="web")

    @property
    def field(self) -> str:
        """Where a manifest names the route."""
        return f"spec.traffic.{'httpRoutes' if self.kind == HTTP_ROUTE else 'grpcRoutes'}[0]"

    def rule(self, *backends: Json, part: str = "") -> Json:
        """A rule for a part of the traffic, in the words of the kind."""
        if self.kind == HTTP_ROUTE:
            return rule(*backends, path=f"/{part}")
        return grpc_rule(*backends, service=f"shop.{part or 'Web'}")

    async def open(self, *rules: Json, **selector: str) -> None:
        """As a user has it."""
        await self.lab.add(DEPLOYMENT, deployment())
        await self.lab.add(SERVICE, service("web", **selector))
        await self.lab.add(self.kind, self.written(*(rules or (self.rule(backend()),))))

    def written(self, *rules: Json) -> Json:
        """The route. Of two kinds that name one host a gateway takes only the older, so each has its own."""
        return route(self.lab.gateway, *rules, host=self.kind.plural)

    async def traffic(self) -> Traffic:
        return await self.router.traffic(self.lab.namespace, self.plan)

    async def perform(self, action: act.Action) -> None:
        await self.router.perform(self.lab.namespace, action)

    async def set(self, weights: Weights, seen: str) -> None:
        await self.perform(act.SetWeights("web", self.kind.kind, "web", weights, seen))

    async def move(self, weights: Weights) -> Traffic:
        """Set weights and see them, as the loop does."""

        async def once() -> Traffic | None:
            traffic = await self.traffic()
            [seen] = traffic.routes
            if seen.weights == weights:
                return traffic
            try:
                await self.set(weights, seen.version)
            except NotYet:
                return None
            return None

        found = await self.lab.until(f"weights {weights}", once)
        assert found is not None
        return found

    async def route(self) -> Json:
        return await self.lab.find(self.kind, "web")

    async def backends(self, index: int = 0) -> dict[str, int]:
        """Weights by name, of one rule."""
        found = await self.route()
        return {b["name"]: b.get("weight", 1) for b in found["spec"]["rules"][index]["backendRefs"]}

    async def settled_version(self) -> str:
        """Version of the route once the gateway has written all it has to say."""

        async def still() -> Json | None:
            found = await self.route()
            for _ in range(3):
                await self.lab.wait()
            told = found.get("status", {}).get("parents")
            return found if told and found == await self.route() else None

        found = await self.lab.until("the gateway has settled", still)
        assert found is not None
        return str(found["metadata"]["resourceVersion"])

    async def problem(self) -> str:
        """The only one."""
        [text] = (await self.traffic()).problems
        return text
