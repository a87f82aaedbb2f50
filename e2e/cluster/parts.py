"""What the cluster is made of and is built once: Go modules with pinned hashes, one wheel, CRD files.

Each part has a folder under parts/ with its pins, and one in the cache, named by version, that holds its
programs. A cache folder is whole or absent; one that was built from other pins is built again.
"""

import hashlib
import json
import os
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster import toolchain, wheels
from e2e.cluster.command import run
from e2e.cluster.folder import fill
from e2e.cluster.places import Places
from e2e.cluster.progress import heartbeat, say
from e2e.cluster.trouble import ClusterTrouble

PINS = Path(__file__).parent / "parts"
BUILD_LIMIT = 3000.0


@dataclass(frozen=True, slots=True)
class Part:
    """packages: Go packages to compile. wheel: taken from PyPI.

    crds: MODULE:FOLDER, whose files are copied; beside packages the Go package whose kinds the first of
    them renders.
    pins: the folder under parts/ when it is not the part's own name.
    """

    name: str
    version: str
    packages: tuple[str, ...] = ()
    stamps: tuple[str, ...] = ()
    crds: str = ""
    wheel: str = ""
    pins: str = ""

    @property
    def pinned(self) -> Path:
        return PINS / (self.pins or self.name)

    @property
    def programs(self) -> tuple[str, ...]:
        if self.wheel:
            return (self.wheel,)
        return tuple(_program(package) for package in self.packages)

    def folder(self, places: Places) -> Path:
        return places.cache / f"{self.name}-{self.version}"

    def recipe(self) -> str:
        """A digest of everything that decides what is built."""
        digest = hashlib.sha256(repr((self.packages, self.stamps, self.crds, self.wheel)).encode())
        for pin in sorted(self.pinned.iterdir()):
            digest.update(pin.read_bytes())
        return digest.hexdigest()


def _program(package: str) -> str:
    """The name that `go build` gives: the last element that is not a major version."""
    elements = [e for e in package.split("/") if not (e[:1] == "v" and e[1:].isdigit())]
    return elements[-1]


KUBERNETES = Part(
    "kubernetes",
    "v1.34.4",
    packages=tuple(
        f"k8s.io/kubernetes/cmd/{program}"
        for program in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-proxy",
            "kube-scheduler",
            "kubectl",
            "kubelet",
        )
    ),
    stamps=(
        "k8s.io/component-base/version.gitVersion=v1.34.4",
        "k8s.io/component-base/version.gitMajor=1",
        "k8s.io/component-base/version.gitMinor=34",
    ),
)
PROMETHEUS = Part(
    "prometheus",
    "v3.14.0",
    packages=(
        "github.com/prometheus/prometheus/cmd/prometheus",
        "github.com/prometheus/prometheus/cmd/promtool",
    ),
    stamps=("github.com/prometheus/common/version.Version=3.14.0",),
)
KUBE_STATE_METRICS = Part("kube-state-metrics", "v2.20.0", packages=("k8s.io/kube-state-metrics/v2",))
COREDNS = Part("coredns", "v1.15.0", packages=("github.com/coredns/coredns",))
PAUSE = Part("pause", "1", packages=("causal-rollouts.local/parts/pause",))
GATEWAY_API = Part("gateway-api", "v1.6.3", crds="sigs.k8s.io/gateway-api:config/crd/standard")
TRAEFIK = Part("traefik", "3.7.15", wheel="traefik")
KUBECTL = Part(
    "kubectl",
    KUBERNETES.version,
    packages=("k8s.io/kubernetes/cmd/kubectl",),
    stamps=KUBERNETES.stamps,
    pins="kubernetes",
)
KIND = Part("kind", "v0.33.0", packages=("sigs.k8s.io/kind",))
HELM = Part(
    "helm",
    "v4.3.1",
    packages=("helm.sh/helm/v4/cmd/helm",),
    stamps=("helm.sh/helm/v4/internal/version.version=v4.3.1",),
)
HELM3 = Part(
    "helm3",
    "v3.22.0",
    packages=("helm.sh/helm/v3/cmd/helm",),
    stamps=("helm.sh/helm/v3/internal/version.version=v3.22.0",),
)
HELM_UNITTEST = Part(
    "helm-unittest", "v1.1.2", packages=("github.com/helm-unittest/helm-unittest/cmd/helm-unittest",)
)
KUBECONFORM = Part("kubeconform", "v0.8.0", packages=("github.com/yannh/kubeconform/cmd/kubeconform",))
PROMETHEUS_OPERATOR = Part(
    "prometheus-operator",
    "v0.95.2",
    packages=("sigs.k8s.io/controller-tools/cmd/controller-gen",),
    crds="github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1",
)
KUSTOMIZE_CONTROLLER = Part(
    "kustomize-controller", "v1.9.6", packages=("github.com/fluxcd/kustomize-controller",)
)
SOURCE_CONTROLLER = Part("source-controller", "v1.9.6", packages=("github.com/fluxcd/source-controller",))
KUSTOMIZE_CRDS = Part(
    "kustomize-controller-crds",
    KUSTOMIZE_CONTROLLER.version,
    crds="github.com/fluxcd/kustomize-controller:config/crd/bases",
    pins=KUSTOMIZE_CONTROLLER.name,
)
SOURCE_CRDS = Part(
    "source-controller-crds",
    SOURCE_CONTROLLER.version,
    crds="github.com/fluxcd/source-controller:config/crd/bases",
    pins=SOURCE_CONTROLLER.name,
)
ARGO_CD = Part(
    "argo-cd",
    "v3.2.6",
    packages=("github.com/argoproj/argo-cd/v3/cmd",),
    stamps=("github.com/argoproj/argo-cd/v3/common.version=v3.2.6",),
)
ARGO_CD_CRDS = Part(
    "argo-cd-crds", ARGO_CD.version, crds="github.com/argoproj/argo-cd/v3:manifests/crds", pins=ARGO_CD.name
)

