"""A node: containerd and kubelet with folders, sockets, addresses and a CPU budget of their own."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from e2e.cluster import cgroups, network, parts
from e2e.cluster.kubectl import get, is_true
from e2e.cluster.programs import Program
from e2e.cluster.progress import say, wait_for
from e2e.cluster.settings import DNS_DOMAIN, DNS_SERVICE, Node
from e2e.cluster.state import Cluster

PAUSE_IMAGE = "localhost/pause:1"


def start_containerd(cluster: Cluster, node: Node) -> None:
    data, state = cluster.places.data / node.name, cluster.places.run / node.name
    for folder in (data / "cni", data / "leases", data / "opt", state):
        folder.mkdir(parents=True, exist_ok=True)
    cgroups.create(node.name)
    cgroups.set_budget(node.name, cluster.settings.cores, cluster.settings.period_us)
    (data / "cni" / "10-pods.conflist").write_text(network.cni_config(node, data / "leases"))
    config = state / "containerd.toml"
    config.write_text(containerd_config(data, state))
    cluster.programs.start(Program(f"containerd-{node.name}", ("containerd", "--config", str(config))))


def wait_for_containerd(cluster: Cluster, node: Node) -> None:
    place, name = cluster.containerd_socket(node), f"containerd-{node.name}"

    def listens() -> bool:
        # The file alone proves nothing: one of an earlier life may lie there.
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(place))
        return True

    wait_for(f"{name} to listen", listens, 30, alive=lambda: cluster.programs.check(name))


def start_kubelet(cluster: Cluster, node: Node) -> None:
    data, state = cluster.places.data / node.name, cluster.places.run / node.name
    (data / "pod-logs").mkdir(parents=True, exist_ok=True)
    resolver = state / "resolv.conf"
    resolver.write_text("# pods of dnsPolicy Default resolve nothing: no question leaves the machine\n")
    config = state / "kubelet.json"
    config.write_text(json.dumps(kubelet_config(cluster, node, _machine_memory()), indent=2))
    kubelet = parts.program(parts.KUBERNETES, "kubelet", cluster.places)
    argv = (
        str(kubelet),
        f"--config={config}",
        f"--kubeconfig={cluster.places.run / 'kubeconfigs' / node.name}",
        f"--root-dir={data / 'kubelet'}",
        f"--cert-dir={data / 'kubelet-pki'}",
        f"--hostname-override={node.name}",
        f"--node-ip={node.address}",
    )
    cluster.programs.start(Program(f"kubelet-{node.name}", argv))


def wait_until_ready(cluster: Cluster, seconds: float = 120) -> None:
    kubelets = [f"kubelet-{node.name}" for node in cluster.nodes]

    def all_ready() -> bool:
        ready = {n["metadata"]["name"] for n in get(cluster, "nodes")["items"] if is_true(n, "Ready")}
        return ready >= {node.name for node in cluster.nodes}

    wait_for(
        f"{len(cluster.nodes)} nodes to be Ready",
        all_ready,
        seconds,
        alive=lambda: cluster.programs.check(*kubelets),
    )
    say(f"{len(cluster.nodes)} nodes are Ready, {cluster.settings.cores} core each")


def set_budget(cluster: Cluster, node: str, cores: float, period_us: int = 100_000) -> None:
    """Chaos: change what the pods of one node may use together. The scheduler is not told."""
    cluster.need_host("a node's CPU budget")
    cgroups.set_budget(cluster.node(node).name, cores, period_us)


@contextmanager
def small_budgets(cluster: Cluster, cores: float, period_us: int) -> Iterator[None]:
    """Chaos: every node has less while the body runs, so that one busy pod is enough to fill a node."""
    usual = cluster.settings
    say(f"every node may use {cores:g} core, given out anew each {period_us / 1000:g} ms")
    try:
        for node in cluster.nodes:
            set_budget(cluster, node.name, cores, period_us)
        yield
    finally:
        for node in cluster.nodes:
            set_budget(cluster, node.name, usual.cores, usual.period_us)


def containerd_config(data: Path, state: Path) -> str:
    """TOML: what is a string is quoted as JSON quotes it, which TOML reads alike."""
    q = json.dumps
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""version = 2
root = {q(str(data / "containerd"))}
state = {q(str(state / "containerd"))}
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[debug]
level = "warn"
[grpc]
address = {q(str(state / "containerd.sock"))}
[plugins."io.containerd.internal.v1.opt"]
path = {q(str(data / "opt"))}
[{cri}]
sandbox_image = {q(PAUSE_IMAGE)}
# Without CAP_SYS_RESOURCE a lower oom_score_adj is refused and runc dies of it.
restrict_oom_score_adj = true
[{cri}.cni]
bin_dir = {q(str(network.CNI_PLUGINS))}
conf_dir = {q(str(data / "cni"))}
[{cri}.containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
[{cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[{cri}.containerd.runtimes.runc.options]
Root = {q(str(state / "runc"))}
SystemdCgroup = false
"""


def kubelet_config(cluster: Cluster, node: Node, machine_memory: int) -> dict[str, Any]:
    """Allocatable CPU is the node's budget: what the scheduler believes is what the kernel gives."""
    keys, data = cluster.places.pki, cluster.places.data / node.name
    reserved_cpu = max(0.0, (os.cpu_count() or 1) - cluster.settings.cores)
    reserved_memory = machine_memory - machine_memory // max(len(cluster.nodes), 2)
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "port": 10250,
        "readOnlyPort": 0,
        "healthzBindAddress": node.address,
        "containerRuntimeEndpoint": f"unix://{cluster.containerd_socket(node)}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroups.kubelet_path(node.name),
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "systemReserved": {
            "cpu": f"{round(reserved_cpu * 1000)}m",
            "memory": f"{reserved_memory // 2**20}Mi",
        },
        "localStorageCapacityIsolation": False,
        "makeIPTablesUtilChains": False,
        "podLogsDir": str(data / "pod-logs"),
        "volumePluginDir": str(data / "volume-plugins"),
        "resolvConf": str(cluster.places.run / node.name / "resolv.conf"),
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": DNS_DOMAIN,
        "maxPods": 100,
        # The images are all there is; nothing may tidy them away, and disks are not ours to judge.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "0%", "imagefs.available": "0%"},
        "serializeImagePulls": False,
        "shutdownGracePeriod": "0s",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(keys / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(keys / f"{node.name}.crt"),
        "tlsPrivateKeyFile": str(keys / f"{node.name}.key"),
        "rotateCertificates": False,
        "logging": {"verbosity": 1},
    }


def _machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
