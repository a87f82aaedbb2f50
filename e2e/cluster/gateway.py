"""The gateway: Gateway API CRDs, Traefik on 127.0.0.1, and Gateway `edge` for routes of all namespaces."""

from e2e.cluster import loopback, parts
from e2e.cluster.kubectl import Manifest, apply, get, is_true, kubectl, wait_established
from e2e.cluster.programs import Program
from e2e.cluster.progress import say, wait_for
from e2e.cluster.rbac import cluster_role, reads, user
from e2e.cluster.settings import POD_GATEWAY
from e2e.cluster.state import Cluster

NAME = "traefik"
CLASS = "traefik"
CONTROLLER = "traefik.io/gateway-controller"
GATEWAY = "edge"
NAMESPACE = "edge"
CRDS = ("gatewayclasses", "gateways", "httproutes", "grpcroutes", "referencegrants")


def install_crds(cluster: Cluster) -> None:
    folder = parts.GATEWAY_API.folder(cluster.places)
    files = [word for file in sorted(folder.glob("*.yaml")) for word in ("-f", file)]
    kubectl(cluster, "apply", "--server-side", "--force-conflicts", *files, seconds=90)
    names = [f"crd/{crd}.gateway.networking.k8s.io" for crd in CRDS]
    wait_established(cluster, *names)


def start(cluster: Cluster) -> None:
    """CRDs first: Traefik gives up on kinds that are not there when it starts."""
    install_crds(cluster)
    apply(cluster, manifests(cluster.port("gateway"), user(f"causal-rollouts:{NAME}")))
    cluster.programs.start(_traefik(cluster))


def wait_until_ready(cluster: Cluster) -> None:
    def programmed() -> bool:
        return is_true(get(cluster, "-n", NAMESPACE, "gateway", GATEWAY), "Programmed")

    wait_for(
        f"Gateway {NAMESPACE}/{GATEWAY} to be Programmed",
        programmed,
        60,
        alive=lambda: cluster.programs.check(NAME),
    )
    wait_for(
        f"Traefik to serve its metrics on port {cluster.port('gateway-metrics')}",
        lambda: _serves(cluster),
        30,
    )
    say(f"Gateway {NAMESPACE}/{GATEWAY} listens on {cluster.gateway_url}")


def manifests(port: int, subject: Manifest) -> list[Manifest]:
    group = "gateway.networking.k8s.io"
    kinds = ("gatewayclasses", "gateways", "httproutes", "grpcroutes", "tlsroutes", "tcproutes", "udproutes")
    more = ("referencegrants", "backendtlspolicies", "listenersets")
    listener = {
        "name": "web",
        "port": port,
        "protocol": "HTTP",
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    rules = [
        reads("", "namespaces", "services", "secrets", "configmaps", "nodes", "endpoints"),
        reads("discovery.k8s.io", "endpointslices"),
        reads(group, *kinds, *more),
        {
            "apiGroups": [group],
            "resources": [f"{kind}/status" for kind in (*kinds, *more)],
            "verbs": ["update", "patch"],
        },
    ]
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        *cluster_role(NAME, rules, subject),
        {
            "apiVersion": f"{group}/v1",
            "kind": "GatewayClass",
            "metadata": {"name": CLASS},
            "spec": {"controllerName": CONTROLLER},
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "Gateway",
            "metadata": {"name": GATEWAY, "namespace": NAMESPACE},
            "spec": {"gatewayClassName": CLASS, "listeners": [listener]},
        },
    ]


def arguments(web: str, metrics: str, status_address: str) -> list[str]:
    """Traefik's command line. A listener of the Gateway is served by the entry point that has its port."""
    return [
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=INFO",
        "--log.nocolor=true",
        f"--entrypoints.web.address={web}",
        f"--entrypoints.metrics.address={metrics}",
        "--metrics.prometheus=true",
        "--metrics.prometheus.entrypoint=metrics",
        "--metrics.prometheus.addrouterslabels=true",
        "--providers.kubernetesgateway=true",
        f"--providers.kubernetesgateway.statusaddress.ip={status_address}",
        "--providers.providersthrottleduration=100ms",
    ]


def _traefik(cluster: Cluster) -> Program:
    binary = str(parts.program(parts.TRAEFIK, "traefik", cluster.places))
    web, metrics = (f"127.0.0.1:{cluster.port(name)}" for name in ("gateway", "gateway-metrics"))
    config = {"KUBECONFIG": str(cluster.places.run / "kubeconfigs" / NAME)}
    return Program(NAME, (binary, *arguments(web, metrics, POD_GATEWAY)), config)


def _serves(cluster: Cluster) -> bool:
    return bool(loopback.read(f"http://127.0.0.1:{cluster.port('gateway-metrics')}/metrics", 2))
