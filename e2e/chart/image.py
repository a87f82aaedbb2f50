"""The operator's image for a node of the cluster: built once per content, without a registry.

By buildah into its own store; where kind runs the nodes, by the Docker engine that is there then.
"""

import hashlib
import subprocess
import tempfile
from pathlib import Path

from e2e.chart.helm import ROOT
from e2e.cluster import debian, images
from e2e.cluster.command import run
from e2e.cluster.progress import say
from e2e.cluster.settings import Node
from e2e.cluster.state import Cluster, Provider

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
    name = f"{REPOSITORY}:{tag()}"
    if not images.holds(cluster, node, name):
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "image.tar"
            (_from_docker if cluster.provider is Provider.KIND else _from_buildah)(name, archive)
            images.load_archive(archive, cluster, nodes=(node,))
    return tag()


def _from_docker(name: str, archive: Path) -> None:
    """Tried with no engine yet, like kind itself."""
    if not _answers("docker", "image", "inspect", name):
        _build({"TAG": name, "ENGINE": "docker"})
    run(["docker", "save", "-o", archive, name], seconds=300)


def _from_buildah(name: str, archive: Path) -> None:
    debian.install(("buildah", "mmdebstrap"))
    if not _is_stored(name):
        if not (_is_stored(BUILD) and _is_stored(RUNTIME)):
            say("making the image's bases of Debian's packages (a minute)")
            run([ROOT / "scripts" / "base-image.sh"], seconds=1200)
        env = {"BASE": BUILD, "RUNTIME": RUNTIME, "TAG": name, "ENGINE": "buildah"}
        # Where the machine trusts more than Debian's own bundle, pip has to as well while it builds.
        _build(env | ({"CA_CERTS": str(BUNDLE)} if BUNDLE.exists() else {}))
    run([*BUILDAH, "push", "-q", name, f"docker-archive:{archive}:{name}"], seconds=300)


def _build(env: dict[str, str]) -> None:
    say(f"building the operator's image {env['TAG']} (a minute or two, once per content)")
    run([ROOT / "scripts" / "image.sh"], env=env, seconds=1200)


def _is_stored(name: str) -> bool:
    return _answers(*BUILDAH, "inspect", "--type", "image", name)


def _answers(*argv: str) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
