"""One app whose every change is a commit, applied by Flux or Argo CD and by nobody else."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from e2e import rollouts
from e2e.cluster.kubectl import Manifest, apply, get, kubectl
from e2e.cluster.progress import say, wait_for
from e2e.demo import manifests
from e2e.demo.versions import VERSIONS
from e2e.gitops import page
from e2e.gitops.repository import Repository
from e2e.gitops.tool import Tool
from e2e.shop import Shop

POLICY = "standard"
"""The policy that the page's rollout names; its stages are the short ones of all scenarios."""


@dataclass(slots=True)
class GitShop:
    """look: the app as anybody sees it. spec: what its rollout says beyond the page's.

    without: fields of the page's settings for the tool that are left out. synced: seconds from each push to
    its being applied.
    """

    look: Shop
    tool: Tool
    repository: Repository
    spec: Manifest = field(default_factory=dict)
    without: Sequence[str] = ()
    synced: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.look.app.name

    @contextmanager
    def followed(self, url: str) -> Iterator["GitShop"]:
        """At v1 and synced from the server at `url`; afterwards the tool takes all of it away again."""
        app, cluster = self.look.app, self.look.cluster
        policy = rollouts.policy() | {"metadata": {"name": POLICY}}
        apply(cluster, [manifests.namespace(app.namespace), policy])
        first = {
            self._file("deployment"): [manifests.deployment(app, VERSIONS["v1"])],
            self._file("service"): [manifests.service(app)],
            self._file("route"): [page.manifest("HTTPRoute", app.name, app.name)],
            self._file("rollout"): [self.rollout()],
            f"health/{app.name}/kustomization.yaml": [page.fragment("kustomize.config.k8s.io", app.name)],
        }
        commit = self.repository.commit(first, f"{app.name} at v1")
        self.tool.follow(app.name, f"{url}/{self.repository.bare.name}", self.without)
        try:
            self._wait_applied(commit, time.monotonic(), seconds=90)
            wait_for("all pods of v1 to be available", self._available, 90)
            yield self
        finally:
            self.tool.unfollow(app.name)
            kubectl(cluster, "delete", "rolloutpolicy", POLICY, "--ignore-not-found")

    def rollout(self) -> Manifest:
        """As it is in Git."""
        made = page.manifest("CausalRollout", self.name, self.name)
        made["spec"] |= self.spec
        return made

    def request(self, version: str) -> None:
        """Commit a version of the Deployment, and wait until it is applied."""
        wanted = VERSIONS[version]
        files = {self._file("deployment"): [manifests.deployment(self.look.app, wanted)]}
        self.commit(files, f"{self.name} to {version}: {wanted.says}")

    def commit(self, files: dict[str, list[Manifest]], message: str) -> None:
        """Commit, push, and wait until it is applied."""
        began = time.monotonic()
        self._wait_applied(self.repository.commit(files, message), began)

    def revert(self) -> None:
        """`git revert` of the newest commit, pushed, and applied."""
        began = time.monotonic()
        self._wait_applied(self.repository.revert(), began)

    def edit_route(self, note: str) -> None:
        """Commit another header that the route adds to each request: a change within its rules."""
        (route,) = self.repository.read(self._file("route"))
        header = {"name": "x-note", "value": note}
        filters = [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [header]}}]
        route["spec"]["rules"][0]["filters"] = filters
        self.commit({self._file("route"): [route]}, f"{self.name}: route adds the note {note}")

    def note(self) -> str:
        """The header that the live route adds, "" for none."""
        route = self.live("httproute")
        filters = route["spec"]["rules"][0].get("filters") or []
        return "".join(f["requestHeaderModifier"]["set"][0]["value"] for f in filters)

    def live(self, kind: str) -> Manifest:
        """The object of this kind and the app's name."""
        found: Manifest = get(self.look.cluster, "-n", self.look.app.namespace, kind, self.name)
        return found

    def differences(self) -> None:
        """ClusterTrouble where any field that Git has is another one in the cluster."""
        words = ["diff", "--server-side", "--force-conflicts", "--field-manager=a-reader", "-f"]
        kubectl(self.look.cluster, *words, self.repository.clone / "apps" / self.name)

    def wait_health(self, state: str, seconds: float = 60) -> str:
        """Until the tool takes the app for this; its message."""

        def there() -> tuple[str, str] | None:
            found = self.tool.health(self.name)
            return found if found[0] == state else None

        return wait_for(f"{self.name} to be {state}", there, seconds, every=0.5)[1]

    def rests(self) -> bool:
        """Nothing is paused, no weight is out."""
        return not self.live("deployment")["spec"].get("paused") and self.look.home()

    def _file(self, name: str) -> str:
        return f"apps/{self.name}/{name}.yaml"

    def _wait_applied(self, commit: str, began: float, seconds: float = 60) -> None:
        wait_for(f"{commit[:8]} to be applied", lambda: self.tool.applied(self.name) == commit, seconds)
        self.synced.append(time.monotonic() - began)
        say(f"{self.name}: {commit[:8]} is applied {self.synced[-1]:.1f} s after the push")

    def _available(self) -> bool:
        status = self.live("deployment").get("status", {})
        return int(status.get("availableReplicas", 0)) >= self.look.app.replicas
