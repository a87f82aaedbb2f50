"""How requests are shared between the arms, and when that changed."""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.model.arms import Arm

WHOLE = 1000
"""Weights are integers in thousandths, so that equal load per pod is exact enough and sums are exact."""

ROUTE_FIELDS = {"HTTPRoute": "httpRoutes", "GRPCRoute": "grpcRoutes"}
"""Kinds of routes that can share traffic, each with the field of `spec.traffic` that names them."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Shares of requests in thousandths; they sum to `WHOLE`."""

    canary: int
    baseline: int

    def __post_init__(self) -> None:
        if min(self.canary, self.baseline) < 0 or self.canary + self.baseline > WHOLE:
            raise ValueError(f"weights {self.canary}/{self.baseline} do not fit into {WHOLE} thousandths")

    @property
    def stable(self) -> int:
        """What canary and baseline leave."""
        return WHOLE - self.canary - self.baseline

    def share(self, arm: Arm) -> float:
        """Share of one arm, 0 to 1."""
        return {Arm.CANARY: self.canary, Arm.BASELINE: self.baseline, Arm.STABLE: self.stable}[arm] / WHOLE


@dataclass(frozen=True, slots=True)
class TrafficPlan:
    """Service and routes by name. routes: (kind, name), kinds as in `ROUTE_FIELDS`.

    target: the Deployment behind the Service; "" where only the traffic is looked at.
    """

    service: str
    routes: tuple[tuple[str, str], ...]
    target: str = ""


NOWHERE = TrafficPlan("", ())
"""No route: recordings do not need one."""

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
