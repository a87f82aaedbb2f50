"""What every scenario stands on: the cluster, the operator, one world, and targets with a history.

Targets are made before the first scenario and share their history: a stable
pod's past is what a release is judged against, and it takes minutes to grow.
Scenarios that end in a promotion run last, because promoted pods have no past.
"""

from collections.abc import Iterator

import pytest

from e2e.cluster import state
from e2e.cluster.progress import say
from e2e.cluster.settings import POD_GATEWAY
from e2e.cluster.state import Cluster
from e2e.demo import build
from e2e.demo.build import Binaries
from e2e.demo.manifests import App, RouteForm
from e2e.demo.traffic import Load
from e2e.demo.world_server import World, address_for_pods
from e2e.operator_host import OperatorProcess, install
from e2e.shop import Shop, sweep

RATE = 120.0
LONGEST = 5400.0
NAMESPACE = "shop"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Scenarios by their `order` mark: promotions last."""

    def order(item: pytest.Item) -> int:
        mark = item.get_closest_marker("order")
        return int(mark.args[0]) if mark else 50

    items.sort(key=order)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    return state.load()


@pytest.fixture(scope="session")
def binaries(cluster: Cluster) -> Binaries:
    return build.load_image(cluster)


@pytest.fixture(scope="session")
def world(cluster: Cluster, binaries: Binaries) -> Iterator[World]:
    nodes = [node.address for node in cluster.nodes]
    with World(binaries.world, address_for_pods([POD_GATEWAY, *nodes])) as server:
        yield server


@pytest.fixture(scope="session")
def operator(cluster: Cluster) -> Iterator[OperatorProcess]:
    install(cluster)
    process = OperatorProcess(cluster)
    # One that an earlier run left behind may run older code.
    process.stop()
    process.start()
    sweep(cluster, NAMESPACE)
    yield process
    process.stop()


@pytest.fixture(scope="session")
def checkout(cluster: Cluster, binaries: Binaries, world: World, operator: OperatorProcess) -> Iterator[Shop]:
    """The target whose route Git lists with one backend (Inject)."""
    yield from _shop(cluster, binaries, world, "checkout", RouteForm.INJECT)


@pytest.fixture(scope="session")
def basket(cluster: Cluster, binaries: Binaries, world: World, operator: OperatorProcess) -> Iterator[Shop]:
    """The target whose route Git lists with all three backends (Weights)."""
    yield from _shop(cluster, binaries, world, "basket", RouteForm.WEIGHTS)


@pytest.fixture(scope="session", autouse=True)
def history(request: pytest.FixtureRequest) -> None:
    """Both targets begin to grow a past before the first scenario, whichever that is."""
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    for name in sorted(wanted & {"checkout", "basket"}):
        request.getfixturevalue(name)


def _shop(cluster: Cluster, binaries: Binaries, world: World, name: str, form: RouteForm) -> Iterator[Shop]:
    app = App(binaries.image, name, NAMESPACE, replicas=8, world_url=world.url_for_pods)
    say(f"{name}: noise on purpose:")
    for line in app.noise.lines():
        say(f"  {line}")
    shop = Shop(cluster, app, form)
    with Load(binaries.load, cluster.gateway_url, app.host, RATE, LONGEST):
        yield shop.open()
        shop.close()


@pytest.fixture(autouse=True)
def clean(request: pytest.FixtureRequest, world: World, operator: OperatorProcess) -> Iterator[None]:
    """A scenario leaves a calm world and a running operator behind, whatever happened in it."""
    yield
    world.calm()
    if not operator.running():
        operator.start()
