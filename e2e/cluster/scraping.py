"""What Prometheus reads and under which labels: the contract that the operator's queries rest on."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Vantage:
    """Where Prometheus stands: how it asks the API server, and where it meets the others."""

    discovery: dict[str, str]
    credentials: dict[str, Any]
    api_server: str
    objects: str
    gateway: str
    itself: str


def scrape_config(vantage: Vantage, scrape_ms: int) -> dict[str, Any]:
    """namespace, pod and node of a pod's series come from discovery, never from the pod itself."""
    interval = f"{scrape_ms}ms"
    jobs = [_pods(vantage), _kubelets(vantage)]
    jobs += [
        {"job_name": "kube-state-metrics", "honor_labels": True, "static_configs": _at(vantage.objects)},
        {"job_name": "traefik", "static_configs": _at(vantage.gateway)},
        _api_server(vantage),
        {"job_name": "prometheus", "static_configs": _at(vantage.itself)},
    ]
    return {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": "1m"},
        "scrape_configs": jobs,
    }


def _pods(vantage: Vantage) -> dict[str, Any]:
    note = "__meta_kubernetes_pod_annotation_prometheus_io"
    rules = [
        {"source_labels": [f"{note}_scrape"], "regex": "true", "action": "keep"},
        {"source_labels": ["__meta_kubernetes_pod_phase"], "regex": "Succeeded|Failed", "action": "drop"},
        {"source_labels": ["__meta_kubernetes_pod_container_init"], "regex": "true", "action": "drop"},
        {"source_labels": [f"{note}_path"], "regex": "(.+)", "target_label": "__metrics_path__"},
        {
            "source_labels": ["__meta_kubernetes_pod_ip", f"{note}_port"],
            "separator": ":",
            "regex": r"(.+):(\d+)",
            "replacement": "$1:$2",
            "target_label": "__address__",
        },
        _copy("__meta_kubernetes_namespace", "namespace"),
        _copy("__meta_kubernetes_pod_name", "pod"),
        _copy("__meta_kubernetes_pod_node_name", "node"),
    ]
    found = [{"role": "pod", **vantage.discovery}]
    return {"job_name": "pods", "kubernetes_sd_configs": found, "relabel_configs": rules}


def _kubelets(vantage: Vantage) -> dict[str, Any]:
    return {
        "job_name": "kubelet-resource",
        "scheme": "https",
        "metrics_path": "/metrics/resource",
        **vantage.credentials,
        # container, pod and namespace are the container's, not kubelet's.
        "honor_labels": True,
        # These samples bring their own time; without this an ended pod's last one lingers five minutes.
        "track_timestamps_staleness": True,
        "kubernetes_sd_configs": [{"role": "node", **vantage.discovery}],
        "relabel_configs": [_copy("__meta_kubernetes_node_name", "node")],
    }


def _api_server(vantage: Vantage) -> dict[str, Any]:
    kept = "apiserver_request_total|process_.*"
    return {
        "job_name": "apiserver",
        "scheme": "https",
        "scrape_interval": "15s",
        "scrape_timeout": "10s",
        **vantage.credentials,
        "static_configs": _at(vantage.api_server),
        "metric_relabel_configs": [{"source_labels": ["__name__"], "regex": kept, "action": "keep"}],
    }


def _copy(source: str, label: str) -> dict[str, Any]:
    return {"source_labels": [source], "target_label": label}


def _at(address: str) -> list[dict[str, list[str]]]:
    return [{"targets": [address]}]
