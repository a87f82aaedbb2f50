"""Hundreds of apps that do nothing, each with a rollout: what an operator of a platform looks after.

A pod is one sleeping process, since the operator's memory is what is asked about and not the apps'. Nobody
measures these pods, so that their releases see no data: they hold, and end when somebody aborts them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from e2e.cluster.kubectl import apply, get, kubectl
from e2e.cluster.node import PAUSE_IMAGE
from e2e.cluster.progress import say, wait_for
from e2e.cluster.state import Cluster
from e2e.demo import manifests
from e2e.demo.manifests import App, RouteForm
from e2e.demo.versions import VERSIONS
from e2e.rollouts import policy, rollout

Manifest = dict[str, Any]
AT_ONCE = 25
"""The next batch waits until this one rests: the API server shares its cores with 400 starting pods."""
REPLICAS = 2
"""The fewest that the gate takes."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """`many` apps in one namespace."""

    cluster: Cluster
    namespace: str
    many: int

    @property
    def names(self) -> list[str]:
        """One for each app."""
        return [f"app-{i:03}" for i in range(self.many)]

    def open(self) -> None:
        """All of them, pods running and rollouts at rest."""
        apply(self.cluster, [manifests.namespace(self.namespace), policy()])
        for first in range(0, self.many, AT_ONCE):
            batch = [
                App(PAUSE_IMAGE, name, self.namespace, replicas=REPLICAS)
                for name in self.names[first:][:AT_ONCE]
            ]
            apply(self.cluster, [thing for app in batch for thing in _things(app)], seconds=180)
            here = first + len(batch)
            wait_for(f"{here} rollouts to rest", partial(self._rest, here), 600, every=5)
            say(f"{here} of {self.many} rollouts rest")

    def request(self, name: str, build: int) -> None:
        """Another template for one of them."""
        apply(self.cluster, [_deployment(App(PAUSE_IMAGE, name, self.namespace, replicas=REPLICAS), build)])

    def abort(self, name: str, build: int) -> None:
        """End its release, and go back to the template that runs."""
        where = ["-n", self.namespace]
        kubectl(self.cluster, *where, "annotate", "causalrollout", name, "causalrollouts.dev/abort=true")
        wait_for(f"{name} to be over", lambda: not self._phase(name) or self._final(name), 90, every=2)
        self.request(name, 0)
        say(f"{name}: release {build} is over")

    def close(self) -> None:
        """Rollouts first, so that nothing holds the namespace up."""
        words = ["-n", self.namespace, "delete", "causalrollouts", "--all", "--timeout=300s"]
        kubectl(self.cluster, *words, seconds=320)
        kubectl(self.cluster, "delete", "namespace", self.namespace, "--timeout=300s", seconds=320)

    def _rest(self, many: int) -> bool:
        found = get(self.cluster, "-n", self.namespace, "causalrollouts")["items"]
        return sum(_ready(one) == "Idle" for one in found) == many

    def _phase(self, name: str) -> str:
        one = get(self.cluster, "-n", self.namespace, "causalrollout", name)
        return str((one.get("status") or {}).get("release") or "")

    def _final(self, name: str) -> bool:
        release = self._phase(name)
        record = get(self.cluster, "-n", self.namespace, "rolloutrecord", release)
        return bool((record.get("status") or {}).get("final"))


def _things(app: App) -> Iterable[Manifest]:
    yield manifests.service(app)
    yield manifests.http_route(app, RouteForm.INJECT)
    yield _deployment(app, 0)
    yield rollout(app)


def _deployment(app: App, build: int) -> Manifest:
    made = manifests.deployment(app, VERSIONS["v1"])
    template = made["spec"]["template"]
    template["metadata"]["annotations"] = {"demo/build": str(build)}
    template["spec"]["containers"] = [
        {
            "name": app.name,
            "image": app.image,
            "imagePullPolicy": "Never",
            "ports": [{"name": "http", "containerPort": manifests.PORT}],
            "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}},
        }
    ]
    return made


def _ready(one: Manifest) -> str:
    conditions = (one.get("status") or {}).get("conditions", [])
    return next((str(c["reason"]) for c in conditions if c["type"] == "Ready"), "")
