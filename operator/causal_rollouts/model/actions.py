"""Effects as values. Each is idempotent; somebody else performs it."""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.model.arms import Slot
from causal_rollouts.model.traffic import Weights
from causal_rollouts.model.world import Json


@dataclass(frozen=True, slots=True)
class EnsureArmServices:
    """Services `<service>-canary` and `-baseline`."""

    service: str


@dataclass(frozen=True, slots=True)
class DeleteArmServices:
    """Take them away; only when no route points at them."""

    service: str


@dataclass(frozen=True, slots=True)
class CreateSlot:
    """A ReplicaSet of one pod, owned by the record. node: where it is asked to run, "" anywhere.

    before: as in model.release.PlannedSlot. gated: its pod takes no traffic until weights give it some.
    """

    slot: Slot
    template: Json
    template_hash: str
    node: str
    target: str
    record: str
    record_uid: str
    before: bool = False
    gated: bool = False


@dataclass(frozen=True, slots=True)
class DeleteSlot:
    """The slot's ReplicaSet with its pod: exactly the one that was seen, the next release uses its name."""

    slot: Slot
    name: str
    uid: str = ""


@dataclass(frozen=True, slots=True)
class SetWeights:
    """Traffic on one route, or of one pod, guarded by the version that was seen."""

    service: str
    kind: str
    route: str
    weights: Weights
    seen: str


@dataclass(frozen=True, slots=True)
class GateTarget:
    """Label the target so that the admission policy pauses a new template."""

    target: str


@dataclass(frozen=True, slots=True)
class PauseTarget:
    """Pause now, whatever version (pausing is always safe)."""

    target: str


@dataclass(frozen=True, slots=True)
class UnpauseTarget:
    """Un-pause exactly the version that was seen: a newer template must not go out unseen."""

    target: str
    seen: str


@dataclass(frozen=True, slots=True)
class DeleteReplicaSet:
    """Delete a ReplicaSet; orphan keeps its pods serving."""

    name: str
    uid: str
    orphan: bool


@dataclass(frozen=True, slots=True)
class RestoreStableSet:
    """Create the stable ReplicaSet again from the record, where history pruning deleted it."""

    name: str
    template: Json
    replicas: int
    target: str
    target_uid: str


@dataclass(frozen=True, slots=True)
class DeletePod:
    """One pod by name."""

    name: str


@dataclass(frozen=True, slots=True)
class AddFinalizer:
    """Hold the CausalRollout until weights are home."""


@dataclass(frozen=True, slots=True)
class RemoveFinalizer:
    """Let it go."""


@dataclass(frozen=True, slots=True)
class DeleteRecord:
    """One old record, exactly the one that was seen."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class ClearRequest:
    """Remove a one-shot annotation that was carried out."""

    annotation: str
    value: str


Action = (
    EnsureArmServices
    | DeleteArmServices
    | CreateSlot
    | DeleteSlot
    | SetWeights
    | GateTarget
    | PauseTarget
    | UnpauseTarget
    | DeleteReplicaSet
    | RestoreStableSet
    | DeletePod
    | AddFinalizer
    | RemoveFinalizer
    | ClearRequest
    | DeleteRecord
)
