"""What every scenario stands on: the cluster, the operator, one world, and targets with a history.

Targets are made before the first scenario and share their history: a stable
pod's past is what a release is judged against, and it takes minutes to grow.
Scenarios that end in a promotion run last, because promoted pods have no past.
"""

from collections.abc import Iterator

import pytest

from e2e.cluster import state
from e2e.cluster.state import Cluster
from e2e.demo.backend import Backend, deploy
from e2e.demo.manifests import RouteForm
from e2e.demo.world_server import World
from e2e.ground import Ground, ground
from e2e.operator_host import OperatorProcess, process
from e2e.rollouts import metrics
from e2e.shop import Shop

RATE = 120.0
LONGEST = 10_800.0
NAMESPACE = "shop"
ORDERS_RATE = 60.0
ORDERS_SPEC = {
    # The first step leaves room in the backend for three calls a request, the second does not.
    "stages": [{"weight": weight, "minDuration": "60s", "maxDuration": "30m"} for weight in (5, 40)],
    "probe": "Switchback",
    # It shares the nodes and whatever the world does to all, and not the backend.
    "reference": {"kind": "HTTPRoute", "name": "basket"},
    "switchback": {"after": 6, "probes": 1, "cycles": 5, "shortest": 4, "longest": 8},
    # A quarter is what the backend has to spare.
    "metrics": [
        *metrics(),
        {
            "name": "backend-calls",
            "footprint": {
                "counter": "downstream_requests_total",
                "per": "http_server_requests_total",
                "headroom": "25%",
            },
        },
    ],
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Scenarios by their `order` mark: promotions last."""

    def order(item: pytest.Item) -> int:
        mark = item.get_closest_marker("order")
        return int(mark.args[0]) if mark else 50

    items.sort(key=order)


@pytest.fixture(scope="session")
def made() -> Iterator[Ground[OperatorProcess]]:
    with ground(NAMESPACE, process) as standing:
        yield standing


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    return state.load()


@pytest.fixture(scope="session")
def world(made: Ground[OperatorProcess]) -> World:
    return made.world


@pytest.fixture(scope="session")
def operator(made: Ground[OperatorProcess]) -> OperatorProcess:
    return made.operator


@pytest.fixture(scope="session")
def checkout(made: Ground[OperatorProcess]) -> Iterator[Shop]:
    """The target whose route Git lists with one backend (Inject)."""
    yield from _shop(made, "checkout", RouteForm.INJECT)


@pytest.fixture(scope="session")
def basket(made: Ground[OperatorProcess]) -> Iterator[Shop]:
    """The target whose route Git lists with all three backends (Weights)."""
    yield from _shop(made, "basket", RouteForm.WEIGHTS)


@pytest.fixture(scope="session")
def backend(made: Ground[OperatorProcess]) -> Backend:
    """What `orders` calls once a request; with 60 of them a second it has a quarter to spare."""
    shared = Backend(made.binaries.backend_image, namespace=NAMESPACE)
    deploy(made.cluster, shared)
    return shared


@pytest.fixture(scope="session")
def orders(made: Ground[OperatorProcess], backend: Backend) -> Iterator[Shop]:
    """The target with a backend. Made when the first scenario asks for it, which waits for its history."""
    app = made.app("orders", NAMESPACE, replicas=8, extra={"BACKEND_URL": backend.url})
    shop = Shop(made.cluster, app, spec=ORDERS_SPEC)
    with made.open(shop, ORDERS_RATE, LONGEST):
        yield shop


@pytest.fixture(scope="session", autouse=True)
def history(request: pytest.FixtureRequest) -> None:
    """Both targets begin to grow a past before the first scenario, whichever that is."""
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    for name in sorted(wanted & {"checkout", "basket"}):
        request.getfixturevalue(name)


def _shop(made: Ground[OperatorProcess], name: str, form: RouteForm) -> Iterator[Shop]:
    shop = Shop(made.cluster, made.app(name, NAMESPACE, replicas=8), form)
    with made.open(shop, RATE, LONGEST):
        yield shop


@pytest.fixture(autouse=True)
def clean(request: pytest.FixtureRequest, world: World, operator: OperatorProcess) -> Iterator[None]:
    """A scenario leaves a calm world and a running operator behind, whatever happened in it."""
    yield
    world.calm()
    if not operator.running():
        operator.start()
