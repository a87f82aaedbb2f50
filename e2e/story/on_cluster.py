"""The story on real pods, real traffic and a real Prometheus."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from e2e import rollouts
from e2e.chart.gated import by_the_chart
from e2e.demo.world_server import World
from e2e.ground import ground
from e2e.shop import Shop
from e2e.story.telling import Teller

Json = dict[str, Any]
RATE = 150.0
LONGEST = 3600.0
NAMESPACE = "demo"


@dataclass(slots=True)
class ClusterScene:
    """chapters.Scene over the local cluster."""

    shop: Shop
    world: World

    def request(self, version: str, build: str = "") -> None:
        self.shop.request(version, build)

    def abort(self) -> None:
        self.shop.ask("abort")
        self.shop.wait_end(seconds=120)

    def newest(self) -> Json:
        return self.shop.records()[-1]

    def records(self) -> list[Json]:
        return self.shop.records()

    def releases(self) -> int:
        return len(self.shop.records())

    def slow_world(self, factor: float) -> None:
        self.world.slow_down(factor)

    def calm_world(self) -> None:
        self.world.calm()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def now(self) -> float:
        return time.time()

    def running_versions(self) -> set[str]:
        return set(self.shop.versions())

    def rest(self, version: str) -> None:
        self.shop.back_to(version)


@contextmanager
def scene(teller: Teller) -> Iterator[ClusterScene]:
    """Cluster, operator, app and load, all taken away after; the cluster stays up."""
    with ground(NAMESPACE, by_the_chart) as made:
        cluster, operator = made.cluster, made.operator
        teller.say(
            f"cluster: {len(cluster.nodes)} nodes, gateway {cluster.gateway_url}, {cluster.prometheus_url}"
        )
        teller.say(f"operator: {operator.image}, installed by Helm on {operator.node.name}")
        # Half a core a node is little: what the operator takes of one its pods would miss, and show as noise.
        app = replace(made.app("checkout", NAMESPACE, replicas=10), avoid=operator.node.name)
        shop = Shop(cluster, app, spec={"stages": rollouts.stages("60s")})
        with made.open(shop, RATE, LONGEST):
            teller.say(f"v1 runs in {app.replicas} pods under {RATE:g} requests a second")
            yield ClusterScene(shop, made.world)
