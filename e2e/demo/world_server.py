"""The switch for incidents that hit every pod at once: what a gate must not blame on a release."""

import json
import socket
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from e2e.cluster.places import places
from e2e.cluster.programs import Program, Programs
from e2e.cluster.progress import wait_for
from e2e.cluster.settings import POD_GATEWAY
from e2e.cluster.state import Cluster
from e2e.cluster.trouble import ClusterTrouble

# Fixed, since it stands in the pod template, and another template is another release.
PORT = 18900
NAME = "world"

# A proxy set for this machine must not be asked about its own loopback.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class World:
    """A small server: pods ask it each second, scenarios change it on loopback."""

    def __init__(self, binary: Path, pods_address: str, port: int = PORT) -> None:
        """pods_address: an address of this machine that pods reach; see `reached_by_pods`."""
        self._programs = Programs(places().run)
        self._control = f"http://127.0.0.1:{port}/"
        self.url_for_pods = f"http://{pods_address}:{port}/"
        self._argv = (str(binary), "-control", f"127.0.0.1:{port}", "-pods", f"{pods_address}:{port}")

    def start(self) -> Self:
        """Begin calm; one that an earlier run left behind is replaced."""
        self._programs.stop([NAME])
        self._programs.start(Program(NAME, self._argv))
        wait_for("the world to answer", self._answers, 10, alive=lambda: self._programs.check(NAME))
        return self

    def stop(self) -> None:
        """End it; pods find themselves in a calm world within five seconds."""
        self._programs.stop([NAME])

    def slow_down(self, factor: float, errors: float = 0.0) -> None:
        """Every request of every version takes `factor` times as long, within about a second."""
        self._put({"slowdown": factor, "errors": errors})

    def slow_node(self, node: str, factor: float) -> None:
        """Every request that a pod on this node answers takes `factor` times as long; all else is calm."""
        self._put({"slowdown": 1.0, "errors": 0.0, "nodes": {node: factor}})

    def calm(self) -> None:
        self._put({"slowdown": 1.0, "errors": 0.0})

    def asked(self) -> int:
        """How often pods have asked: it stands still when they cannot reach the world."""
        with _DIRECT.open(self._control + "asked", timeout=5) as answer:
            return int(answer.read())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        return self.asked() >= 0

    def _put(self, now: Mapping[str, object]) -> None:
        request = urllib.request.Request(self._control, data=json.dumps(now).encode(), method="PUT")
        with _DIRECT.open(request, timeout=5):
            return


def reached_by_pods(cluster: Cluster) -> str:
    """An address of this machine that the pods of the cluster reach."""
    return address_for_pods([POD_GATEWAY, *(node.address for node in cluster.nodes)])


def address_for_pods(candidates: Iterable[str]) -> str:
    """The first candidate that is an address of this machine: only there can the world listen."""
    tried = list(candidates)
    for address in tried:
        with socket.socket() as probe:
            try:
                probe.bind((address, 0))
            except OSError:
                continue
        return address
    raise ClusterTrouble(
        f"no address of this machine that pods could reach among {', '.join(tried) or 'none'}; "
        "the shared incident needs a cluster on this machine"
    )
