"""What stands before any release: the cluster, the operator, one world, and apps under load."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from e2e.cluster import state
from e2e.cluster.progress import say
from e2e.cluster.settings import POD_GATEWAY
from e2e.cluster.state import Cluster
from e2e.demo import build
from e2e.demo.build import Binaries
from e2e.demo.manifests import App
from e2e.demo.traffic import Load
from e2e.demo.world_server import World, address_for_pods
from e2e.operator_host import OperatorProcess, install
from e2e.shop import Shop, sweep


@dataclass(frozen=True, slots=True)
class Ground:
    """All that apps share."""

    cluster: Cluster
    binaries: Binaries
    world: World
    operator: OperatorProcess

    def app(
        self, name: str, namespace: str, replicas: int, extra: Mapping[str, str] = MappingProxyType({})
    ) -> App:
        """An app of the demo service, with the noise that it brings in on purpose told.

        extra: environment of all its versions.
        """
        app = App(
            self.binaries.image,
            name,
            namespace,
            replicas=replicas,
            world_url=self.world.url_for_pods,
            extra=extra,
        )
        say(f"{name}: noise on purpose:")
        for line in app.noise.lines():
            say(f"  {line}")
        return app

    @contextmanager
    def open(self, shop: Shop, rate: float, longest: float) -> Iterator[Load]:
        """The app, its rollout and `rate` requests a second, for `longest` seconds at most."""
        with Load(self.binaries.load, self.cluster.gateway_url, shop.app.host, rate, longest) as load:
            shop.open()
            yield load
            shop.close()


@contextmanager
def ground(namespace: str) -> Iterator[Ground]:
    """On the cluster that is up. An earlier run leaves nothing: its namespace goes, its operator too."""
    cluster = state.load()
    binaries = build.load_image(cluster)
    install(cluster)
    operator = OperatorProcess(cluster)
    operator.stop()
    operator.start()
    sweep(cluster, namespace)
    nodes = [node.address for node in cluster.nodes]
    try:
        with World(binaries.world, address_for_pods([POD_GATEWAY, *nodes])) as world:
            yield Ground(cluster, binaries, world, operator)
    finally:
        operator.stop()
