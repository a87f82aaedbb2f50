"""One kubectl call as a person sees it: what it printed, what it warned of, whether it was refused."""

import json
import os
import subprocess
from dataclasses import dataclass

from e2e.api.manifests import Manifest
from e2e.cluster.state import Cluster, Provider


@dataclass(frozen=True, slots=True)
class Answer:
    """ok: exit status 0. said: standard error, where refusals and warnings stand."""

    ok: bool
    out: str
    said: str


def ask(cluster: Cluster, *words: str, obj: Manifest | None = None, seconds: float = 30) -> Answer:
    """Run kubectl with an object on its standard input."""
    direct = {} if cluster.provider is Provider.EXISTING else {"NO_PROXY": "*", "no_proxy": "*"}
    done = subprocess.run(
        [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig), *words],
        input=json.dumps(obj) if obj is not None else None,
        capture_output=True,
        text=True,
        timeout=seconds,
        env={**os.environ, **direct},
        check=False,
    )
    return Answer(done.returncode == 0, done.stdout, done.stderr)
