"""Helm, built once like the parts of the cluster, and what the chart renders to."""

import fcntl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from e2e.cluster import parts
from e2e.cluster.command import run
from e2e.cluster.parts import Part
from e2e.cluster.places import places

Manifest = dict[str, Any]

ROOT = Path(__file__).parent.parent.parent
CHART = ROOT / "charts" / "causal-rollouts"
RELEASE = "causal-rollouts"
URL = "http://prometheus.monitoring:9090"
MINIMAL = (f"prometheus.url={URL}",)
"""The one value without a default."""
OLDEST = "1.34.0"
"""Kubernetes that the chart takes; Helm's own idea of one is the newest that it knows."""

# Nothing of a user's own Helm may change what is rendered here.
ENVIRONMENT = {"HELM_PLUGINS": "/nonexistent", "HELM_NAMESPACE": ""}


def program(part: Part = parts.HELM, name: str = "helm") -> Path:
    """A binary of a part, built when the cache lacks it; two test workers that both lack it build it once."""
    where = places()
    where.cache.mkdir(parents=True, exist_ok=True)
    with (where.cache / f"{part.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        parts.ensure((part,), where)
    return parts.program(part, name, where)


def helm(*words: str | Path, part: Part = parts.HELM, seconds: float = 60) -> str:
    """Standard output of one call; ClusterTrouble with Helm's complaint."""
    return run([program(part), *words], env=ENVIRONMENT, seconds=seconds)


def template(
    *values: str,
    show: Sequence[str] = (),
    namespace: str = RELEASE,
    release: str = RELEASE,
    part: Part = parts.HELM,
    kubernetes: str = OLDEST,
) -> str:
    """The text of the whole chart, or of the templates in `show`. values: as after --set."""
    words: list[str | Path] = ["template", release, CHART, "--namespace", namespace]
    words += ["--kube-version", kubernetes]
    for value in values:
        words += ["--set", value]
    for name in show:
        words += ["--show-only", f"templates/{name}.yaml"]
    return helm(*words, part=part)


def objects(*values: str, **more: Any) -> list[Manifest]:
    """What the chart renders to, read."""
    return [found for found in yaml.safe_load_all(template(*MINIMAL, *values, **more)) if found]