# Small ones first, so that a mistake shows early.
HOST_PARTS = (GATEWAY_API, TRAEFIK, PAUSE, COREDNS, KUBE_STATE_METRICS, PROMETHEUS, KUBERNETES)


def is_whole(part: Part, places: Places) -> bool:
    try:
        built = json.loads((part.folder(places) / "built.json").read_text())
        return bool(built["recipe"] == part.recipe())
    except (OSError, ValueError, KeyError):
        return False


def program(part: Part, name: str, places: Places) -> Path:
    path = part.folder(places) / name
    if not path.exists():
        raise ClusterTrouble(f"{path} is missing; run `python -m e2e.cluster build`")
    return path


def ensure(parts: tuple[Part, ...], places: Places) -> None:
    """Build what the cache lacks; a second call returns at once."""
    lacking = [part for part in parts if not is_whole(part, places)]
    if not lacking:
        return
    say(f"building into {places.cache}: {', '.join(f'{p.name} {p.version}' for p in lacking)}")
    for part in lacking:
        began = time.monotonic()
        with fill(part.folder(places)) as folder:
            _make(part, folder, places)
            seconds = round(time.monotonic() - began, 1)
            (folder / "built.json").write_text(json.dumps({"recipe": part.recipe(), "seconds": seconds}))
        say(f"built {part.name} {part.version} in {seconds:.0f} s")


def _make(part: Part, folder: Path, places: Places) -> None:
    if part.wheel:
        _take_wheel(part, folder)
        return
    go = toolchain.go(places.cache, PINS)
    if part.packages:
        _compile(part, folder, go)
        if part.crds:
            _render_crds(part, folder, go)
    else:
        _copy_crds(part, folder, go)


def _take_wheel(part: Part, folder: Path) -> None:
    wheels.unpack(part.pinned / "requirements.txt", folder)
    script = next(folder.glob(f"*.data/scripts/{part.wheel}"))
    script.rename(folder / part.wheel)
    (folder / part.wheel).chmod(0o755)
    shutil.rmtree(folder / script.relative_to(folder).parts[0])


def _copy_crds(part: Part, folder: Path, go: Path) -> None:
    module, _, inside = part.crds.partition(":")
    answer = run(
        [go, "mod", "download", "-json", module],
        cwd=part.pinned,
        env=toolchain.ENVIRONMENT,
        seconds=300,
    )
    for source in sorted((Path(json.loads(answer)["Dir"]) / inside).glob("*.yaml")):
        shutil.copyfile(source, folder / source.name)


def _render_crds(part: Part, folder: Path, go: Path) -> None:
    """As the project that owns the kinds does it: its module of types comes without the files."""
    path = {"PATH": f"{go.parent}{os.pathsep}{os.environ['PATH']}"}
    words = ["crd", f"paths={part.crds}", f"output:crd:dir={folder}"]
    run(
        [folder / part.programs[0], *words],
        cwd=part.pinned,
        env={**toolchain.ENVIRONMENT, **path},
        seconds=300,
    )


def _compile(part: Part, folder: Path, go: Path) -> None:
    """`go build` with -v, whose lines are packages compiled: the only progress that Go shows."""
    stamps = " ".join(f"-X {stamp}" for stamp in part.stamps)
    argv = [str(go), "build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false"]
    argv += ["-ldflags", f"-s -w {stamps}".strip(), "-o", f"{folder}/", *part.packages]
    compiled: list[str] = []
    with (
        heartbeat(lambda: f"{part.name}: {len(compiled)} packages compiled"),
        subprocess.Popen(
            argv,
            cwd=part.pinned,
            env={**os.environ, **toolchain.ENVIRONMENT},
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        limit = threading.Timer(BUILD_LIMIT, process.kill)
        limit.start()
        try:
            compiled.extend(line.strip() for line in process.stderr or ())
        except BaseException:
            process.kill()
            raise
        finally:
            limit.cancel()
    if process.returncode != 0:
        complaint = "\n".join(compiled[-15:])
        raise ClusterTrouble(f"go build of {part.name} {part.version} failed:\n{complaint}")
