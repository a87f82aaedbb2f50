"""Speaking with the API server by kubectl: apply objects, ask for one, wait for a condition."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from e2e.cluster.command import run
from e2e.cluster.progress import wait_for
from e2e.cluster.state import Cluster, Provider

Manifest = dict[str, Any]


def kubectl(cluster: Cluster, *words: str | Path, seconds: float = 60, stdin: str | None = None) -> str:
    # Our own addresses lie behind no proxy; somebody else's cluster may.
    direct = {} if cluster.provider is Provider.EXISTING else {"NO_PROXY": "*", "no_proxy": "*"}
    argv = [cluster.kubectl, "--kubeconfig", cluster.kubeconfig, *words]
    return run(argv, seconds=seconds, stdin=stdin, env=direct)


def apply(cluster: Cluster, objects: Iterable[Manifest], seconds: float = 60) -> None:
    """Server-side, and ours wins: the cluster's own furniture has one owner."""
    whole = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    words = ["apply", "--server-side", "--force-conflicts", "--field-manager=e2e-cluster", "-f", "-"]
    kubectl(cluster, *words, seconds=seconds, stdin=whole)


def get(cluster: Cluster, *words: str | Path) -> Any:
    return json.loads(kubectl(cluster, "get", *words, "-o", "json"))


def is_true(thing: Manifest, condition: str) -> bool:
    conditions = thing.get("status", {}).get("conditions") or []
    return any(c["type"] == condition and c["status"] == "True" for c in conditions)


def wait_established(cluster: Cluster, *words: str | Path, seconds: float = 60) -> None:
    """Until these kinds are served; words: as after `kubectl get`.

    kubectl's own wait fails at once on a kind that was applied so newly that nobody has written its status.
    """

    def served() -> bool:
        found = get(cluster, *words)
        return all(is_true(kind, "Established") for kind in found.get("items", [found]))

    wait_for(f"kinds to be served: {' '.join(map(str, words))}", served, seconds, every=0.5)
