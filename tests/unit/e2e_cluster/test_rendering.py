"""What the cluster's programs are told, where a slip would be seen late or never."""

import re
from pathlib import Path

import pytest

from e2e.cluster import network, node, prometheus, settings
from e2e.cluster.places import Places
from e2e.cluster.settings import Settings
from e2e.cluster.state import Cluster, Provider


@pytest.fixture
def cluster():
    places = Places(Path("/cache"), Path("/run/x"), Path("/data"))
    chosen = Settings(nodes=3, cores=0.5, scrape_ms=2_500)
    return Cluster(Provider.HOST, Path("/run/x/admin"), Path("/kubectl"), "", "", places, chosen)


def job(cluster, name):
    return next(j for j in prometheus.config(cluster)["scrape_configs"] if j["job_name"] == name)


def relabelled(rules, labels):
    """Prometheus' replace, keep and drop, as far as these rules use them; None when dropped."""
    labels = dict(labels)
    for rule in rules:
        value = rule.get("separator", ";").join(labels.get(name, "") for name in rule["source_labels"])
        match = re.fullmatch(rule.get("regex", "(.*)"), value)
        action = rule.get("action", "replace")
        if (action == "keep" and not match) or (action == "drop" and match):
            return None
        if action == "replace" and match:
            template = re.sub(r"\$(\d)", r"\\\1", rule.get("replacement", "$1"))
            labels[rule["target_label"]] = match.expand(template)
    return {name: value for name, value in labels.items() if not name.startswith("__meta")}


POD = {
    "__address__": "10.244.1.10:8080",
    "__meta_kubernetes_pod_ip": "10.244.1.10",
    "__meta_kubernetes_pod_phase": "Running",
    "__meta_kubernetes_pod_name": "web-1",
    "__meta_kubernetes_pod_node_name": "node2",
    "__meta_kubernetes_namespace": "shop",
    "__meta_kubernetes_pod_annotation_prometheus_io_scrape": "true",
}


def test_a_pod_is_scraped_on_the_port_that_its_annotation_names(cluster):
    rules = job(cluster, "pods")["relabel_configs"]
    found = relabelled(rules, {**POD, "__meta_kubernetes_pod_annotation_prometheus_io_port": "9102"})
    assert found == {"__address__": "10.244.1.10:9102", "namespace": "shop", "pod": "web-1", "node": "node2"}


def test_a_pod_without_the_annotation_or_at_its_end_is_not_scraped(cluster):
    rules = job(cluster, "pods")["relabel_configs"]
    assert relabelled(rules, {**POD, "__meta_kubernetes_pod_annotation_prometheus_io_scrape": ""}) is None
    assert relabelled(rules, {**POD, "__meta_kubernetes_pod_phase": "Failed"}) is None


def test_kubelet_and_object_series_keep_the_pod_that_they_tell_of(cluster):
    assert job(cluster, "kubelet-resource")["honor_labels"]
    assert job(cluster, "kube-state-metrics")["honor_labels"]
    assert "honor_labels" not in job(cluster, "pods")


def test_the_scheduler_is_told_the_budget_that_the_kernel_gives(cluster, monkeypatch):
    monkeypatch.setattr(node.os, "cpu_count", lambda: 4)
    config = node.kubelet_config(cluster, cluster.nodes[0], 8 * 2**30)
    assert config["systemReserved"]["cpu"] == "3500m"


def test_kubelets_keep_their_logs_apart(cluster):
    folders = {node.kubelet_config(cluster, n, 2**30)["podLogsDir"] for n in cluster.nodes}
    assert len(folders) == len(cluster.nodes)


def test_no_two_nodes_share_an_address():
    nodes = Settings(nodes=settings.MOST_NODES).all_nodes()
    assert len({n.address for n in nodes} | {settings.API_ADDRESS}) == len(nodes) + 1
    assert len({n.pod_addresses for n in nodes}) == len(nodes)


def test_only_the_clusters_own_chains_are_taken_away():
    saved = "*nat\n:PREROUTING ACCEPT [0:0]\n:DOCKER - [0:0]\n:KUBE-SERVICES - [0:0]\nCOMMIT\n"
    assert network.kube_chains(saved) == ["KUBE-SERVICES"]


def test_namespaces_of_other_peoples_pods_are_not_ours(tmp_path):
    note = '{"result": {"interfaces": [{"name": "veth1"}, {"name": "eth0", "sandbox": "/run/netns/%s"}]}}'
    (tmp_path / f"{network.CNI_NAME}-node1-abc-eth0").write_text(note % "cni-ours")
    (tmp_path / "podman-abc-eth0").write_text(note % "cni-theirs")
    assert network.our_namespaces(tmp_path) == ["cni-ours"]


def test_a_taken_port_is_passed_over():
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        wanted = min(port, 65_000)
        assert settings.free_ports({"one": wanted})["one"] != port
