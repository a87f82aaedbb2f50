"""One pass's view of the world, and the questions that are asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from causal_rollouts.api.resolve import Resolved
from causal_rollouts.model.actions import DeleteRecord
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.traffic import HOME, Weights
from causal_rollouts.model.world import Fleet, ReplicaSet, SlotState, Traffic
from causal_rollouts.ports import Record, Rollout


@dataclass(frozen=True, slots=True)
class Observed:
    """Read in one pass, never kept. problems: what the user must mend, each `field: what; fix`.

    resolved: what the spec means now, None while it cannot be resolved.
    record: the running release, None at rest. past: the newest ended ones, oldest first.
    next_release: name of a release that would begin now, free also among records of an earlier rollout.
    left: slots that stand though the target is gone. expired: records that are older than the policy keeps.
    """

    rollout: Rollout
    resolved: Resolved | None
    fleet: Fleet | None
    traffic: Traffic | None
    record: Record | None
    past: tuple[Record, ...]
    problems: tuple[str, ...]
    unsupported: tuple[str, ...]
    next_release: str
    left: tuple[SlotState, ...] = ()
    expired: tuple[DeleteRecord, ...] = ()

    @property
    def queued_since(self) -> float | None:
        """Since when its release waits for others, as its own status says; None while it does not."""
        found = self.rollout.condition("Queued")
        if found.get("status") != "True":
            return None
        return datetime.fromisoformat(str(found["lastTransitionTime"])).timestamp()

    @property
    def slots(self) -> tuple[SlotState, ...]:
        """All slots that stand."""
        return self.left if self.fleet is None else self.fleet.slots

    @property
    def stable_set(self) -> ReplicaSet | None:
        """The one ReplicaSet that runs, None while none or several do."""
        if self.fleet is None:
            return None
        running = [rs for rs in self.fleet.replica_sets if rs.replicas > 0]
        return running[0] if len(running) == 1 else None

    @property
    def weights(self) -> Weights | None:
        """Weights in force; without a route all traffic is on stable."""
        if self.traffic is None or not self.traffic.routes:
            return HOME
        return self.traffic.weights

    @property
    def ready_stable(self) -> int:
        """Ready pods of the Deployment itself."""
        return 0 if self.fleet is None else sum(rs.ready for rs in self.fleet.replica_sets)

    def replica_set(self, template_hash: str) -> ReplicaSet | None:
        """The ReplicaSet of a template."""
        if self.fleet is None:
            return None
        return next((rs for rs in self.fleet.replica_sets if rs.template_hash == template_hash), None)

    def ready_slots(self, arm: Arm) -> int:
        """Slots of an arm whose pod is ready."""
        return sum(state.ready for state in self.slots if state.slot.arm is arm)

    @property
    def workers(self) -> bool:
        """Slots work as soon as they run: only their end takes the weight off them."""
        return self.traffic is not None and self.traffic.working is not None

    @property
    def slots_may_go(self) -> bool:
        """A slot that has traffic is never taken away, whatever is wanted; a worker's way home is its end."""
        return self.workers or self.applied(HOME)

    def applied(self, weights: Weights) -> bool:
        """The routes carry these weights and the gateway has taken them; or there are as many workers."""
        if self.traffic is not None and self.traffic.working is not None:
            return self.traffic.working == (weights.canaries, weights.baselines)
        if self.traffic is None or not self.traffic.routes:
            return weights == HOME
        return all(r.weights == r.wanted(weights) and r.accepted for r in self.traffic.routes)
