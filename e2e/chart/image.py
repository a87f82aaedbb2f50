"""The operator's image for a node of the cluster: built once per content, by buildah, without a registry."""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from e2e.chart.helm import ROOT
from e2e.cluster import debian, images
from e2e.cluster.command import run
from e2e.cluster.settings import Node
from e2e.cluster.state import Cluster

REPOSITORY = "localhost/causal-rollouts"
BUILD, RUNTIME = "localhost/python-build:bookworm", "localhost/python-run:bookworm"
INTO_IT = ("Dockerfile", "requirements/operator.txt", "scripts/slim.py", "operator/causal_rollouts")
BUILDAH = ("buildah", "--storage-driver", "vfs")
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def tag() -> str:
    """Of everything that goes into the image."""
    digest = hashlib.sha256()
    for name in INTO_IT:
        place = ROOT / name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def ensure(cluster: Cluster, node: Node) -> str:
    """The image's tag, with the image on one node."""
    debian.install(("buildah", "mmdebstrap"))
    name = f"{REPOSITORY}:{tag()}"
    if not _is_built(name):
        _build(name)
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "image.tar"
        run([*BUILDAH, "push", "-q", name, f"docker-archive:{archive}:{name}"], seconds=300)
        images.load_archive(archive, cluster, nodes=(node,))
    return tag()


def _build(name: str) -> None:
    for base in (BUILD, RUNTIME):
        if not _is_built(base):
            run([ROOT / "scripts" / "base-image.sh"], seconds=1200)
    # Where the machine trusts more than Debian's own bundle, pip has to as well while it builds.
    env = {"BASE": BUILD, "RUNTIME": RUNTIME, "TAG": name, "ENGINE": "buildah"}
    if BUNDLE.exists():
        env["CA_CERTS"] = str(BUNDLE)
    run([ROOT / "scripts" / "image.sh"], env=env, seconds=1200)


def _is_built(name: str) -> bool:
    asked = [*BUILDAH, "inspect", "--type", "image", name]
    return subprocess.run(asked, capture_output=True, check=False, env=os.environ).returncode == 0
