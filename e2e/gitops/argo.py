"""Argo CD as processes of this machine: application-controller, repo-server and a Redis; no server, no UI."""

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster import debian, parts
from e2e.cluster.command import run
from e2e.cluster.kubectl import Manifest, apply, get, kubectl
from e2e.cluster.programs import Program
from e2e.cluster.progress import say, wait_for
from e2e.cluster.state import Cluster
from e2e.gitops import page
from e2e.gitops.tool import almighty, installed, less, username

NAMESPACE = "argocd"
PART = parts.ARGO_CD
PARTS = (parts.ARGO_CD_CRDS, PART)
PACKAGES = ("redis-server",)
CRDS = ("application-crd.yaml", "appproject-crd.yaml")
REDIS, REPOSITORIES, APPLICATIONS = "argocd-redis", "argocd-repo-server", "argocd-application-controller"
PORTS = {REDIS: 19779, REPOSITORIES: 19781}
METRICS = {REPOSITORIES: 19782, APPLICATIONS: 19783}
RECONCILES = "5s"
"""Far shorter than anybody's, so that a fight over a field would be a loud one."""


@dataclass(frozen=True, slots=True)
class Argo:
    """tool.Tool, while `running` holds it up."""

    cluster: Cluster

    @property
    def account(self) -> str:
        return username(NAMESPACE, APPLICATIONS)

    @property
    def paused(self) -> str:
        return "Suspended"

    def follow(self, app: str, url: str, without: Sequence[str] = ()) -> None:
        made = less(page.manifest("Application", app, app), without)
        made["spec"]["source"]["repoURL"] = url
        apply(self.cluster, [made])

    def unfollow(self, app: str) -> None:
        words = ["delete", "application", app, "--ignore-not-found", "--timeout=120s"]
        kubectl(self.cluster, "-n", NAMESPACE, *words, seconds=130)

    def applied(self, app: str) -> str:
        """Of the newest sync that ended well, while nothing differs from it."""
        status = self.application(app).get("status", {})
        done = status.get("operationState", {})
        if status.get("sync", {}).get("status") != "Synced" or done.get("phase") != "Succeeded":
            return ""
        return str(status["sync"].get("revision", ""))

    def health(self, app: str) -> tuple[str, str]:
        """Of the whole application, with what the Lua of the page says of the rollout."""
        status = self.application(app).get("status", {})
        (rollout,) = [r for r in status.get("resources", []) if r["kind"] == "CausalRollout"] or [{}]
        return status.get("health", {}).get("status", ""), rollout.get("health", {}).get("message", "")

    def application(self, app: str) -> Manifest:
        found: Manifest = get(self.cluster, "-n", NAMESPACE, "application", app)
        return found


def assess(cluster: Cluster, rollout: Manifest, folder: Path) -> tuple[str, str]:
    """Status and message that the page's Lua gives this CausalRollout, by Argo CD's own command."""
    settings, given = folder / "argocd-cm.json", folder / "rollout.json"
    settings.write_text(json.dumps(page.manifest("ConfigMap", "argocd-cm")))
    given.write_text(json.dumps(rollout))
    words = ("admin", "settings", "resource-overrides", "health", str(given), "--argocd-cm-path", settings)
    answer = run([parts.program(PART, "cmd", cluster.places), *words], env={"ARGOCD_BINARY_NAME": "argocd"})
    told = dict(line.split(": ", 1) for line in answer.splitlines() if ": " in line)
    return told["STATUS"], told.get("MESSAGE", "")


@contextmanager
def running(cluster: Cluster) -> Iterator[Argo]:
    """All three up while the body runs; afterwards nothing of them is left."""
    debian.install(PACKAGES)
    parts.ensure(PARTS, cluster.places)
    with ExitStack() as stack:
        stack.enter_context(installed(cluster, NAMESPACE, (parts.ARGO_CD_CRDS,), CRDS))
        apply(cluster, _settings())
        password = secrets.token_hex(16)
        for name in (REDIS, REPOSITORIES, APPLICATIONS):
            stack.callback(cluster.programs.stop, [name], 20)
        cluster.programs.start(_redis(password))
        environment = _environment(cluster, password)
        reader = stack.enter_context(almighty(cluster, NAMESPACE, REPOSITORIES))
        cluster.programs.start(_repositories(cluster, environment | {"KUBECONFIG": str(reader)}))
        writer = stack.enter_context(almighty(cluster, NAMESPACE, APPLICATIONS))
        cluster.programs.start(_applications(cluster, environment | {"KUBECONFIG": str(writer)}))
        wait_for("Argo CD to run", lambda: _alive(cluster), 5)
        say(f"Argo CD runs: {PART.version}")
        yield Argo(cluster)


