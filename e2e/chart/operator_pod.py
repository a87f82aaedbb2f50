"""The operator in the cluster as a user has it: from its image, by Helm and the chart."""

import contextlib
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from e2e.chart import image
from e2e.chart.helm import CHART, RELEASE
from e2e.chart.server import helm_on
from e2e.cluster import parts
from e2e.cluster.kubectl import Manifest, get, kubectl
from e2e.cluster.parts import Part
from e2e.cluster.progress import say
from e2e.cluster.settings import Node
from e2e.cluster.state import Cluster
from e2e.cluster.trouble import ClusterTrouble

Values = dict[str, Any]

PROMETHEUS = "http://prometheus.monitoring.svc.cluster.local:9090"
LONGEST = 600.0


@dataclass(frozen=True, slots=True)
class OperatorPod:
    """One release for the whole cluster, with the chart's own settings."""

    cluster: Cluster

    @property
    def node(self) -> Node:
        """Where its pod stands: the only node that has its image."""
        return home(self.cluster)

    @property
    def image(self) -> str:
        return f"{image.REPOSITORY}:{image.tag()}"

    def pods(self) -> list[Manifest]:
        """As they are now."""
        found: list[Manifest] = get(self.cluster, "-n", RELEASE, "pods")["items"]
        return found

    def start(self) -> "OperatorPod":
        """Install it anew and wait until it is ready. Kinds and roles applied by hand become its own."""
        take_away(self.cluster)
        began = time.monotonic()
        values = settings(self.cluster)
        say(f"the image {self.image} is on {self.node.name} ({time.monotonic() - began:.0f} s)")
        began = time.monotonic()
        bring(self.cluster, RELEASE, values, words=("--take-ownership", "--force-conflicts"))
        say(f"Helm installed the operator, and it is ready ({time.monotonic() - began:.0f} s)")
        return self

    def stop(self) -> None:
        """Uninstall it; what it said stays as the log of a program of this name."""
        words = ["-n", RELEASE, "logs", f"deployment/{RELEASE}", "--tail=-1"]
        # It may have no pod at all: then there is nothing to keep.
        with contextlib.suppress(ClusterTrouble):
            self.cluster.programs.log("operator-pod").write_text(kubectl(self.cluster, *words))
        take_away(self.cluster)


def home(cluster: Cluster) -> Node:
    """The last node; any would do, as long as it is the one with the image."""
    return cluster.nodes[-1]


def settings(cluster: Cluster) -> Values:
    """Of the chart, for the cluster that `up` made. The image is on its node then."""
    return {
        "image": {
            "repository": image.REPOSITORY,
            "tag": image.ensure(cluster, home(cluster)),
            "pullPolicy": "Never",
        },
        "nodeSelector": {"kubernetes.io/hostname": home(cluster).name},
        "prometheus": {"url": PROMETHEUS, "scrape": cluster.settings.scrape_ms / 1000, "ingestLag": 1},
    }


def bring(
    cluster: Cluster,
    namespace: str,
    values: Values,
    words: tuple[str, ...] = (),
    part: Part = parts.HELM,
) -> None:
    """helm upgrade --install of a release that is called as its namespace, until it is ready."""
    call: list[str | Path] = ["upgrade", "--install", namespace, CHART, "-n", namespace, "--create-namespace"]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        call += ["-f", file.name, "--wait", "--timeout", "5m", *words]
        helm_on(cluster, *call, part=part, seconds=LONGEST)


def take_away(cluster: Cluster) -> None:
    """Uninstall the release for the whole cluster, if there is one; kinds, rollouts and records stay."""
    selected = ["-n", RELEASE, "secrets", "-l", f"owner=helm,name={RELEASE}", "-o", "name"]
    if kubectl(cluster, "get", *selected).strip():
        # With its pod: another operator may be started next.
        words = ["-n", RELEASE, "--wait", "--cascade=foreground", "--timeout=2m"]
        helm_on(cluster, "uninstall", RELEASE, *words, seconds=LONGEST)
