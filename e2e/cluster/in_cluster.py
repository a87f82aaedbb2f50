"""Gateway, Prometheus and kube-state-metrics as pods, for clusters whose pods this machine cannot reach."""

import json
from pathlib import Path

from e2e.cluster import gateway, images, parts, prometheus
from e2e.cluster.kubectl import Manifest
from e2e.cluster.scraping import Vantage, scrape_config
from e2e.cluster.state import Cluster

NODE_PORTS = {"gateway": 30080, "prometheus": 30090}
METRICS_PORT = 9100
CREDENTIALS = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def load_images(cluster: Cluster) -> None:
    for part, name in (
        (parts.TRAEFIK, "traefik"),
        (parts.PROMETHEUS, "prometheus"),
        (parts.KUBE_STATE_METRICS, "kube-state-metrics"),
    ):
        images.load_static(_image(part), parts.program(part, name, cluster.places), cluster)


def gateway_pods(cluster: Cluster) -> list[Manifest]:
    port = cluster.port("gateway")
    args = gateway.arguments(f":{port}", f":{METRICS_PORT}", "127.0.0.1")
    pod = _container("traefik", _image(parts.TRAEFIK), args, {"web": port, "metrics": METRICS_PORT})
    account = _account("traefik", gateway.NAMESPACE)
    return [
        *gateway.manifests(port, account),
        *_workload("traefik", gateway.NAMESPACE, {"containers": [pod]}),
        _service("traefik", gateway.NAMESPACE, "NodePort", {"web": (port, NODE_PORTS["gateway"])}),
        _service(
            "traefik-metrics", gateway.NAMESPACE, "ClusterIP", {"metrics": (METRICS_PORT, 0)}, "traefik"
        ),
    ]


def metrics_pods(cluster: Cluster) -> list[Manifest]:
    where = prometheus.NAMESPACE
    args = ["--config.file=/etc/prometheus/config.json", "--storage.tsdb.path=/series"]
    args += ["--storage.tsdb.retention.time=12h", "--scrape.discovery-reload-interval=1s"]
    server = _container("prometheus", _image(parts.PROMETHEUS), args, {"http": 9090})
    server["volumeMounts"] = [
        {"name": "config", "mountPath": "/etc/prometheus"},
        {"name": "series", "mountPath": "/series"},
    ]
    volumes = [
        {"name": "config", "configMap": {"name": "prometheus"}},
        {"name": "series", "emptyDir": {}},
    ]
    watched = [f"--resources={prometheus.WATCHED}", "--host=0.0.0.0", "--port=8080"]
    objects = _container(prometheus.OBJECTS, _image(parts.KUBE_STATE_METRICS), watched, {"http": 8080})
    config = {"config.json": json.dumps(scrape_config(_vantage(), cluster.settings.scrape_ms))}
    return [
        *prometheus.roles(_account("prometheus", where), _account(prometheus.OBJECTS, where)),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _meta("prometheus", where), "data": config},
        # Volumes of pods belong to root; a group makes them writable for the program's own user.
        *_workload(
            "prometheus",
            where,
            {"containers": [server], "volumes": volumes, "securityContext": {"fsGroup": 65532}},
        ),
        *_workload(prometheus.OBJECTS, where, {"containers": [objects]}),
        _service("prometheus", where, "NodePort", {"http": (9090, NODE_PORTS["prometheus"])}),
        _service(prometheus.OBJECTS, where, "ClusterIP", {"http": (8080, 0)}),
    ]


def _vantage() -> Vantage:
    """From inside: as the pod's ServiceAccount; kubelets of kind sign their certificates themselves."""
    return Vantage(
        discovery={},
        credentials={
            "tls_config": {"ca_file": str(CREDENTIALS / "ca.crt"), "insecure_skip_verify": True},
            "authorization": {"credentials_file": str(CREDENTIALS / "token")},
        },
        api_server="kubernetes.default.svc:443",
        objects=f"{prometheus.OBJECTS}.{prometheus.NAMESPACE}.svc:8080",
        gateway=f"traefik-metrics.{gateway.NAMESPACE}.svc:{METRICS_PORT}",
        itself="localhost:9090",
    )


def _image(part: parts.Part) -> str:
    return f"localhost/{part.name}:{part.version}"


def _account(name: str, namespace: str) -> Manifest:
    return {"kind": "ServiceAccount", **_meta(name, namespace)}


def _meta(name: str, namespace: str) -> dict[str, str]:
    return {"name": name, "namespace": namespace}


def _container(name: str, image: str, args: list[str], ports: dict[str, int]) -> Manifest:
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "Never",
        "args": args,
        "ports": [{"name": port, "containerPort": number} for port, number in ports.items()],
        "readinessProbe": {"tcpSocket": {"port": next(iter(ports.values()))}, "periodSeconds": 1},
    }


def _workload(name: str, namespace: str, pod: Manifest) -> list[Manifest]:
    labels = {"app": name}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"serviceAccountName": name, **pod}},
    }
    meta = _meta(name, namespace)
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec},
    ]


def _service(
    name: str, namespace: str, kind: str, ports: dict[str, tuple[int, int]], app: str = ""
) -> Manifest:
    """ports: name to number and node port; a node port of 0 is none."""
    listed = [
        {"name": port, "port": number, **({"nodePort": node} if node else {})}
        for port, (number, node) in ports.items()
    ]
    spec = {"type": kind, "selector": {"app": app or name}, "ports": listed}
    return {"apiVersion": "v1", "kind": "Service", "metadata": _meta(name, namespace), "spec": spec}
