"""A whole small world in one process: API, controllers, a simulated service, and the operator's own loop.

Time is moved by whoever tells the story, a second at a step; nothing sleeps.
"""

import asyncio
import functools
import pickle
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from causal_rollouts.adapters.backends import rules_to, weights_in
from causal_rollouts.adapters.kube import (
    ARM_LABEL,
    DEPLOYMENT,
    HTTP_ROUTE,
    POD,
    POLICY,
    RECORD,
    ROLLOUT,
    Kind,
)
from causal_rollouts.adapters.workloads import KubeWorkloads
from causal_rollouts.analysis.simulation.climate import HARMLESS, Climate, Harm
from causal_rollouts.analysis.simulation.source import SimulatedMetrics, SimulatedSource
from causal_rollouts.control.reconcile import Settings, reconcile
from causal_rollouts.model.arms import Pod
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.traffic import HOME, Weights
from causal_rollouts.model.world import Key
from causal_rollouts.ports import Broken, NotYet, Ports, Refused
from causal_rollouts.runtime.wiring import ports_over
from e2e.embedded import shop
from e2e.embedded.apiserver import ApiServer
from e2e.embedded.controllers import Controllers, add_nodes
from e2e.embedded.pods import ready_since

NODES = ("node1", "node2", "node3", "node4", "node5")
SCRAPE = 2.5
OF_THIS_PROCESS = frozenset({"loop", "ports", "cut"})
Json = dict[str, Any]


@functools.cache
def one_loop() -> asyncio.AbstractEventLoop:
    """Nothing sleeps, so all worlds of a process share one."""
    return asyncio.new_event_loop()


def uncut(ports: Ports) -> Ports:
    """The operator's ports as they are."""
    return ports


