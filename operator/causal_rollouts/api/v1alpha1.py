"""The kinds a user applies, as pydantic models: the one source of the CRD schemas.

A field stands here only if the operator honours it. Nothing that a policy can
set has a default in CausalRollout, so that "set" and "defaulted" stay apart;
the defaults are the policy's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from causal_rollouts.api.forms import (
    Beforehand,
    BudgetPart,
    Completeness,
    Duration,
    FirstShare,
    Lasting,
    Nats,
    ObjectName,
    Probability,
    ProbePart,
    Ratio,
    TargetName,
    quoted,
)
from causal_rollouts.api.part import Part
from causal_rollouts.api.rule import BY_NAME, Rule, named_once, validations
from causal_rollouts.api.units import DECIMAL, decimal
from causal_rollouts.api.v1alpha1_freeze import Freeze
from causal_rollouts.api.v1alpha1_metrics import Metric
from causal_rollouts.api.v1alpha1_stages import HEAVIEST_OF_PODS, RISING, Stage, rising
from causal_rollouts.api.v1alpha1_traffic import Reference, Traffic
from causal_rollouts.model.metrics import MetricKind

ROUNDING = 1e-6
"""Decimals with six digits add up to their sum only so nearly in floating point."""

TARGET_NAME = "spec.targetRef.name"
SELECTABLE: Mapping[str, tuple[str, ...]] = {"CausalRollout": (TARGET_NAME,)}
"""Fields by which a list can be narrowed: who else names a target is asked in each pass."""


class Target(Part):
    """A Deployment in the same namespace."""

    name: TargetName = Field(description="Name of the Deployment.")


class Outside(Part):
    """A service in the same namespace that the release does not reach."""

    kind: Literal["Deployment", "Service", "HTTPRoute", "GRPCRoute"] = Field(
        description="By what it is named: a Deployment's pods, or those behind a Service or route."
    )
    name: ObjectName = Field(description="Name of the object.")


class Arms(Part):
    """How many pods an arm has."""

    min_pods: int | None = Field(default=None, ge=1, le=20, description="Least canary pods.")
    baseline_ratio: Ratio | None = Field(default=None, description="Baseline pods to one canary pod.")
    baseline_max_share: int | None = Field(
        default=None,
        ge=1,
        le=40,
        description="Percent of the traffic above which a cohort gets one baseline pod.",
    )
    pre_period: Beforehand | None = Field(
        default=None,
        description="How long both arms are watched on the stable template before the candidate comes in.",
    )


LEGS = Rule(
    "!has(self.shortest) || !has(self.longest) || self.longest >= self.shortest",
    "longest is below shortest; raise longest or lower shortest",
    field="longest",
)


class Switchback(Part):
    """How a probe takes traffic off the candidate and gives it back, at times that are drawn."""

    RULES = (LEGS,)

    after: int | None = Field(
        default=None,
        ge=0,
        le=240,
        description="Bins that everybody must have been worse before a probe begins.",
    )
    probes: int | None = Field(default=None, ge=1, le=5, description="Most probes in one release.")
    cycles: int | None = Field(
        default=None, ge=5, le=20, description="Legs with traffic, and as many without, in one probe."
    )
    shortest: int | None = Field(default=None, ge=4, le=60, description="Least bins of a leg.")
    longest: int | None = Field(default=None, ge=4, le=60, description="Most bins of a leg.")
    budget: ProbePart | None = Field(
        default=None, description="Part of alphaRevert that all probes of a release may spend together."
    )

    def broken(self) -> Iterator[Rule]:
        """Legs that would have to be longer than they may be."""
        if self.shortest is not None and self.longest is not None and self.longest < self.shortest:
            yield LEGS


class Evidence(Part):
    """Evidence for safety that is needed, in nats."""

    advance: Nats | None = Field(default=None, description="To go on to the next stage.")
    promote_continuous: Nats | None = Field(default=None, description="To promote, of latency.")
    promote_counts: Nats | None = Field(default=None, description="To promote, of errors and other counts.")


_KINDS = tuple(kind for kind in MetricKind if kind is not MetricKind.FOOTPRINT)
_PARTS = "[" + ", ".join(f"has(self.{kind}) ? self.{kind} : '0'" for kind in _KINDS) + "]"
WHOLE_BUDGET = Rule(
    f"!{_PARTS}.all(part, part.matches({quoted(DECIMAL)})) || "
    f"{_PARTS}.map(part, double(part)).sum() <= {1 + ROUNDING}",
    "the parts add up to more than 1; lower some so that all kinds together have at most 1, "
    "those not given keep what the policy gives them",
)


class KindWeights(Part):
    """How the error budget is split over kinds of metrics; absent kinds give theirs to the rest."""

    RULES = (WHOLE_BUDGET,)

    latency: BudgetPart | None = Field(default=None, description="Mean log latency.")
    errors: BudgetPart | None = Field(default=None, description="Share of failed requests.")
    tail: BudgetPart | None = Field(default=None, description="Slow requests chosen by share.")
    restarts: BudgetPart | None = Field(default=None, description="Container restarts.")
    slow: BudgetPart | None = Field(default=None, description="Slow requests chosen by edge.")
    neighbour: BudgetPart | None = Field(default=None, description="Latency of pods beside a canary.")

    def broken(self) -> Iterator[Rule]:
        """More than the whole budget."""
        given = (getattr(self, kind) for kind in _KINDS)
        if sum(decimal(part) for part in given if part is not None) > 1 + ROUNDING:
            yield WHOLE_BUDGET


class WindowWeights(Part):
    """How the error budget is split over windows; each stage begins one."""

    first: FirstShare | None = Field(
        default=None, description="Part of the first window; the later ones share the rest evenly."
    )


Windows = Annotated[list[Freeze], Field(max_length=20)]


class Choices(Part):
    """Everything that a policy sets and a rollout may set inside the policy's guardrails."""

    stages: (
        Annotated[
            list[Stage],
            Field(min_length=1, max_length=10, json_schema_extra=validations(RISING)),
            AfterValidator(rising),
        ]
        | None
    ) = Field(default=None, description="The ladder of weights.")
    metrics: (
        Annotated[
            list[Metric],
            Field(min_length=1, max_length=20, json_schema_extra=BY_NAME),
            AfterValidator(named_once),
        ]
        | None
    ) = Field(default=None, description="What is measured; a list given here replaces the policy's.")
    mode: Literal["Enforce", "Observe", "Recommend"] | None = Field(
        default=None,
        description="Enforce: evidence moves the traffic. Observe: time does, and verdicts are only told. "
        "Recommend: evidence does, after a person agreed to each step.",
    )
    gate: Literal["Admission", "AlwaysPaused"] | None = Field(
        default=None, description="How a new template is held: by the admission policy, or by spec.paused."
    )
    alpha_revert: Probability | None = Field(
        default=None, description="Error budget: share of harmless releases that may be reverted."
    )
    evidence: Evidence | None = None
    weights: KindWeights | None = None
    window_weights: WindowWeights | None = None
    history: Lasting | None = Field(default=None, description="Past of the stable pods that is read.")
    warm_up: int | None = Field(
        default=None, ge=0, le=40, description="Bins of a fresh pod that are left out."
    )
    blackout: int | None = Field(
        default=None, ge=0, le=20, description="Bins left out after each change of weights."
    )
    min_completeness: Completeness | None = Field(
        default=None, description="Share of the requests that must have been measured."
    )
    arms: Arms | None = None
    ready_timeout: Lasting | None = Field(
        default=None, description="Time for new pods of an arm to get ready."
    )
    blocked_timeout: Lasting | None = Field(
        default=None, description="Time after which a release that cannot go on ends."
    )
    bake: Duration | None = Field(default=None, description="Time that a promoted release is still watched.")
    rollback_window: Duration | None = Field(
        default=None, description="Time in which going back to the replaced template is let through at once."
    )
    on_inconclusive: Literal["Pause", "Revert"] | None = Field(
        default=None, description="What happens at maxDuration without a verdict."
    )
    freeze: Windows | None = Field(
        default=None, description="When no release begins and no traffic rises; harm still reverts."
    )
    probe: Literal["None", "Switchback"] | None = Field(
        default=None,
        description="What is done when everybody gets worse: only hold, or find out by a switchback.",
    )
    switchback: Switchback | None = None


