"""What runs and what is missing, one line each."""

from collections.abc import Callable, Iterator
from functools import partial

from e2e.cluster import gateway, prometheus
from e2e.cluster.kubectl import get, is_true, kubectl
from e2e.cluster.state import Cluster, Provider
from e2e.cluster.trouble import ClusterTrouble


def show(cluster: Cluster) -> int:
    """Print every check; 0 when all hold, 1 when not."""
    print(f"provider    {cluster.provider}")
    print(f"kubeconfig  {cluster.kubeconfig}")
    print(f"kubectl     {cluster.kubectl}")
    print(f"prometheus  {cluster.prometheus_url or '(set PROMETHEUS_URL)'}")
    print(f"gateway     {cluster.gateway_url or '(set GATEWAY_URL)'}")
    whole = True
    for what, check in _checks(cluster):
        try:
            answer = check()
            verdict = "ok      " if answer else "MISSING "
            detail = answer if isinstance(answer, str) else ""
        except (ClusterTrouble, OSError) as problem:
            answer, verdict, detail = "", "MISSING ", str(problem).splitlines()[0]
        whole = whole and bool(answer)
        print(f"{verdict} {what}{detail and f': {detail}'}")
    return 0 if whole else 1


def _checks(cluster: Cluster) -> Iterator[tuple[str, Callable[[], bool | str]]]:
    if cluster.provider is Provider.HOST:
        for name in _expected(cluster):
            yield f"process {name}", partial(cluster.programs.running, name)
    yield "API server ready", lambda: kubectl(cluster, "get", "--raw", "/readyz", seconds=10).strip() == "ok"
    yield "nodes Ready", lambda: _nodes(cluster)
    yield "Gateway API (HTTPRoute v1)", lambda: _has(cluster, "gateway.networking.k8s.io/v1", "httproutes")
    yield "MutatingAdmissionPolicy", lambda: _has_policies(cluster)
    if cluster.provider is not Provider.EXISTING:
        yield f"Gateway {gateway.NAMESPACE}/{gateway.GATEWAY} Programmed", lambda: _programmed(cluster)
        yield "cluster DNS", lambda: _dns(cluster)
    yield "Prometheus targets up", lambda: _targets(cluster)


def _expected(cluster: Cluster) -> list[str]:
    per_node = [f"{part}-{node.name}" for node in cluster.nodes for part in ("containerd", "kubelet")]
    control = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"]
    return [*control, *per_node, gateway.NAME, prometheus.NAME, prometheus.OBJECTS]


def _nodes(cluster: Cluster) -> str:
    nodes = get(cluster, "nodes")["items"]
    ready = [n["metadata"]["name"] for n in nodes if is_true(n, "Ready")]
    if len(ready) < len(nodes) or not nodes:
        raise ClusterTrouble(f"{len(ready)} of {len(nodes)}")
    return f"{len(ready)} of {len(nodes)}"


def _has(cluster: Cluster, group: str, resource: str) -> bool:
    return f'"name":"{resource}"' in kubectl(cluster, "get", "--raw", f"/apis/{group}", seconds=10)


def _has_policies(cluster: Cluster) -> str:
    for version in ("v1", "v1beta1"):
        try:
            if _has(cluster, f"admissionregistration.k8s.io/{version}", "mutatingadmissionpolicies"):
                return version
        except ClusterTrouble:
            continue
    raise ClusterTrouble("not served; the release gate needs `gate: AlwaysPaused` here")


def _programmed(cluster: Cluster) -> bool:
    return is_true(get(cluster, "-n", gateway.NAMESPACE, "gateway", gateway.GATEWAY), "Programmed")


def _dns(cluster: Cluster) -> bool:
    return bool(get(cluster, "-n", "kube-system", "deployment", "coredns")["status"].get("readyReplicas"))


def _targets(cluster: Cluster) -> str:
    if not cluster.prometheus_url:
        raise ClusterTrouble("PROMETHEUS_URL is not set")
    targets = prometheus.targets(cluster)
    down = [f"{t['labels'].get('job')} {t['labels'].get('instance')}" for t in targets if t["health"] != "up"]
    if down:
        raise ClusterTrouble(f"{len(down)} of {len(targets)} are not: {', '.join(down[:5])}")
    return f"{len(targets)} of {len(targets)}"
