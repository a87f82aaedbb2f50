"""Cluster DNS: CoreDNS as a pod behind 10.96.0.10; it answers for the cluster and for nothing else."""

from e2e.cluster import images, parts
from e2e.cluster.kubectl import Manifest, apply, get
from e2e.cluster.progress import say, wait_for
from e2e.cluster.rbac import cluster_role
from e2e.cluster.settings import DNS_DOMAIN, DNS_SERVICE
from e2e.cluster.state import Cluster

IMAGE = f"localhost/coredns:{parts.COREDNS.version}"
PORT = 5353
LABELS = {"k8s-app": "coredns"}

COREFILE = f""".:{PORT} {{
  errors
  health :8080
  ready :8181
  kubernetes {DNS_DOMAIN} in-addr.arpa {{
    ttl 5
  }}
  cache 5
  loadbalance
}}
"""


def load_image(cluster: Cluster) -> None:
    images.load_static(IMAGE, parts.program(parts.COREDNS, "coredns", cluster.places), cluster)


def start(cluster: Cluster) -> None:
    apply(cluster, manifests())


def wait_until_ready(cluster: Cluster) -> None:
    def answered() -> bool:
        return bool(get(cluster, "-n", "kube-system", "deployment", "coredns")["status"].get("readyReplicas"))

    wait_for("cluster DNS (Deployment kube-system/coredns) to be ready", answered, 90)
    say(f"cluster DNS answers on {DNS_SERVICE}")


def manifests() -> list[Manifest]:
    meta = {"name": "coredns", "namespace": "kube-system"}
    reads = [
        {"apiGroups": [""], "resources": ["services", "namespaces", "pods"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    service_ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": PORT},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": PORT},
    ]
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        *cluster_role("coredns", reads, {"kind": "ServiceAccount", **meta}),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"Corefile": COREFILE}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kube-dns", "namespace": "kube-system"},
            "spec": {"clusterIP": DNS_SERVICE, "selector": LABELS, "ports": service_ports},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": LABELS},
                "template": {"metadata": {"labels": LABELS}, "spec": _pod()},
            },
        },
    ]


def _pod() -> Manifest:
    container = {
        "name": "coredns",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}],
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True},
    }
    return {
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        "dnsPolicy": "Default",
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
    }
