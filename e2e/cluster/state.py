"""What everyone else asks of the cluster: where it listens and with which files it is reached."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from e2e.cluster.folder import write_whole
from e2e.cluster.places import Places
from e2e.cluster.programs import Programs
from e2e.cluster.settings import Node, Settings
from e2e.cluster.trouble import ClusterTrouble

KIND_NAME = "causal-rollouts"


class Provider(StrEnum):
    EXISTING = "existing"
    KIND = "kind"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Cluster:
    """prometheus_url and gateway_url are empty where an existing cluster was not said to have one."""

    provider: Provider
    kubeconfig: Path
    kubectl: Path
    prometheus_url: str
    gateway_url: str
    places: Places
    settings: Settings = field(default_factory=Settings)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes that `up` made; none of a cluster that is somebody else's."""
        made = self.settings.all_nodes()
        if self.provider is Provider.HOST:
            return made
        if self.provider is Provider.KIND:
            return tuple(replace(node, name=kind_node(node.index)) for node in made)
        return ()

    @property
    def programs(self) -> Programs:
        return Programs(self.places.run)

    def node(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        raise ClusterTrouble(f"there is no node {name!r}; there are {', '.join(n.name for n in self.nodes)}")

    def containerd_socket(self, node: Node) -> Path:
        return self.places.run / node.name / "containerd.sock"

    def port(self, name: str) -> int:
        return self.settings.ports[name]

    def environment(self) -> dict[str, str]:
        """For a child that speaks to this cluster."""
        found = {"KUBECONFIG": str(self.kubeconfig), "PROMETHEUS_URL": self.prometheus_url}
        return {**found, "GATEWAY_URL": self.gateway_url}

    def need_host(self, what: str) -> None:
        if self.provider is not Provider.HOST:
            raise ClusterTrouble(f"{what} needs the cluster that runs on this machine, not {self.provider}")


def kind_node(index: int) -> str:
    """As kind names its workers: the first has no number."""
    return f"{KIND_NAME}-worker{index if index > 1 else ''}"


def state_file(places: Places) -> Path:
    return places.run / "cluster.json"


def save(cluster: Cluster) -> None:
    path = state_file(cluster.places)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = {
        "provider": cluster.provider,
        "kubeconfig": str(cluster.kubeconfig),
        "kubectl": str(cluster.kubectl),
        "prometheus_url": cluster.prometheus_url,
        "gateway_url": cluster.gateway_url,
        "settings": cluster.settings.to_json(),
    }
    write_whole(path, json.dumps(written, indent=2))


def forget(places: Places) -> None:
    """Everything of this cluster that lies in files."""
    for folder in (places.run, places.data):
        shutil.rmtree(folder, ignore_errors=True)


def load(environ: Mapping[str, str] = os.environ) -> Cluster:
    """The cluster that `up` made, or the one that KUBECONFIG names; ClusterTrouble when there is none."""
    found = find(environ)
    if found is None:
        raise ClusterTrouble("no cluster is up; run `make cluster-up`")
    return found


def find(environ: Mapping[str, str] = os.environ) -> Cluster | None:
    """As load, None when there is none. A KUBECONFIG that `up` wrote means the cluster that `up` made."""
    places = Places.of(environ)
    foreign = foreign_kubeconfig(environ)
    if foreign:
        return existing(foreign, environ)
    try:
        written = json.loads(state_file(places).read_text())
    except (OSError, ValueError):
        return None
    return Cluster(
        Provider(written["provider"]),
        Path(written["kubeconfig"]),
        Path(written["kubectl"]),
        written["prometheus_url"],
        written["gateway_url"],
        places,
        Settings.from_json(written["settings"]),
    )


def foreign_kubeconfig(environ: Mapping[str, str]) -> Path | None:
    """The KUBECONFIG that somebody set, unless it lies in our own run folder."""
    named = environ.get("KUBECONFIG")
    if not named:
        return None
    path = Path(named.split(os.pathsep)[0]).absolute()
    return None if path.is_relative_to(Places.of(environ).run) else path


def existing(kubeconfig: Path, environ: Mapping[str, str]) -> Cluster:
    """A cluster that is somebody else's: only used, never made or unmade."""
    places = Places.of(environ)
    return Cluster(
        Provider.EXISTING,
        kubeconfig,
        Path(shutil.which("kubectl") or "kubectl"),
        environ.get("PROMETHEUS_URL", ""),
        environ.get("GATEWAY_URL", ""),
        places,
    )
