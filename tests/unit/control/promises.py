"""What must hold at every step of every story, whatever else goes wrong in it.

`WatchedApi` looks at each single write of the operator, `Promises` at the world
after each step. Neither asks the operator's own code what it meant to do.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from causal_rollouts.adapters.kube import (
    ARM_LABEL,
    DEPLOYMENT,
    FINALIZER,
    GATE_LABEL,
    GROUP,
    LEASE,
    POD,
    RECORD,
    REPLICA_SET,
    ROLLOUT,
    ROUTES,
    SERVICE,
    SLOT_LABEL,
    Kind,
)
from causal_rollouts.adapters.reading import controller
from e2e.embedded.apiserver import OPERATOR, SYSTEM, ApiServer
from e2e.embedded.pods import ready_since
from e2e.embedded.rolling import unavailable
from e2e.embedded.shop import NAMESPACE, WORKERS
from e2e.embedded.world import EmbeddedWorld

Json = dict[str, Any]
ARMS = ("canary", "baseline")
ONLY_MADE_AND_DELETED = {"replicasets", "pods", "nodes", "rolloutpolicies"}


def shares(route: Json | None, service: str) -> tuple[float, float]:
    """Canary's and baseline's largest share over the rules of a route, 0 to 1."""
    found = [(0.0, 0.0)]
    for rule in (route or {}).get("spec", {}).get("rules", []):
        weights = {b["name"]: b.get("weight", 1) for b in rule["backendRefs"]}
        mine = [weights.get(f"{service}-{arm}", 0) for arm in ARMS]
        whole = weights.get(service, 0) + sum(mine)
        if whole:
            found.append((mine[0] / whole, mine[1] / whole))
    return max(c for c, _ in found), max(b for _, b in found)


@dataclass(slots=True)
class WatchedApi(ApiServer):
    """An API server that lets the operator write only what is its own."""

    def change(self, kind: Kind, old: Json, new: Json, user: str = SYSTEM, **more: Any) -> Json:
        if user != OPERATOR:
            return ApiServer.change(self, kind, old, new, user, **more)
        before = json.dumps(_not_ours(kind, old), sort_keys=True)
        changed = ApiServer.change(self, kind, old, new, user, **more)
        if not more.get("status"):
            assert kind.plural not in ONLY_MADE_AND_DELETED, f"the operator changed a {kind.kind}"
            after = json.dumps(_not_ours(kind, changed), sort_keys=True)
            assert after == before, f"the operator wrote into somebody's {kind.kind}:\n{before}\n{after}"
        elif kind == POD:
            assert _of_others(changed) == _of_others(old), "the operator wrote into the status of a Pod"
        else:
            assert kind in (ROLLOUT, RECORD), f"the operator wrote the status of a {kind.kind}"
        return changed

    def remove(self, kind: Kind, obj: Json, propagation: str, user: str = SYSTEM) -> None:
        if user == OPERATOR:
            self._may_go(kind, obj, propagation)
        ApiServer.remove(self, kind, obj, propagation, user)

    def _may_go(self, kind: Kind, obj: Json, propagation: str) -> None:
        meta = obj["metadata"]
        if kind == REPLICA_SET and SLOT_LABEL in meta.get("labels", {}):
            service = meta["annotations"][f"{GROUP}/target"]
            for route in (route for routes in ROUTES.values() for route in self.stored(routes)):
                assert shares(route, service) == (0.0, 0.0), f"{meta['name']} is deleted under traffic"
            gated = [pod for pod in self.stored(POD, meta["namespace"]) if pod["spec"].get("readinessGates")]
            serving = [p for p in gated if controller(p) == meta["uid"] and ready_since(p) is not None]
            assert not serving, f"{meta['name']} is deleted under traffic"
        elif kind == REPLICA_SET:
            serving = obj.get("status", {}).get("readyReplicas", 0)
            assert not serving or propagation == "Orphan", f"{meta['name']} is deleted with {serving} pods"
        elif kind == POD:
            assert not meta.get("ownerReferences"), f"{meta['name']} is not an orphan"
        elif kind == RECORD:
            assert obj["status"]["final"], f"{meta['name']} is deleted while its release runs"
            number = int(meta["name"].rpartition("-")[2])
            older = [int(r["metadata"]["name"].rpartition("-")[2]) for r in self.stored(RECORD)]
            assert number == min(older), f"{meta['name']} is deleted, and the chain before it stays"
        else:
            assert kind == SERVICE, f"the operator deleted a {kind.kind}"
            assert f"{GROUP}/service" in meta.get("annotations", {}), f"{meta['name']} is not an arm's"


@dataclass(slots=True)
class Promises:
    """Checked after each step. disturbed: the story itself takes stable pods away, so they are not counted.

    raises: (time, canary's share) of each rise that was seen. Where the number of pods makes the share, a
    rise is of that number: a pod that comes back into its slot is none.
    """

    world: EmbeddedWorld
    disturbed: bool = False
    raises: list[tuple[float, float]] = field(default_factory=list)
    _canary: float = 0.0

    def __post_init__(self) -> None:
        self._canary = self._height(self._shares()[0])

    def check(self, *, somebody_moved_weights: bool = False) -> None:
        """After a step."""
        canary, baseline = self._shares()
        assert canary + baseline < 0.81, "stable does not carry enough to be a control"
        height = self._height(canary)
        if height > self._canary + 1e-9 and not somebody_moved_weights:
            self.raises.append((self.world.api.time, round(canary, 3)))
            self._rise_is_right(height)
        going = self.world.release().get("desired", {}).get("weights", {}).get("canary", 0) == 0
        self._canary = height if going or not self.world.by_pods else max(height, self._canary)
        if not self.disturbed:
            self._fleet_is_whole()

    def _height(self, canary: float) -> float:
        return float(self.world.serving()["canary"]) if self.world.by_pods else canary

    def _shares(self) -> tuple[float, float]:
        if self.world.by_pods:
            pods = self.world.serving()
            return pods["canary"] / max(pods.total(), 1), pods["baseline"] / max(pods.total(), 1)
        return shares(self.world.route(), self.world.name)

    def _rise_is_right(self, height: float) -> None:
        """Promise 2: on a valid and fresh window of the running release only."""
        release = self.world.release()
        grid = self.world.grid
        asked = release["desired"]["weights"]
        if self.world.routed == WORKERS:
            slots = [p for p in release["desired"]["slots"] if p["slot"]["arm"] == "canary"]
            assert height <= len(slots), "more workers than a record asked for"
        elif self.world.by_pods:
            assert height <= asked["canaries"], "more pods than a record asked for"
        else:
            assert asked["canary"] == round(1000 * height), "no record asked for it"
        assert release.get("looked") is not None, "traffic rose before the first look"
        assert self.world.api.time - release["looked"] <= 3 * 2 * grid.width + grid.delay, "an old window"
        assert self.world.condition("EvidenceValid")["status"] == "True", "an invalid window"

    def _fleet_is_whole(self) -> None:
        """Pods that users' requests reach through the stable Service, whoever owns them."""
        target = self.world.api.find(DEPLOYMENT, NAMESPACE, self.world.name)
        if target is None:
            return
        ready = sum(
            ready_since(pod) is not None and "deletionTimestamp" not in pod["metadata"]
            for pod in self.world.api.stored(POD, NAMESPACE)
            if pod["metadata"]["labels"].get(ARM_LABEL) == "stable"
            and pod["metadata"]["labels"].get("app") == self.world.name
        )
        least = target["spec"]["replicas"] - unavailable(target)
        assert ready >= least, f"{ready} stable pods are ready, {least} must be"


def _not_ours(kind: Kind, obj: Json) -> Json:
    """The object without the fields that are the operator's to write."""
    meta = {k: v for k, v in obj["metadata"].items() if k not in _MOVES_BY_ITSELF}
    rest = {**{k: v for k, v in obj.items() if k != "status"}, "metadata": meta}
    if kind == DEPLOYMENT:
        return _without_pause(rest)
    if kind in ROUTES.values():
        return {**rest, "spec": {**rest["spec"], "rules": [_rule(r) for r in rest["spec"]["rules"]]}}
    if kind == ROLLOUT:
        return _without_requests(rest)
    if kind == SERVICE and f"{GROUP}/service" in meta.get("annotations", {}):
        return {"ours": True}
    return {} if kind in (RECORD, LEASE) else rest


def _of_others(pod: Json) -> Json:
    """The status of a pod without the condition that is the operator's."""
    status = pod.get("status", {})
    return {**status, "conditions": [c for c in status["conditions"] if c["type"] != f"{GROUP}/traffic"]}


_MOVES_BY_ITSELF = frozenset({"resourceVersion", "managedFields", "generation", "deletionTimestamp"})


def _without_pause(target: Json) -> Json:
    labels = {k: v for k, v in target["metadata"].get("labels", {}).items() if k != GATE_LABEL}
    spec = {k: v for k, v in target["spec"].items() if k != "paused"}
    return {**target, "spec": spec, "metadata": {**target["metadata"], "labels": labels}}


def _without_requests(rollout: Json) -> Json:
    meta = dict(rollout["metadata"])
    mine = {k: v for k, v in meta.pop("annotations", {}).items() if not k.startswith(f"{GROUP}/")}
    held = [name for name in meta.pop("finalizers", []) if name != FINALIZER]
    return {**rollout, "metadata": {**meta, "annotations": mine, "finalizers": held}}


def _rule(rule: Json) -> Json:
    """Backends besides the arms, with the Service's weight as a whole, in lowest terms."""
    refs = rule["backendRefs"]
    arms = [b for b in refs if b["name"].endswith(("-canary", "-baseline"))]
    named = {b["name"].rpartition("-")[0] for b in arms}
    extra = sum(b.get("weight", 1) for b in arms)
    kept = [b for b in refs if b not in arms]
    weights = [b.get("weight", 1) + (extra if b["name"] in named else 0) for b in kept]
    whole = _divisor(weights)
    plain = [{**b, "weight": w // whole} for b, w in zip(kept, weights, strict=True)]
    return {**rule, "backendRefs": plain}


def _divisor(weights: Iterable[int]) -> int:
    return math.gcd(*weights) or 1
