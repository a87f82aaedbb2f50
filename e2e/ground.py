"""What stands before any release: the cluster, the operator, one world, and apps under load."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from e2e.cluster import state
from e2e.cluster.progress import say
from e2e.cluster.state import Cluster
from e2e.demo import build
from e2e.demo.build import Binaries
from e2e.demo.manifests import App
from e2e.demo.traffic import Load
from e2e.demo.world_server import World, reached_by_pods
from e2e.shop import Shop, sweep


class Operator(Protocol):
    """However it runs."""

    def stop(self) -> None: ...


O_co = TypeVar("O_co", bound=Operator, covariant=True)


@dataclass(frozen=True, slots=True)
class Ground(Generic[O_co]):
    """All that apps share."""

    cluster: Cluster
    binaries: Binaries
    world: World
    operator: O_co

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
def ground(namespace: str, bring: Callable[[Cluster], O_co]) -> Iterator[Ground[O_co]]:
    """On the cluster that is up, with the one operator that `bring` starts. What an earlier run left of this
    namespace goes.
    """
    cluster = state.load()
    binaries = build.load_image(cluster)
    operator = bring(cluster)
    try:
        sweep(cluster, namespace)
        with World(binaries.world, reached_by_pods(cluster)) as world:
            yield Ground(cluster, binaries, world, operator)
    finally:
        operator.stop()
