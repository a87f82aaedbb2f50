"""The provider for machines with Docker: kind's nodes are containers, the furniture runs as pods.

Written from kind's documentation; it could not be tried where this was written.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from e2e.cluster import gateway, in_cluster, parts, state
from e2e.cluster.command import run
from e2e.cluster.kubectl import apply, get, kubectl
from e2e.cluster.places import Places
from e2e.cluster.progress import say, wait_for
from e2e.cluster.settings import Settings, free_ports
from e2e.cluster.state import Cluster, Provider
from e2e.cluster.trouble import ClusterTrouble

NAME = state.KIND_NAME
PARTS = (
    parts.GATEWAY_API,
    parts.TRAEFIK,
    parts.KIND,
    parts.KUBE_STATE_METRICS,
    parts.PROMETHEUS,
    parts.KUBECTL,
)


def build(places: Places) -> None:
    parts.ensure(PARTS, places)


def up(places: Places, settings: Settings) -> Cluster:
    build(places)
    cluster = _planned(places, settings)
    kind = parts.program(parts.KIND, "kind", places)
    if NAME not in run([kind, "get", "clusters"], check=False).split():
        say("kind creates the nodes; the first time it fetches their image")
        create: list[str | Path] = [kind, "create", "cluster", "--name", NAME, "--config", "-"]
        create += ["--wait", "180s", "--kubeconfig", cluster.kubeconfig]
        run(create, stdin=json.dumps(config(cluster)), seconds=900)
    for node in cluster.nodes:
        budget = ["--cpu-period", settings.period_us, "--cpu-quota", int(settings.cores * settings.period_us)]
        run(["docker", "update", *map(str, budget), node.name])
    in_cluster.load_images(cluster)
    gateway.install_crds(cluster)
    apply(cluster, in_cluster.gateway_pods(cluster))
    apply(cluster, in_cluster.metrics_pods(cluster))
    wait_for("the pods of gateway and Prometheus", lambda: _settled(cluster), 180, every=1)
    say("gateway and Prometheus are ready")
    return cluster


def down(cluster: Cluster) -> None:
    kind = parts.program(parts.KIND, "kind", cluster.places)
    run([kind, "delete", "cluster", "--name", NAME, "--kubeconfig", cluster.kubeconfig], seconds=180)
    state.forget(cluster.places)
    say("kind's nodes are gone")


def config(cluster: Cluster) -> dict[str, Any]:
    """Loopback ports of this machine lead to node ports. All beta features: the gate's policy is one."""
    mappings = [
        {
            "hostPort": cluster.port(name),
            "containerPort": node_port,
            "listenAddress": "127.0.0.1",
        }
        for name, node_port in in_cluster.NODE_PORTS.items()
    ]
    workers = [{"role": "worker"} for _ in cluster.nodes]
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "featureGates": {"AllBeta": True},
        "runtimeConfig": {"api/beta": "true"},
        "nodes": [{"role": "control-plane", "extraPortMappings": mappings}, *workers],
    }


def _planned(places: Places, settings: Settings) -> Cluster:
    begun = state.find(places.environment())
    if begun is not None:
        if begun.settings.choice() != settings.choice():
            raise ClusterTrouble(f"another cluster is up ({begun.settings.summary()}); run `down` first")
        return begun
    settings = replace(settings, ports=free_ports(settings.ports))
    cluster = Cluster(
        Provider.KIND,
        places.run / "kubeconfigs" / "admin",
        parts.program(parts.KUBECTL, "kubectl", places),
        f"http://127.0.0.1:{settings.ports['prometheus']}",
        f"http://127.0.0.1:{settings.ports['gateway']}",
        places,
        settings,
    )
    cluster.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    state.save(cluster)
    return cluster


def _settled(cluster: Cluster) -> bool:
    kubectl(cluster, "get", "--raw", "/readyz", seconds=10)
    found = [get(cluster, "-n", ns, "deployments")["items"] for ns in (gateway.NAMESPACE, "monitoring")]
    return all(d.get("status", {}).get("readyReplicas") for items in found for d in items)
