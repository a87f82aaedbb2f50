"""How requests are shared between the arms, and when that changed."""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.model.arms import Arm, Slot

WHOLE = 1000
"""Weights are integers in thousandths, so that equal load per pod is exact enough and sums are exact."""

ROUTE_FIELDS = {"HTTPRoute": "httpRoutes", "GRPCRoute": "grpcRoutes"}
"""Kinds of routes that can share traffic, each with the field of `spec.traffic` that names them."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Shares of requests in thousandths; they sum to `WHOLE`.

    canaries, baselines: pods of each arm that take traffic, where the number of pods is what makes the share
    (podShare); 0 where a route does.
    """

    canary: int
    baseline: int
    canaries: int = 0
    baselines: int = 0

    def __post_init__(self) -> None:
        if min(self.canary, self.baseline) < 0 or self.canary + self.baseline > WHOLE:
            raise ValueError(f"weights {self.canary}/{self.baseline} do not fit into {WHOLE} thousandths")

    @property
    def stable(self) -> int:
        """What canary and baseline leave."""
        return WHOLE - self.canary - self.baseline

    @classmethod
    def of_pods(cls, canaries: int, baselines: int, stable: int) -> Weights:
        """Shares of so many pods that all get the same."""
        pods = canaries + baselines + stable
        return cls(round(canaries * WHOLE / pods), round(baselines * WHOLE / pods), canaries, baselines)

    def serves(self, slot: Slot) -> bool:
        """A slot's pod takes traffic, where pods are counted."""
        return slot.ordinal < (self.canaries if slot.arm is Arm.CANARY else self.baselines)

    def share(self, arm: Arm) -> float:
        """Share of one arm, 0 to 1."""
        return {Arm.CANARY: self.canary, Arm.BASELINE: self.baseline, Arm.STABLE: self.stable}[arm] / WHOLE


@dataclass(frozen=True, slots=True)
class TrafficPlan:
    """Service and routes by name. routes: (kind, name), kinds as in `ROUTE_FIELDS`; none with podShare.

    service: "" for workers, whose pods take their work from a queue.
    target: the Deployment behind the Service; "" where only the traffic is looked at.
    """

    service: str
    routes: tuple[tuple[str, str], ...]
    target: str = ""

    @property
    def pod_share(self) -> bool:
        """No route: the Service shares its requests evenly between pods, so their number makes the share."""
        return bool(self.service) and not self.routes

    @property
    def workers(self) -> bool:
        """No Service at all: a pod works as soon as it runs, so which pods there are makes the share."""
        return bool(self.target) and not (self.service or self.routes)


NOWHERE = TrafficPlan("", ())
"""No route: recordings do not need one."""

POD_CONDITION = "causalrollouts.dev/traffic"
"""With podShare: the readiness gate of a slot's pod, by which weights give it traffic or take it."""

DISTURBED = "Disturbed"
"""Phase of a `Change` that somebody else made: bins until the next change are no evidence."""

RESCALED = "Rescaled"
"""Phase of a `Change` that makes room for slots which a larger fleet asks for."""

HOME = Weights(0, 0)
"""All traffic on stable: where every release begins and where a revert goes."""


@dataclass(frozen=True, slots=True)
class Change:
    """Weights in force from `time`. stage: None before the first.

    phase: as in model.release, or DISTURBED, or RESCALED.
    """

    time: float
    stage: int | None
    weights: Weights
    phase: str = ""
