"""What a pass saw, in one line: start from a release in its first stage and say what is different."""

from dataclasses import replace
from typing import Any

from causal_rollouts.api.resolve import Resolved
from causal_rollouts.control.observed import Observed
from causal_rollouts.model.arms import Arm, Pod, Slot
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.registration import ArmsPlan, Registration, Stage
from causal_rollouts.model.release import Desired, PlannedSlot, Release, Templates
from causal_rollouts.model.traffic import HOME, Change, TrafficPlan, Weights
from causal_rollouts.model.world import (
    Fleet,
    Key,
    Node,
    ReplicaSet,
    RouteState,
    SlotState,
    Target,
    Traffic,
)
from causal_rollouts.ports import Record, Requests, Rollout
from tests.unit.decision import situations

NOW = 20_000.0
FIRST = Weights(100, 100)
SECOND = Weights(300, 300)
SLOTS = (Slot(Arm.CANARY, 0), Slot(Arm.BASELINE, 0))
KEY = Key("shop", "checkout")


def registration(**changes: Any) -> Registration:
    made = situations.registration(
        stages=(Stage(100, 300, 1800), Stage(300, 300, 1800)),
        arms=ArmsPlan(min_pods=1),
        traffic=TrafficPlan("checkout", (("HTTPRoute", "checkout"),), "checkout"),
    )
    return replace(made, **changes)


def planned() -> tuple[PlannedSlot, ...]:
    return tuple(PlannedSlot(slot, "node1") for slot in SLOTS)


def release(**changes: Any) -> Release:
    """In its first stage for five minutes, one slot an arm, two replicas."""
    plain = Release(
        id="checkout-1",
        candidate_hash="new",
        stable_hash="old",
        stable_set="checkout-old",
        phase=Phase.OBSERVING,
        since=NOW - 300,
        stage=0,
        stage_since=NOW - 320,
        desired=Desired(weights=FIRST, slots=planned(), services=True),
        timeline=(Change(NOW - 320, 0, FIRST, Phase.SHIFTING),),
        look=600,
        looked=NOW - 30,
        usable=True,
        share_ok=True,
        replicas=2,
    )
    return replace(plain, **changes)


def record(running: Release | None = None, **changes: Any) -> Record:
    plain = Record(
        name="checkout-1",
        uid="r1",
        version="1",
        key=KEY,
        rollout_uid="u1",
        registration=registration(),
        templates=Templates({"new": True}, {"old": True}),
        release=running or release(),
        state=b"state",
        seq=5,
    )
    return replace(plain, **changes)


def replica_set(name: str, replicas: int, **changes: Any) -> ReplicaSet:
    plain = ReplicaSet(f"checkout-{name}", f"uid-{name}", {}, name, replicas, replicas, NOW - 9000)
    return replace(plain, **changes)


def slot_state(slot: Slot, **changes: Any) -> SlotState:
    return replace(SlotState(slot, f"checkout-{slot.id}", "new", "node1", ready=True, failure=""), **changes)


def pod(slot: Slot, created: float, **changes: Any) -> Pod:
    plain = Pod(
        f"checkout-{slot.id}-x", f"p-{slot.id}-{created}", slot.arm, slot.id, "node1", "a", created, None
    )
    return replace(plain, **changes)


def target(**changes: Any) -> Target:
    plain = Target(
        name="checkout",
        uid="d1",
        version="70",
        generation=3,
        observed_generation=3,
        paused=True,
        gate=True,
        replicas=2,
        template={},
        template_hash="new",
        bare_hash="bare",
        selector={"app": "checkout"},
        strategy="RollingUpdate",
        updated=0,
        ready=2,
        available=2,
        paused_in_git=False,
    )
    return replace(plain, **changes)


def fleet(**changes: Any) -> Fleet:
    plain = Fleet(
        target=target(),
        replica_sets=(replica_set("old", 2),),
        pods=tuple(pod(slot, NOW - 400, ready=NOW - 390) for slot in SLOTS),
        orphans=(),
        slots=tuple(slot_state(slot) for slot in SLOTS),
        waiting=(),
        nodes=(Node("node1", "a", schedulable=True), Node("node2", "a", schedulable=True)),
    )
    return replace(plain, **changes)


def route(weights: Weights | None = FIRST, name: str = "checkout", **changes: Any) -> RouteState:
    plain = RouteState("HTTPRoute", name, "30", "Inject", weights, accepted=True, arms_listed=True, port=80)
    return replace(plain, **changes)


def traffic(*routes: RouteState, **changes: Any) -> Traffic:
    ends = {Arm.STABLE: 2, Arm.BASELINE: 1, Arm.CANARY: 1}
    return replace(Traffic("checkout", routes or (route(),), True, ends, ()), **changes)


def rollout(**changes: Any) -> Rollout:
    plain = Rollout(KEY, "u1", "50", 1, deleting=False, held=True, requests=Requests(), spec={}, status={})
    return replace(plain, **changes)


def seen(**changes: Any) -> Observed:
    """All as a release in its first stage wants it."""
    resolved = Resolved(
        registration(), registration().traffic, "checkout", "Admission", suspend=False, effective={}
    )
    plain = Observed(
        rollout=rollout(),
        resolved=resolved,
        fleet=fleet(),
        traffic=traffic(),
        record=record(),
        past=(),
        problems=(),
        unsupported=(),
        next_release="checkout-2",
    )
    return replace(plain, **changes)


__all__ = ["HOME"]
