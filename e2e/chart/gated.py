"""An app under load whose releases are gated by an operator that the chart installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from e2e.chart.operator_pod import OperatorPod
from e2e.cluster.kubectl import Manifest
from e2e.cluster.state import Cluster
from e2e.demo.manifests import RouteForm
from e2e.demo.traffic import Load
from e2e.ground import ground
from e2e.operator_host import OperatorProcess, install
from e2e.shop import Shop

REPLICAS = 4
RATE = 60.0
LONGEST = 2400.0
STANDS: Manifest = {"stages": [{"weight": 10, "minDuration": "20m", "maxDuration": "1h"}]}
"""Of a rollout: one stage that no evidence ends while it is looked at."""


def by_the_chart(cluster: Cluster) -> OperatorPod:
    """The one operator of the cluster, in place of a process that may run."""
    OperatorProcess(cluster).stop()
    return OperatorPod(cluster).start()


@contextmanager
def gated(name: str, namespace: str) -> Iterator[tuple[Shop, Load, OperatorPod]]:
    """v1 at rest; its releases stand at 10%. Afterwards kinds and roles are those of the scenarios again."""
    with ground(namespace, by_the_chart) as made:
        shop = Shop(made.cluster, made.app(name, namespace, REPLICAS), RouteForm.WEIGHTS, STANDS)
        with made.open(shop, RATE, LONGEST) as load:
            yield shop, load, made.operator
    install(made.cluster)