SAME_TARGET = Rule(
    "self.targetRef == oldSelf.targetRef",
    "targetRef cannot be changed; delete this CausalRollout and make one for the other Deployment",
    field="targetRef",
)


OUTSIDE = Rule(
    "!has(self.reference) || !((self.reference.kind == 'Deployment' && self.reference.name == "
    "self.targetRef.name) || (self.reference.kind == 'Service' && has(self.traffic.service) && "
    "self.reference.name == self.traffic.service) || (self.reference.kind == 'HTTPRoute' && "
    "has(self.traffic.httpRoutes) && self.traffic.httpRoutes.exists(r, r.name == self.reference.name)) || "
    "(self.reference.kind == 'GRPCRoute' && has(self.traffic.grpcRoutes) && "
    "self.traffic.grpcRoutes.exists(r, r.name == self.reference.name)))",
    "reference is what is released itself; name a service that the release does not reach",
    field="reference",
)


MOST_OF_PODS = Rule(
    f"!has(self.traffic.podShare) || !has(self.stages) || self.stages.all(s, s.weight <= {HEAVIEST_OF_PODS})",
    f"a stage has a weight above {HEAVIEST_OF_PODS}, which podShare cannot give beside a whole stable arm; "
    f"end the ladder at {HEAVIEST_OF_PODS} or below",
    field="stages",
)


class RolloutSpec(Choices):
    """What an application team writes: target, traffic, and what differs from the policy."""

    RULES = (SAME_TARGET, OUTSIDE, MOST_OF_PODS)

    target_ref: Target = Field(description="The Deployment that is released.")
    policy_ref: Reference | None = Field(default=None, description="The RolloutPolicy whose defaults apply.")
    traffic: Traffic
    reference: Outside | None = Field(
        default=None,
        description="A service that shares load and shocks and that the release does not reach: what moved "
        "it is taken off the total effect at 100%, which is reported and decides nothing.",
    )
    suspend: bool | None = Field(default=None, description="No new release begins and no traffic rises.")

    def broken(self) -> Iterator[Rule]:
        """A reference that is the release itself (the effect off the effect); weights beyond pods."""
        heaviest = max((stage.weight for stage in self.stages or ()), default=0)
        if self.traffic.pod_share is not None and heaviest > HEAVIEST_OF_PODS:
            yield MOST_OF_PODS
        own: dict[str, set[str | None]] = {
            "Deployment": {self.target_ref.name},
            "Service": {self.traffic.service},
            "HTTPRoute": {route.name for route in self.traffic.http_routes or ()},
            "GRPCRoute": {route.name for route in self.traffic.grpc_routes or ()},
        }
        if self.reference is not None and self.reference.name in own.get(self.reference.kind, ()):
            yield OUTSIDE
