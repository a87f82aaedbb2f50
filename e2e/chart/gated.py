"""An app under load whose releases are gated by an operator that the chart installed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from e2e.chart.operator_pod import OperatorPod
from e2e.cluster.kubectl import Manifest
from e2e.demo.manifests import RouteForm
from e2e.demo.traffic import Load
from e2e.ground import ground
from e2e.operator_host import install
from e2e.shop import Shop
from e2e.story.on_cluster import by_the_chart

REPLICAS = 4
RATE = 60.0
LONGEST = 2400.0


@contextmanager
def gated(
    name: str, namespace: str, spec: Mapping[str, object] = MappingProxyType({})
) -> Iterator[tuple[Shop, Load, OperatorPod]]:
    """v1 at rest. spec: of its rollout. Afterwards kinds and roles are those of the scenarios again."""
    with ground(namespace, by_the_chart) as made:
        rollout: Manifest = dict(spec)
        shop = Shop(made.cluster, made.app(name, namespace, REPLICAS), RouteForm.WEIGHTS, rollout)
        with made.open(shop, RATE, LONGEST) as load:
            yield shop, load, made.operator
    install(made.cluster)