def _alive(cluster: Cluster) -> bool:
    cluster.programs.check(REDIS, REPOSITORIES, APPLICATIONS)
    return True


def _redis(password: str) -> Program:
    words = ("--bind", "127.0.0.1", "--port", str(PORTS[REDIS]), "--save", "", "--appendonly", "no")
    return Program(REDIS, ("redis-server", *words, "--requirepass", password))


def _repositories(cluster: Cluster, environment: dict[str, str]) -> Program:
    words = (
        "--address=127.0.0.1",
        f"--port={PORTS[REPOSITORIES]}",
        "--metrics-address=127.0.0.1",
        f"--metrics-port={METRICS[REPOSITORIES]}",
        "--disable-tls",
        f"--redis=127.0.0.1:{PORTS[REDIS]}",
    )
    return _program(cluster, REPOSITORIES, words, environment)


def _applications(cluster: Cluster, environment: dict[str, str]) -> Program:
    words = (
        f"--repo-server=127.0.0.1:{PORTS[REPOSITORIES]}",
        "--repo-server-plaintext",
        f"--redis=127.0.0.1:{PORTS[REDIS]}",
        f"--metrics-port={METRICS[APPLICATIONS]}",
    )
    # Without the second the words of a health check are only in its Redis, for its own screens.
    more = {"HOSTNAME": APPLICATIONS, "ARGOCD_APPLICATION_CONTROLLER_PERSIST_RESOURCE_HEALTH": "true"}
    return _program(cluster, APPLICATIONS, words, environment | more)


def _program(cluster: Cluster, name: str, words: tuple[str, ...], environment: dict[str, str]) -> Program:
    binary = str(parts.program(PART, "cmd", cluster.places))
    return Program(name, (binary, *words), environment | {"ARGOCD_BINARY_NAME": name})


def _environment(cluster: Cluster, password: str) -> dict[str, str]:
    """Outside a pod none of its folders exist; each gets one of ours."""
    names = ("GNUPGHOME", "TLS_DATA_PATH", "SSH_DATA_PATH", "PLUGINSOCKFILEPATH", "GPG_DATA_PATH")
    root = cluster.places.run / "argocd"
    folders = {f"ARGOCD_{name}": root / name.lower() for name in names}
    for folder in (*folders.values(), root / "tmp"):
        folder.mkdir(parents=True, exist_ok=True)
    return {
        **{name: str(folder) for name, folder in folders.items()},
        "TMPDIR": str(root / "tmp"),
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_GPG_ENABLED": "false",
        "REDIS_PASSWORD": password,
        # Both go by it: how often an application is compared, and how long a branch stays the same commit.
        "ARGOCD_RECONCILIATION_TIMEOUT": RECONCILES,
        "ARGOCD_RECONCILIATION_JITTER": "0s",
    }


def _settings() -> list[Manifest]:
    """What an installed Argo CD has at least; of argocd-cm only what the page says."""
    part_of = {"app.kubernetes.io/part-of": "argocd"}

    def meta(name: str) -> Manifest:
        return {"name": name, "namespace": NAMESPACE, "labels": part_of}

    return [
        page.manifest("ConfigMap", "argocd-cm"),
        *(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(name), "data": {}}
            for name in ("argocd-rbac-cm", "argocd-ssh-known-hosts-cm", "argocd-tls-certs-cm")
        ),
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": meta("argocd-secret"),
            "stringData": {"server.secretkey": secrets.token_hex(16)},
        },
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AppProject",
            "metadata": {"name": "default", "namespace": NAMESPACE},
            "spec": {
                "sourceRepos": ["*"],
                "destinations": [{"namespace": "*", "server": "*"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            },
        },
    ]
