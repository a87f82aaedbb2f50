"""One app under the gate, as a user and an on-call engineer would work with it: apply, look, annotate."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from e2e import rollouts
from e2e.cluster.kubectl import apply, get, kubectl
from e2e.cluster.progress import say, wait_for
from e2e.cluster.state import Cluster
from e2e.cluster.trouble import ClusterTrouble
from e2e.demo import manifests
from e2e.demo.manifests import App, RouteForm
from e2e.demo.versions import VERSIONS, Version
from e2e.looking import sampled

Manifest = dict[str, Any]
GROUP = "causalrollouts.dev"
BUILD = "demo/build"
"""Annotation of a template that tells apart two of one version."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the route: weights in thousandths of all."""

    time: float
    canary: int
    baseline: int


def sweep(cluster: Cluster, namespace: str) -> None:
    """Take away what an earlier run left behind: rollouts first, so that weights go home, then the rest."""
    kubectl(cluster, "delete", "causalrollouts", "--all", "-n", namespace, "--timeout=90s", seconds=100)
    kubectl(cluster, "delete", "namespace", namespace, "--ignore-not-found", "--timeout=90s", seconds=100)


@dataclass(slots=True)
class Shop:
    """An app with its rollout. form: how its route names the arms."""

    cluster: Cluster
    app: App
    form: RouteForm = RouteForm.INJECT
    spec: Manifest = field(default_factory=dict)
    route_kind: ClassVar[str] = "HTTPRoute"

    def open(self) -> "Shop":
        """Namespace, policy, Service, route, Deployment at v1 and the CausalRollout."""
        apply(self.cluster, [manifests.namespace(self.app.namespace), rollouts.policy(), *self.way_in()])
        self.request(VERSIONS["v1"])
        wait_for("all pods of v1 to be available", self._available, 90)
        apply(self.cluster, [rollouts.rollout(self.app, **self.spec)])
        return self

    def way_in(self) -> list[Manifest]:
        """What stands between users and the pods."""
        return [manifests.service(self.app), manifests.http_route(self.app, self.form)]

    def respec(self, **spec: object) -> None:
        """The rollout as the app team changes it: besides the twelve lines only what is given here."""
        apply(self.cluster, [rollouts.rollout(self.app, **{**self.spec, **spec})])

    def request(self, version: Version | str, build: str = "") -> float:
        """Apply a version as Git would; returns when. build: makes another template of the same version."""
        wanted = VERSIONS[version] if isinstance(version, str) else version
        say(f"{self.app.name}: git applies {wanted.name}{build and ', build ' + build}, {wanted.says}")
        made = manifests.deployment(self.app, wanted)
        if build:
            made["spec"]["template"]["metadata"]["annotations"][BUILD] = build
        apply(self.cluster, [made])
        return time.time()

    def request_image(self, image: str, version: Version) -> None:
        """Apply a version whose image is another one."""
        say(f"{self.app.name}: git applies {version.name} with the image {image}")
        wanted = manifests.deployment(self.app, version)
        wanted["spec"]["template"]["spec"]["containers"][0] |= {"image": image, "imagePullPolicy": "Always"}
        apply(self.cluster, [wanted])

    def request_anew(self, version: str) -> float:
        """As `request`, as a template that no release has tried: a failed one is not tried twice."""
        return self.request(version, str(len(self.records()) + 1))

    def ask(self, verb: str, value: str = "true") -> None:
        """A person's one-shot annotation."""
        name = f"{GROUP}/{verb}={value}"
        self._kubectl("annotate", "--overwrite", "causalrollout", self.app.name, name)

    def command(self, *words: str, seconds: float = 120.0, who: Cluster | None = None) -> str:
        """What a command of the product prints, for the cluster's admin or somebody else."""
        argv = [sys.executable, "-m", "causal_rollouts.cli.main", *words]
        cluster = who or self.cluster
        environment = {**cluster.environment(), "PYTHONPATH": "operator", "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            argv, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
        if done.returncode:
            raise ClusterTrouble(f"{' '.join(words)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def rollout(self) -> Manifest:
        """The CausalRollout as it is now."""
        found: Manifest = get(self.cluster, "-n", self.app.namespace, "causalrollout", self.app.name)
        return found

    def status(self) -> Manifest:
        """Its status, {} before the first pass."""
        found: Manifest = self.rollout().get("status") or {}
        return found

    def condition(self, kind: str) -> Manifest:
        """One condition, {} where it is absent."""
        found = [c for c in self.status().get("conditions", []) if c["type"] == kind]
        return found[0] if found else {}

    def records(self) -> list[Manifest]:
        """Records of this rollout, oldest first."""
        items = get(self.cluster, "-n", self.app.namespace, "rolloutrecords")["items"]
        mine = [r for r in items if r["metadata"]["labels"].get(f"{GROUP}/rollout-name") == self.app.name]
        return sorted(mine, key=lambda r: int(r["metadata"]["name"].rpartition("-")[2]))

    def release(self) -> Manifest:
        """Status of the newest record, {} where there is none."""
        records = self.records()
        return (records[-1].get("status") or {}) if records else {}

    def state(self) -> Manifest:
        """The release inside the newest record."""
        found: Manifest = self.release().get("release") or {}
        return found

    def wait_release(self, seconds: float = 30, after: int = 0) -> str:
        """A record beyond the first `after`; its name."""

        def name() -> str:
            records = self.records()
            return records[-1]["metadata"]["name"] if len(records) > after else ""

        return wait_for(f"a release of {self.app.name}", name, seconds, every=0.5)

    def wait_phase(self, *phases: str, seconds: float, stage: int | None = None) -> Manifest:
        """Until the newest release is in one of these phases (and this stage)."""

        def there() -> Manifest | None:
            state = self.state()
            right = state.get("phase") in phases and (stage is None or state.get("stage") == stage)
            return state if right else None

        what = f"{self.app.name} to be {' or '.join(phases)}" + (
            f" in stage {stage}" if stage is not None else ""
        )
        found: Manifest = self._wait(what, there, seconds)
        return found

    def wait_end(self, seconds: float) -> str:
        """Until the newest release is final; its outcome."""

        def outcome() -> str:
            found = self.release()
            return str(found["release"]["outcome"]) if found.get("final") else ""

        return str(self._wait(f"the release of {self.app.name} to end", outcome, seconds))

    def wait_look(self, seconds: float = 60) -> None:
        """Until the gate has looked once more."""
        looks = len(self.release().get("trace", []))
        self._wait("the next look", lambda: len(self.release().get("trace", [])) > looks, seconds)

    @contextmanager
    def held_release(self, least: str, most: str) -> Iterator[None]:
        """A harmless release in an only stage that its clock does not end; afterwards all is as before."""
        before = len(self.records())
        self.respec(stages=[{"weight": 10, "minDuration": least, "maxDuration": most}])
        self.request_anew("v2")
        self.wait_release(after=before)
        self.wait_phase("Observing", seconds=420, stage=0)
        yield
        self.ask("abort")
        assert self.wait_end(seconds=120) == "Aborted"
        assert self.home()
        self.respec()
        self.back_to("v1")

    def weights(self) -> Seen:
        """Weights in force on the route, in thousandths of the rule."""
        route = get(self.cluster, "-n", self.app.namespace, self.route_kind.lower(), self.app.name)
        refs = {b["name"]: b.get("weight", 1) for b in route["spec"]["rules"][0]["backendRefs"]}
        whole = sum(refs.values()) or 1
        canary, baseline = (refs.get(self.app.arm_name(arm), 0) for arm in ("canary", "baseline"))
        return Seen(time.time(), round(1000 * canary / whole), round(1000 * baseline / whole))

    def watching(self, every: float = 1.0) -> AbstractContextManager[list[Seen]]:
        """Every look at the weights while the body runs."""
        return sampled(self.weights, every)

    def versions(self) -> list[str]:
        """Versions of the Deployment's own ready pods."""
        pods = get(self.cluster, "-n", self.app.namespace, "pods", "-l", f"app={self.app.name}")["items"]
        return sorted(
            env["value"]
            for pod in pods
            if manifests.arm_of(pod) == "stable" and not pod["metadata"].get("deletionTimestamp")
            for env in pod["spec"]["containers"][0]["env"]
            if env["name"] == "VERSION"
        )

    def places(self) -> dict[str, tuple[str, str]]:
        """Node and arm of each pod that serves the app."""
        pods = get(self.cluster, "-n", self.app.namespace, "pods", "-l", f"app={self.app.name}")["items"]
        return {
            pod["metadata"]["name"]: (
                pod["spec"].get("nodeName", ""),
                manifests.arm_of(pod),
            )
            for pod in pods
            if not pod["metadata"].get("deletionTimestamp")
        }

    def slots(self) -> list[str]:
        """Names of the ReplicaSets of slots that exist."""
        words = ["replicasets", "-l", f"{GROUP}/slot"]
        items = get(self.cluster, "-n", self.app.namespace, *words)["items"]
        mine = [r["metadata"]["name"] for r in items]
        return sorted(name for name in mine if name.startswith(f"{self.app.name}-"))

    def home(self) -> bool:
        """No weight on an arm and no slot left."""
        seen = self.weights()
        return seen.canary == 0 and seen.baseline == 0 and not self.slots()

    def decisions(self) -> list[Manifest]:
        """Logged decisions of the newest release."""
        found: list[Manifest] = self.release().get("decisions") or []
        return found

    def back_to(self, version: str) -> None:
        """Git goes back to what runs; wait until the target rests."""
        self.request(version)

        def rests() -> bool:
            target = get(self.cluster, "-n", self.app.namespace, "deployment", self.app.name)
            return not target["spec"].get("paused") and self.home()

        self._wait(f"{self.app.name} to rest at {version}", rests, 60)

    def close(self) -> None:
        """Delete the rollout; the namespace stays for the next app."""
        self._kubectl("delete", "causalrollout", self.app.name, "--ignore-not-found", "--timeout=60s")

    def _available(self) -> bool:
        target = get(self.cluster, "-n", self.app.namespace, "deployment", self.app.name)
        return bool(target.get("status", {}).get("availableReplicas", 0) >= self.app.replicas)

    def _kubectl(self, *words: str) -> str:
        return kubectl(self.cluster, "-n", self.app.namespace, *words, seconds=90)

    def _wait(self, what: str, probe: Callable[[], Any], seconds: float) -> Any:
        try:
            return wait_for(what, probe, seconds, every=0.7)
        except ClusterTrouble as trouble:
            state = self.state()
            told = [d["decision"] for d in self.decisions()[-4:]]
            conditions = [
                (c["type"], c["status"], c["reason"], c["message"])
                for c in self.status().get("conditions", [])
            ]
            raise ClusterTrouble(
                f"{trouble}; phase {state.get('phase')}, stage {state.get('stage')}, "
                f"last decisions {told}, conditions {conditions}"
            ) from None
