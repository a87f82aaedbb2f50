"""What pods themselves measured, from Prometheus: for scenarios that check a verdict against its cause."""

import math
from collections.abc import Iterable, Mapping

from e2e.cluster import prometheus
from e2e.cluster.state import Cluster
from e2e.cluster.trouble import ClusterTrouble

_HISTOGRAM = "http_server_request_duration_seconds"


def mean_seconds(cluster: Cluster, namespace: str, until: float, seconds: float) -> dict[str, float]:
    """Mean latency of each pod over the `seconds` before `until`; pods without requests are left out."""
    span = f'{{namespace="{namespace}"}}[{seconds:.0f}s]'
    query = f"sum by (pod) (rate({_HISTOGRAM}_sum{span})) / sum by (pod) (rate({_HISTOGRAM}_count{span}))"
    found = {pod: value for pod, value in asked(cluster, query, until).items() if math.isfinite(value)}
    if not found:
        raise ClusterTrouble(f"Prometheus has nothing for {query} at {until:.0f}")
    return found


def asked(cluster: Cluster, query: str, at: float) -> dict[str, float]:
    """Value by pod of an instant query."""
    found = prometheus.series(cluster.prometheus_url, query, at)
    return {one["metric"].get("pod", ""): float(one["value"][1]) for one in found}


def change(before: Mapping[str, float], after: Mapping[str, float], pods: Iterable[str]) -> float:
    """Mean log ratio of the pods that both know."""
    logs = [math.log(after[pod] / before[pod]) for pod in pods if pod in before and pod in after]
    if not logs:
        raise ClusterTrouble("no pod was measured both before and after")
    return sum(logs) / len(logs)
