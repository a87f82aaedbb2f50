"""Who fights whom: everything that the tool wrote to an app's objects while a release ran.

Two witnesses that know nothing of each other: the API server's audit log, and a watch of each object, in
which every new resourceVersion is put down to the managers whose time in managedFields changed with it.
"""

import itertools
import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from e2e.audit import events
from e2e.cluster.control_plane import audit_log
from e2e.cluster.state import Cluster
from e2e.gitops.shop import GitShop

KINDS = {"httproutes": "HTTPRoute", "deployments": "Deployment", "causalrollouts": "CausalRollout"}
Entries = dict[tuple[str, str], str]


@dataclass(slots=True)
class Written:
    """writes: of the tool's account, by resource, from the audit log. versions: new ones of each resource,
    by manager, from the watch. contests: how often the operator saw its weights moved by somebody else.
    moves: how often the weights themselves moved.
    """

    seconds: float = 0.0
    writes: Counter[str] = field(default_factory=Counter)
    versions: dict[str, Counter[str]] = field(default_factory=dict)
    contests: int = 0
    moves: int = 0

    def line(self, who: str) -> str:
        seen = "; ".join(f"{kind} {_told(found)}" for kind, found in self.versions.items())
        return (
            f"{who}: {self.seconds:.0f} s, weights moved {self.moves} times; "
            f"writes by the tool: {_told(self.writes)}; contests: {self.contests}; new versions: {seen}"
        )


def _told(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counted.items())) or "none"


@contextmanager
def watched(shop: GitShop) -> Iterator[Written]:
    """What is written from here to the end of the body; complete once the body is left."""
    cluster, app, found, began = shop.look.cluster, shop.look.app, Written(), time.time()
    with ExitStack() as stack:
        found.versions = {
            kind: stack.enter_context(_versions(cluster, app.namespace, kind, app.name)) for kind in KINDS
        }
        seen = stack.enter_context(shop.look.watching())
        yield found
        time.sleep(1)
    ended = time.time()
    found.seconds = ended - began
    weights = [(look.canary, look.baseline) for look in seen]
    found.moves = sum(a != b for a, b in itertools.pairwise(weights))
    found.contests = int(shop.look.state().get("contested") or 0)
    for event in events(audit_log(cluster), shop.tool.account, began, ended):
        about = event["objectRef"]
        if about.get("namespace") == app.namespace and about.get("name") == app.name:
            found.writes[about["resource"]] += 1


@contextmanager
def _versions(cluster: Cluster, namespace: str, kind: str, name: str) -> Iterator[Counter[str]]:
    argv = [str(cluster.kubectl), f"--kubeconfig={cluster.kubeconfig}", "-n", namespace, "get", kind, name]
    argv += ["--watch", "--output=json", "--show-managed-fields"]
    counted: Counter[str] = Counter()
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        reader = threading.Thread(target=_count, args=(process, counted), daemon=True)
        reader.start()
        try:
            yield counted
        finally:
            process.kill()
            reader.join()


def _count(process: "subprocess.Popen[str]", counted: Counter[str]) -> None:
    """kubectl ends each object with a brace of its own line. The first one is how the object was found."""
    before: Entries | None = None
    lines: list[str] = []
    for line in process.stdout or ():
        lines.append(line)
        if line.rstrip() != "}":
            continue
        entries = _entries(json.loads("".join(lines)))
        lines.clear()
        if before is not None:
            counted.update({who for (who, how), when in entries.items() if before.get((who, how)) != when})
        before = entries


def _entries(obj: dict[str, Any]) -> Entries:
    """When each manager last wrote, told apart by how it writes and whether it writes the status.

    What an entry owns is no sign: it shrinks when somebody else takes a field.
    """
    listed = obj["metadata"].get("managedFields", [])
    return {
        (entry["manager"], f"{entry['operation']}/{entry.get('subresource', '')}"): str(entry.get("time"))
        for entry in listed
    }
