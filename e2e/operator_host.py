"""The operator as a process of this machine, authenticated as its ServiceAccount like in a pod."""

import os
import signal
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from e2e.chart import operator_pod
from e2e.cluster import access
from e2e.cluster.kubectl import kubectl, wait_established
from e2e.cluster.programs import Program
from e2e.cluster.progress import wait_for
from e2e.cluster.state import Cluster

ROOT = Path(__file__).parent.parent
NAME = "operator"


def install(cluster: Cluster) -> None:
    """CRDs, roles and admission policies, as a user applies them who has no Helm.

    A release of the chart has objects of the same names: one that a killed demo left behind goes first.
    """
    operator_pod.take_away(cluster)
    for folder in ("crds", "config"):
        words = ["apply", "--server-side", "--force-conflicts", "-f"]
        kubectl(cluster, *words, ROOT / folder, seconds=120)
    crds = [
        f"crd/{plural}.causalrollouts.dev"
        for plural in ("causalrollouts", "rolloutpolicies", "rolloutrecords")
    ]
    wait_established(cluster, *crds, seconds=30)


@dataclass(frozen=True, slots=True)
class OperatorProcess:
    """One copy of the operator. name tells two copies apart; lease: the Lease by which they take turns."""

    cluster: Cluster
    name: str = NAME
    prometheus_url: str = ""
    lease: str = ""

    def start(self) -> "OperatorProcess":
        """Start it and wait until it watches."""
        kubeconfig = access.operator_kubeconfig(self.cluster)
        scrape = self.cluster.settings.scrape_ms / 1000
        port = self.port
        env = {
            "KUBECONFIG": str(kubeconfig),
            "CAUSAL_ROLLOUTS_PROMETHEUS_URL": self.prometheus_url or self.cluster.prometheus_url,
            "CAUSAL_ROLLOUTS_SCRAPE": f"{scrape:g}",
            "CAUSAL_ROLLOUTS_INGEST_LAG": "1",
            "CAUSAL_ROLLOUTS_HEALTH_HOST": "127.0.0.1",
            "CAUSAL_ROLLOUTS_HEALTH_PORT": str(port),
            "CAUSAL_ROLLOUTS_LEASE": self.lease,
            "PYTHONPATH": str(ROOT / "operator"),
        }
        argv = (sys.executable, "-m", "causal_rollouts.runtime.app")
        self.cluster.programs.start(Program(self.name, argv, env))
        wait_for(
            "the operator to watch",
            self._ready,
            40,
            alive=lambda: self.cluster.programs.check(self.name),
        )
        return self

    @property
    def port(self) -> int:
        """Where its health and metrics are served."""
        return 18700 + sum(self.name.encode()) % 97

    @property
    def pid(self) -> int:
        """Of the running copy."""
        identity = self.cluster.programs.identity(self.name)
        if identity is None:
            raise RuntimeError("the operator was not started")
        return identity.pid

    def kill(self) -> None:
        """SIGKILL: no time to finish anything."""
        os.kill(self.pid, signal.SIGKILL)
        wait_for("the operator to be dead", lambda: not self.cluster.programs.running(self.name), 10)

    def stop(self) -> None:
        """As a pod is stopped."""
        self.cluster.programs.stop([self.name], 30)

    def running(self) -> bool:
        """Whether it is up."""
        return self.cluster.programs.running(self.name)

    def metric(self, name: str, **labels: str) -> float:
        """Sum of its own series of that name and these labels."""
        lines = self._asked("metrics").splitlines()
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        heads = tuple(f"causal_rollouts_{name}{end}" for end in "{ ")
        mine = [line for line in lines if line.startswith(heads) and all(word in line for word in wanted)]
        return sum(float(line.rpartition(" ")[2]) for line in mine)

    def _ready(self) -> bool:
        return bool(self._asked("readyz"))

    def _asked(self, what: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{what}", timeout=5) as answer:
            said: bytes = answer.read()
        return said.decode()


def process(cluster: Cluster) -> OperatorProcess:
    """What an operator beside the cluster needs in it, and one that watches; no earlier one runs on."""
    install(cluster)
    operator = OperatorProcess(cluster)
    operator.stop()
    return operator.start()
