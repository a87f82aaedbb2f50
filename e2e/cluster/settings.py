"""What a person can choose about the cluster, and the addresses that follow from it."""

import socket
from dataclasses import asdict, dataclass, field
from typing import Any

POD_RANGE = "10.244.0.0/16"
POD_GATEWAY = "10.244.0.1"
SERVICE_RANGE = "10.96.0.0/16"
NODE_RANGE = "10.97.0.0/24"
API_ADDRESS = "10.97.0.10"
API_PORT = 6443
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
PROMETHEUS_SERVICE = "10.96.0.20"
DNS_DOMAIN = "cluster.local"
MOST_NODES = 20


@dataclass(frozen=True, slots=True)
class Node:
    """One kubelet with a containerd, an address and a CPU budget of its own."""

    name: str
    index: int

    @property
    def address(self) -> str:
        return f"10.97.0.{10 + self.index}"

    @property
    def pod_addresses(self) -> tuple[str, str]:
        """First and last address of its pods inside the one shared pod range."""
        return f"10.244.{self.index}.10", f"10.244.{self.index}.250"


# Looked for from these numbers upwards, so that two things on one machine do not collide.
PORTS = {
    "gateway": 18080,
    "gateway-metrics": 18081,
    "prometheus": 19090,
    "kube-state-metrics": 18082,
    "kube-state-metrics-own": 18083,
    "etcd": 12379,
    "etcd-peer": 12380,
    "controller-manager": 20257,
    "scheduler": 20259,
    "proxy-health": 20256,
    "proxy-metrics": 20249,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """cores: each node's CPU budget. period_us: over which it is given out; shorter is quieter."""

    nodes: int = 5
    cores: float = 0.5
    period_us: int = 100_000
    scrape_ms: int = 2_500
    ports: dict[str, int] = field(default_factory=lambda: dict(PORTS))

    def all_nodes(self) -> tuple[Node, ...]:
        return tuple(Node(f"node{i}", i) for i in range(1, self.nodes + 1))

    def choice(self) -> tuple[int, float, int, int]:
        """What a person chose; ports are found, not chosen."""
        return self.nodes, self.cores, self.period_us, self.scrape_ms

    def summary(self) -> str:
        scrape = self.scrape_ms / 1000
        return f"{self.nodes} nodes, {self.cores} core over {self.period_us} us, scrape {scrape} s"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> "Settings":
        return cls(**written)


def free_ports(wanted: dict[str, int]) -> dict[str, int]:
    """The wanted ports, each moved up to the first that is free on the loopback address."""
    found: dict[str, int] = {}
    for name, first in wanted.items():
        candidates = (p for p in range(first, 65_536, 100) if p not in found.values())
        found[name] = next(port for port in candidates if _is_free(port))
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
