"""An app that no route sends to: its Service shares the requests, and the number of pods makes the share."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from e2e.cluster.kubectl import get, is_true
from e2e.cluster.settings import SERVICE_RANGE
from e2e.demo import manifests
from e2e.demo.manifests import App
from e2e.demo.traffic import Load
from e2e.ground import Ground, Operator
from e2e.shop import Manifest, Seen, Shop

STRAIGHT = ("-cluster", SERVICE_RANGE, "-fresh")
"""Straight to the Service, each request on a connection of its own, as that is what a Service shares."""


class PodShop(Shop):
    """A Shop without a route."""

    def way_in(self) -> list[Manifest]:
        """A Service that selects without the arm."""
        service = manifests.service(self.app)
        del service["spec"]["selector"][manifests.ARM]
        return [service]

    def in_traffic(self) -> Counter[str]:
        """Ready pods by arm."""
        pods = get(self.cluster, "-n", self.app.namespace, "pods", "-l", f"app={self.app.name}")["items"]
        return Counter(
            manifests.arm_of(pod)
            for pod in pods
            if not pod["metadata"].get("deletionTimestamp") and is_true(pod, "Ready")
        )

    def weights(self) -> Seen:
        """Shares of the pods in the traffic, in thousandths."""
        pods = self.in_traffic()
        whole = pods.total() or 1
        return Seen(time.time(), *(round(1000 * pods[arm] / whole) for arm in ("canary", "baseline")))

    @property
    def address(self) -> str:
        """Where this machine reaches the Service."""
        found = get(self.cluster, "-n", self.app.namespace, "service", self.app.name)
        return f"http://{found['spec']['clusterIP']}:80"


@contextmanager
def opened(made: Ground[Operator], app: App, rate: float, longest: float) -> Iterator[tuple[PodShop, Load]]:
    """The app, its rollout by podShare and its load; the Service has an address only when it stands."""
    traffic = {"service": app.name, "podShare": {}}
    shop = PodShop(made.cluster, app, spec={"traffic": traffic})
    shop.open()
    with Load(made.binaries.load, shop.address, app.host, rate, longest, STRAIGHT) as load:
        yield shop, load
    shop.close()
