"""What the operator saw of the cluster in one pass, reduced to what decisions need.

Adapters fill these from API objects; nothing behind them reads a raw object
again, except the pod template, which is carried whole because slots are made
from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from causal_rollouts.model.arms import Pod, Slot
from causal_rollouts.model.traffic import HOME, Weights

Json = Mapping[str, object]
BACK_OFF = "CrashLoopBackOff"
CRASHES_TO_CALL_IT_A_LOOP = 2


@dataclass(frozen=True, slots=True)
class Key:
    """One CausalRollout."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Target:
    """The user's Deployment. template_hash is ours: of the template without `pod-template-hash`.

    bare_hash: the same, also without the arm label that adoption asks for.
    """

    name: str
    uid: str
    version: str
    generation: int
    observed_generation: int
    paused: bool
    gate: bool
    replicas: int
    template: Json
    template_hash: str
    bare_hash: str
    selector: Mapping[str, str]
    strategy: str
    updated: int
    ready: int
    available: int
    paused_in_git: bool


@dataclass(frozen=True, slots=True)
class Crash:
    """A container that keeps ending: its pod, how often, and what is said of its last end."""

    pod: str
    restarts: int
    message: str


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """A ReplicaSet of the target. crashing: its pods that crash again and again."""

    name: str
    uid: str
    template: Json
    template_hash: str
    replicas: int
    ready: int
    created: float
    crashing: tuple[Crash, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A container of an arm pod that does not run. reason as the kubelet words it."""

    slot: str
    pod: str
    reason: str
    message: str
    restarts: int

    @property
    def crashes(self) -> bool:
        """It crashes again and again."""
        return self.reason == BACK_OFF or self.restarts >= CRASHES_TO_CALL_IT_A_LOOP


@dataclass(frozen=True, slots=True)
class SlotState:
    """One slot as it stands: its ReplicaSet and newest pod. before: as in model.release.PlannedSlot."""

    slot: Slot
    name: str
    template_hash: str
    node: str
    ready: bool
    failure: str
    uid: str = ""
    before: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A node that could carry a slot. machine: its instance type."""

    name: str
    zone: str
    schedulable: bool
    machine: str = ""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything that runs for one target: the Deployment, its ReplicaSets, all pods, the slots, nodes.

    pods: stable and arm pods, also terminating ones. orphans: pods of the target's labels without an owner.
    """

    target: Target
    replica_sets: tuple[ReplicaSet, ...]
    pods: tuple[Pod, ...]
    orphans: tuple[str, ...]
    slots: tuple[SlotState, ...]
    waiting: tuple[Waiting, ...]
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class RouteState:
    """What carries weights, as it stands: a route, or with podShare the pod of one slot.

    form: "Weights" (Git lists the arms), "Inject" (we add and remove them) or "Pods".
    weights: in force over every rule that sends to the Service, None where rules disagree; those by which a
    pod was given traffic, else HOME. accepted: the gateway has taken the current generation; of a pod, its
    Service's endpoints agree. port: of the Service's backend, 0 if none is said.
    slot: of a pod. fresh: nobody has given this pod traffic or taken it yet, as it has just come to its slot.
    """

    kind: str
    name: str
    version: str
    form: str
    weights: Weights | None
    accepted: bool
    arms_listed: bool
    port: int = 0
    slot: Slot | None = None
    fresh: bool = False

    def wanted(self, weights: Weights) -> Weights:
        """What this one has when `weights` are in force: a pod that they do not count has no traffic."""
        return weights if self.slot is None or weights.serves(self.slot) else HOME

    def follows(self, weights: Weights) -> bool:
        """It stands as `weights` say; what nobody has touched yet speaks against none."""
        return self.fresh or self.weights == self.wanted(weights)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Service and routes as they stand. endpoints: ready endpoints by arm.

    problems: what the user must mend, each `field: what; fix`.
    working: (canary, baseline) pods that nothing but their end can keep from the work; None but for workers.
    """

    service: str
    routes: tuple[RouteState, ...]
    arm_services: bool
    endpoints: Mapping[str, int]
    problems: tuple[str, ...]
    working: tuple[int, int] | None = None

    @property
    def weights(self) -> Weights | None:
        """The one set of weights in force everywhere, or None."""
        found = [route.weights for route in self.routes if route.weights is not None]
        return next((w for w in sorted(found, key=_from_home) if self.follow(w)), None)

    def follow(self, *weights: Weights) -> bool:
        """Each route stands as one of these say."""
        return all(any(route.follows(w) for w in weights) for route in self.routes)


def _from_home(weights: Weights) -> bool:
    """Weights away from home first: pods that these do not count are at home too."""
    return weights == HOME
