"""Names of the series that a metric is made of, for what answers without PromQL."""

from __future__ import annotations

from causal_rollouts.model.metrics import Metric, MetricKind

RESTARTS = "kube_pod_container_status_restarts_total"


def names_of(metric: Metric) -> frozenset[str]:
    """The names; a query of the live source selects the same."""
    match metric.kind:
        case MetricKind.RESTARTS:
            return frozenset({RESTARTS})
        case MetricKind.ERRORS:
            return frozenset({metric.series, metric.of} - {""})
        case _:
            return frozenset({f"{metric.series}_bucket"})
