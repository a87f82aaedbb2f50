"""The demo's programs, built from source once per change of it, and their image in the nodes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster import images, toolchain
from e2e.cluster.command import run
from e2e.cluster.folder import fill
from e2e.cluster.places import places
from e2e.cluster.progress import say
from e2e.cluster.state import Cluster

SOURCES = Path(__file__).parent
PINS = SOURCES.parent / "cluster" / "parts"
PROGRAMS = ("service", "load", "world", "backend", "queue")
IMAGE = "localhost/causal-rollouts-demo"
LONGEST = 600


@dataclass(frozen=True, slots=True)
class Binaries:
    """Static programs, and the image names under which service and backend are loaded."""

    service: Path
    load: Path
    world: Path
    backend: Path
    queue: Path
    image: str
    backend_image: str


def sources_key(folder: Path = SOURCES) -> str:
    """Of everything that the compiler reads; tests are not built, so they do not count."""
    digest = hashlib.sha256()
    files = [folder / "go.mod", folder / "go.sum", *sorted(folder.glob("*/*.go"))]
    for file in files:
        if not file.name.endswith("_test.go"):
            digest.update(f"{file.relative_to(folder)}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]


def build() -> Binaries:
    """The programs, from the cache when their sources have not changed."""
    key = sources_key()
    home = places().cache / f"demo-{key}"
    if not home.exists():
        compiler = toolchain.go(places().cache, PINS)
        say("building the demo service, its backend, load, queue and world (half a minute at first)")
        flags = ("-trimpath", "-buildvcs=false", "-ldflags", "-s -w")
        packages = [f"./{name}" for name in PROGRAMS]
        with fill(home) as folder:
            words = [str(compiler), "build", *flags, "-o", f"{folder}/", *packages]
            run(words, cwd=SOURCES, env=toolchain.ENVIRONMENT, seconds=LONGEST)
    return Binaries(
        service=home / "service",
        load=home / "load",
        world=home / "world",
        backend=home / "backend",
        queue=home / "queue",
        image=f"{IMAGE}:{key}",
        backend_image=f"{IMAGE}-backend:{key}",
    )


def run_tests() -> str:
    """The Go tests; what they print, or ClusterTrouble with the end of it."""
    compiler = toolchain.go(places().cache, PINS)
    return run([compiler, "test", "./..."], cwd=SOURCES, env=toolchain.ENVIRONMENT, seconds=LONGEST)


def load_image(cluster: Cluster) -> Binaries:
    """Build what is not built, and give service and backend to every node that lacks them."""
    binaries = build()
    images.load_static(binaries.image, binaries.service, cluster)
    images.load_static(binaries.backend_image, binaries.backend, cluster)
    return binaries
