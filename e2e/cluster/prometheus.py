"""Prometheus on 127.0.0.1: finds pods by annotation; reads kubelets, gateway and states of objects."""

import json
import urllib.parse
from typing import Any

from e2e.cluster import loopback, parts
from e2e.cluster.kubectl import Manifest, apply
from e2e.cluster.programs import Program
from e2e.cluster.progress import say, wait_for
from e2e.cluster.rbac import cluster_role, reads, user
from e2e.cluster.scraping import Vantage, scrape_config
from e2e.cluster.settings import API_ADDRESS, API_PORT, POD_GATEWAY, PROMETHEUS_SERVICE
from e2e.cluster.state import Cluster
from e2e.cluster.trouble import ClusterTrouble

NAME = "prometheus"
OBJECTS = "kube-state-metrics"
NAMESPACE = "monitoring"
WATCHED = "pods,deployments,replicasets,nodes,namespaces,services"


def start(cluster: Cluster) -> None:
    """Prometheus and kube-state-metrics; also how a fault test brings Prometheus back, series and all."""
    cluster.need_host("starting Prometheus")
    apply(cluster, manifests(cluster.port(NAME)))
    cluster.programs.start(_object_metrics(cluster))
    cluster.programs.start(_prometheus(cluster))


def stop(cluster: Cluster) -> None:
    """Prometheus alone ends, as in an outage; what it stored stays."""
    cluster.need_host("stopping Prometheus")
    cluster.programs.stop([NAME], 20)


def wait_until_ready(cluster: Cluster) -> None:
    def is_ready() -> bool:
        return bool(loopback.read(f"{cluster.prometheus_url}/-/ready", 2))

    wait_for("Prometheus to be ready", is_ready, 60, alive=lambda: cluster.programs.check(NAME, OBJECTS))
    seconds = cluster.settings.scrape_ms / 1000
    say(f"Prometheus listens on {cluster.prometheus_url}, a scrape every {seconds} s")


def targets(cluster: Cluster) -> list[dict[str, Any]]:
    """Every target that is scraped now: labels, health and last error, as Prometheus tells them."""
    answer = loopback.read(f"{cluster.prometheus_url}/api/v1/targets?state=active")
    found: list[dict[str, Any]] = json.loads(answer)["data"]["activeTargets"]
    return found


def series(url: str, query: str, at: float | None = None) -> list[dict[str, Any]]:
    """Labels and value of each series that answers an instant query, now or at a time."""
    asked = {"query": query} if at is None else {"query": query, "time": f"{at:.3f}"}
    answer = json.loads(loopback.read(f"{url}/api/v1/query?{urllib.parse.urlencode(asked)}", 10))
    if answer["status"] != "success":
        raise ClusterTrouble(f"Prometheus did not answer {query}: {answer}")
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def roles(prometheus: Manifest, objects: Manifest) -> list[Manifest]:
    """What the two subjects may read."""
    prometheus_rules = [
        reads("", "nodes", "pods", "services", "endpoints"),
        {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
        {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
    ]
    object_rules = [
        reads("", "pods", "nodes", "namespaces", "services"),
        reads("apps", "deployments", "replicasets"),
    ]
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        *cluster_role(NAME, prometheus_rules, prometheus),
        *cluster_role(OBJECTS, object_rules, objects),
    ]


def manifests(port: int) -> list[Manifest]:
    """Roles, and a Service by which pods reach the Prometheus on the host."""
    meta = {"name": NAME, "namespace": NAMESPACE}
    return [
        *roles(user(f"causal-rollouts:{NAME}"), user(f"causal-rollouts:{OBJECTS}")),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {
                "clusterIP": PROMETHEUS_SERVICE,
                "ports": [{"name": "http", "port": 9090, "targetPort": port}],
            },
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**meta, "labels": {"kubernetes.io/service-name": NAME}},
            "addressType": "IPv4",
            "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
            "endpoints": [{"addresses": [POD_GATEWAY], "conditions": {"ready": True}}],
        },
    ]


def config(cluster: Cluster) -> dict[str, Any]:
    """As it is scraped from the host: by certificate, the gateway and the objects' states on loopback."""
    keys = cluster.places.pki
    tls = {
        "ca_file": str(keys / "ca.crt"),
        "cert_file": str(keys / "prometheus.crt"),
        "key_file": str(keys / "prometheus.key"),
    }
    vantage = Vantage(
        discovery={"kubeconfig_file": str(cluster.places.run / "kubeconfigs" / NAME)},
        credentials={"tls_config": tls},
        api_server=f"{API_ADDRESS}:{API_PORT}",
        objects=f"127.0.0.1:{cluster.port(OBJECTS)}",
        gateway=f"127.0.0.1:{cluster.port('gateway-metrics')}",
        itself=f"127.0.0.1:{cluster.port(NAME)}",
    )
    return scrape_config(vantage, cluster.settings.scrape_ms)


def _prometheus(cluster: Cluster) -> Program:
    file = cluster.places.run / "prometheus.json"
    file.write_text(json.dumps(config(cluster), indent=2))
    port = cluster.port(NAME)
    argv = (
        str(parts.program(parts.PROMETHEUS, NAME, cluster.places)),
        f"--config.file={file}",
        f"--storage.tsdb.path={cluster.places.data / 'prometheus'}",
        "--storage.tsdb.retention.time=12h",
        f"--web.listen-address=127.0.0.1:{port}",
        # A cluster address: for pods, by Service monitoring/prometheus.
        f"--web.listen-address={POD_GATEWAY}:{port}",
        # A new pod is scraped a second after it is seen, not five.
        "--scrape.discovery-reload-interval=1s",
        "--log.level=warn",
    )
    return Program(NAME, argv)


def _object_metrics(cluster: Cluster) -> Program:
    argv = (
        str(parts.program(parts.KUBE_STATE_METRICS, OBJECTS, cluster.places)),
        f"--kubeconfig={cluster.places.run / 'kubeconfigs' / OBJECTS}",
        f"--resources={WATCHED}",
        "--host=127.0.0.1",
        f"--port={cluster.port(OBJECTS)}",
        "--telemetry-host=127.0.0.1",
        f"--telemetry-port={cluster.port('kube-state-metrics-own')}",
    )
    return Program(OBJECTS, argv)