@dataclass(slots=True)
class EmbeddedWorld:
    """One app under the gate. harms: what a version does, by its name in the template's VERSION.

    routed: kind of the route to it; Pod: the number of pods makes the share; WORKERS: no Service, a queue.
    cut: what stands between the operator and its ports. operator_down: nobody passes.
    """

    climate: Climate
    harms: Mapping[str, Harm]
    name: str = "checkout"
    replicas: int = 10
    seed: int = 1
    arms_listed: bool = False
    routed: Kind = HTTP_ROUTE
    api: ApiServer = field(default_factory=ApiServer)
    cut: Callable[[Ports], Ports] = uncut
    controllers: Controllers = field(init=False)
    source: SimulatedSource = field(init=False)
    metrics: SimulatedMetrics = field(init=False)
    ports: Ports = field(init=False)
    loop: asyncio.AbstractEventLoop = field(default_factory=one_loop)
    errors: list[str] = field(default_factory=list)
    operator_down: bool = False
    _due: float = 0.0
    _seen: str = ""
    _versions: dict[str, str] = field(default_factory=dict)
    _pods: dict[str, Pod] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.controllers = Controllers(self.api)
        add_nodes(self.api, *NODES)
        shop.open_shop(
            self.api,
            name=self.name,
            replicas=self.replicas,
            arms=self.arms_listed,
            kind=self.routed,
            VERSION="v1",
        )
        self.source = SimulatedSource(
            self.seed,
            self.climate,
            begin=self.api.time,
            scrape=SCRAPE,
            namespace=shop.NAMESPACE,
            harm_of=self._harm_of,
        )
        self.metrics = SimulatedMetrics(self.source)
        self.connect()

    def connect(self) -> None:
        """Give the operator its ports, through `cut`."""
        self.ports = self.cut(ports_over(self.api.client(), self.metrics, self.api))

    def saved(self) -> bytes:
        """The whole world as it stands; `restored` goes on from there, as often as one likes."""
        return pickle.dumps(self)

    @staticmethod
    def restored(saved: bytes, cut: Callable[[Ports], Ports] = uncut) -> "EmbeddedWorld":
        """A world of its own that goes on from where another was saved."""
        world: EmbeddedWorld = pickle.loads(saved)  # noqa: S301 - written by `saved` in this process
        world.cut = cut
        world.connect()
        return world

    def __getstate__(self) -> Json:
        names = self.__dataclass_fields__.keys() - OF_THIS_PROCESS
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: Json) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self.loop = one_loop()

    @property
    def key(self) -> Key:
        """The one rollout."""
        return Key(shop.NAMESPACE, self.name)

    @property
    def grid(self) -> Grid:
        """As the operator's settings would make it of this scrape interval."""
        return Grid(width=2 * SCRAPE, delay=2 * SCRAPE + 1.0, scrape=SCRAPE)

    def apply(self, policy: Json, rollout: Json) -> None:
        """Policy and rollout, as a user applies them."""
        self.api.add(POLICY, "", {"metadata": policy["metadata"], "spec": policy["spec"]}, "git", "git")
        self.api.add(
            ROLLOUT, shop.NAMESPACE, {"metadata": rollout["metadata"], "spec": rollout["spec"]}, "git", "git"
        )

    def request(self, version: str, **env: str) -> None:
        """A new template, as Git applies it."""
        shop.release(self.api, f"{self.name}:{version}", name=self.name, VERSION=version, **env)

    def annotate(self, verb: str, value: str = "true") -> None:
        """A person's one-shot request."""
        kube = self.api.client("ann")
        patch = {"metadata": {"annotations": {f"causalrollouts.dev/{verb}": value}}}
        self.loop.run_until_complete(kube.merge(ROLLOUT, shop.NAMESPACE, self.name, patch))

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass, at most this long; True as soon as `until` holds."""
        for _ in range(round(seconds)):
            self.step()
            if until():
                return True
        return False

    def step(self, seconds: float = 1.0) -> None:
        """One step of the whole world."""
        now = self.api.time + seconds
        self.controllers.step(now)
        self._serve(now)
        changed = self._fingerprint()
        if not self.operator_down and (now >= self._due or changed != self._seen):
            self._seen = changed
            self._due = now + self._pass()

    def newest(self) -> Json:
        """The newest record."""
        return self.records()[-1]

    def records(self) -> list[Json]:
        """All, oldest first."""
        found = self.api.stored(RECORD, shop.NAMESPACE)
        return sorted(found, key=lambda r: int(r["metadata"]["name"].rpartition("-")[2]))

    def release(self) -> Json:
        """Release state in the newest record, {} without one."""
        records = self.records()
        found: Json = (records[-1].get("status") or {}).get("release") or {} if records else {}
        return found

    def decisions(self) -> list[Json]:
        """Of the newest record."""
        records = self.records()
        return list((records[-1].get("status") or {}).get("decisions") or []) if records else []

    def rollout(self) -> Json:
        """The CausalRollout, {} when gone."""
        return self.api.find(ROLLOUT, shop.NAMESPACE, self.name) or {}

    def condition(self, kind: str) -> Json:
        """One condition of the CausalRollout, {} where it is absent."""
        found: list[Json] = (self.rollout().get("status") or {}).get("conditions") or []
        return next((c for c in found if c["type"] == kind), {})

    def target(self) -> Json:
        """The Deployment."""
        found = self.api.find(DEPLOYMENT, shop.NAMESPACE, self.name)
        if found is None:
            raise LookupError("the Deployment is gone")
        return found

    @property
    def by_pods(self) -> bool:
        """The number of pods makes the share."""
        return self.routed in (POD, shop.WORKERS)

    def route(self) -> Json | None:
        """The one to the app, None where pods share its requests."""
        return None if self.by_pods else self.api.find(self.routed, shop.NAMESPACE, self.name)

    def serving(self) -> Counter[str]:
        """Pods that the app's Service sends to, or that take work, by arm."""
        return Counter(
            pod["metadata"]["labels"][ARM_LABEL]
            for pod in self.api.stored(POD, shop.NAMESPACE)
            if ready_since(pod) is not None and "deletionTimestamp" not in pod["metadata"]
        )

    def weights(self) -> Weights:
        """In force on the route, or made by the pods in the traffic."""
        if self.by_pods:
            found = self.serving()
            return Weights.of_pods(found["canary"], found["baseline"], max(found["stable"], 1))
        route = self.route()
        written = {weights_in(rule) for rule in rules_to(route, self.name)} if route else set()
        return written.pop() if len(written) == 1 else HOME

    def versions(self) -> set[str]:
        """Versions of the Deployment's own pods."""
        return {
            self._version(pod)
            for pod in self.api.stored(POD, shop.NAMESPACE)
            if pod["metadata"]["labels"].get("causalrollouts.dev/arm") == "stable"
        }

    def arm_pods(self) -> list[str]:
        """Names of pods of arms."""
        return [
            pod["metadata"]["name"]
            for pod in self.api.stored(POD, shop.NAMESPACE)
            if pod["metadata"]["labels"].get("causalrollouts.dev/slot")
        ]

    def _serve(self, now: float) -> None:
        kube = self.api.client()
        fleet = self.loop.run_until_complete(KubeWorkloads(kube).fleet(shop.NAMESPACE, self.name))
        for raw in self.api.stored(POD, shop.NAMESPACE):
            self._versions[raw["metadata"]["name"]] = self._version(raw)
        present = {pod.uid: pod for pod in fleet.pods} if fleet else {}
        for uid, pod in list(self._pods.items()):
            if uid not in present and pod.deleted is None:
                self._pods[uid] = replace(pod, deleted=now)
        self._pods |= present
        self.source.advance(now, tuple(self._pods.values()), self.weights())

    def _harm_of(self, pod: Pod) -> Harm:
        return self.harms.get(self._versions.get(pod.name, ""), HARMLESS)

    def _version(self, pod: Json) -> str:
        env = pod["spec"]["containers"][0].get("env", [])
        return next((e["value"] for e in env if e["name"] == "VERSION"), "v1")

    def _fingerprint(self) -> str:
        found = []
        # What the operator watches; it finds everything else when it looks again.
        for kind in (DEPLOYMENT, ROLLOUT):
            obj = self.api.find(kind, shop.NAMESPACE, self.name)
            found.append(obj["metadata"]["resourceVersion"] if obj else "")
        return "/".join(found)

    def _pass(self) -> float:
        """One pass of the operator's own loop; what it could not do it tries again in a second."""
        try:
            again = self.loop.run_until_complete(reconcile(self.key, self.ports, Settings(self.grid)))
        except (NotYet, Refused, Broken) as error:
            self.errors.append(f"{type(error).__name__}: {error}")
            return 1.0
        return 1e9 if again is None else again
