"""Flux as processes of this machine: source-controller fetches, kustomize-controller applies."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from e2e.cluster import loopback, parts
from e2e.cluster.kubectl import Manifest, apply, get, kubectl
from e2e.cluster.parts import Part
from e2e.cluster.programs import Program
from e2e.cluster.progress import say, wait_for
from e2e.cluster.state import Cluster
from e2e.cluster.trouble import ClusterTrouble
from e2e.gitops import page
from e2e.gitops.tool import almighty, condition, installed, less, username

NAMESPACE = "flux-system"
CRDS = (
    "source.toolkit.fluxcd.io_gitrepositories.yaml",
    "source.toolkit.fluxcd.io_buckets.yaml",
    "source.toolkit.fluxcd.io_externalartifacts.yaml",
    "source.toolkit.fluxcd.io_helmcharts.yaml",
    "source.toolkit.fluxcd.io_helmrepositories.yaml",
    "source.toolkit.fluxcd.io_ocirepositories.yaml",
    "kustomize.toolkit.fluxcd.io_kustomizations.yaml",
)
SOURCES, KUSTOMIZATIONS = parts.SOURCE_CONTROLLER, parts.KUSTOMIZE_CONTROLLER
PARTS = (parts.SOURCE_CRDS, parts.KUSTOMIZE_CRDS, SOURCES, KUSTOMIZATIONS)
STORAGE = 19790
METRICS = {SOURCES.name: 19791, KUSTOMIZATIONS.name: 19793}
HEALTH = {SOURCES.name: 19792, KUSTOMIZATIONS.name: 19794}
INTERVAL = "5s"
"""Far shorter than anybody's, so that a fight over a field would be a loud one."""


@dataclass(frozen=True, slots=True)
class Flux:
    """tool.Tool, while `running` holds it up."""

    cluster: Cluster

    @property
    def account(self) -> str:
        return username(NAMESPACE, KUSTOMIZATIONS.name)

    @property
    def paused(self) -> str:
        return "Progressing"

    def follow(self, app: str, url: str, without: Sequence[str] = ()) -> None:
        source = page.manifest("GitRepository", app, app)
        source["spec"] |= {"url": url, "interval": INTERVAL}
        made = [less(page.manifest("Kustomization", name, app), without) for name in (app, f"{app}-health")]
        for one in made:
            one["spec"] |= {"interval": INTERVAL, "retryInterval": INTERVAL}
        apply(self.cluster, [source, *made])

    def unfollow(self, app: str) -> None:
        gone = ["--ignore-not-found", "--timeout=90s"]
        kubectl(self.cluster, "-n", NAMESPACE, "delete", "kustomization", app, *gone, seconds=100)
        # A deletion waits for the end of a health check under way; this one has applied nothing.
        health = ["kustomization", f"{app}-health"]
        kubectl(self.cluster, "-n", NAMESPACE, "delete", *health, "--wait=false")
        free = '{"metadata": {"finalizers": []}}'
        with suppress(ClusterTrouble):  # it was idle, and is gone already
            kubectl(self.cluster, "-n", NAMESPACE, "patch", *health, "--type=merge", "-p", free)
        kubectl(self.cluster, "-n", NAMESPACE, "delete", "gitrepository", app, *gone, seconds=100)

    def applied(self, app: str) -> str:
        revision = self._kustomization(app).get("status", {}).get("lastAppliedRevision", "")
        return str(revision).rpartition(":")[2]

    def health(self, app: str) -> tuple[str, str]:
        """Of its health check; Flux knows no pause."""
        found = condition(self._kustomization(f"{app}-health"), "Healthy")
        words = {"True": "Healthy", "False": "Degraded"}
        return words.get(found.get("status", ""), "Progressing"), found.get("message", "")

    def _kustomization(self, name: str) -> Manifest:
        found: Manifest = get(self.cluster, "-n", NAMESPACE, "kustomization", name)
        return found


@contextmanager
def running(cluster: Cluster) -> Iterator[Flux]:
    """Both controllers up while the body runs; afterwards nothing of them is left."""
    parts.ensure(PARTS, cluster.places)
    crds = (parts.SOURCE_CRDS, parts.KUSTOMIZE_CRDS)
    storage = cluster.places.run / "flux"
    storage.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(installed(cluster, NAMESPACE, crds, CRDS))
        for part, more in (
            (
                SOURCES,
                [
                    f"--storage-path={storage}",
                    f"--storage-addr=127.0.0.1:{STORAGE}",
                    f"--storage-adv-addr=127.0.0.1:{STORAGE}",
                ],
            ),
            (KUSTOMIZATIONS, []),
        ):
            kubeconfig = stack.enter_context(almighty(cluster, NAMESPACE, part.name))
            stack.callback(cluster.programs.stop, [part.name], 20)
            cluster.programs.start(_controller(cluster, part, str(kubeconfig), more))
        for name, port in HEALTH.items():
            ready = partial(loopback.read, f"http://127.0.0.1:{port}/readyz", 2)
            wait_for(f"{name} to be ready", ready, 60, alive=partial(cluster.programs.check, name))
        say(f"Flux runs: {SOURCES.name} {SOURCES.version}, {KUSTOMIZATIONS.name} {KUSTOMIZATIONS.version}")
        yield Flux(cluster)


def _controller(cluster: Cluster, part: Part, kubeconfig: str, more: list[str]) -> Program:
    argv = (
        str(parts.program(part, part.name, cluster.places)),
        f"--metrics-addr=127.0.0.1:{METRICS[part.name]}",
        f"--health-addr=127.0.0.1:{HEALTH[part.name]}",
        "--events-addr=",
        "--enable-leader-election=false",
        # Both would otherwise wait a random part of an interval longer.
        "--interval-jitter-percentage=0",
        *more,
    )
    env = {"KUBECONFIG": kubeconfig, "RUNTIME_NAMESPACE": NAMESPACE}
    return Program(part.name, argv, env)
