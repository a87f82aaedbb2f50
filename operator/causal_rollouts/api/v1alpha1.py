"""The three kinds as pydantic models: the one source of the CRD schemas.

A field stands here only if the operator honours it. Nothing that a policy can
set has a default in CausalRollout, so that "set" and "defaulted" stay apart;
the defaults are the policy's.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

from causal_rollouts.api.units import DECIMAL, DURATION, PERCENT

NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
LABEL_NAME = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
METRIC_NAME = r"^[a-zA-Z_:][a-zA-Z0-9_:]*$"

Name = Annotated[str, Field(pattern=NAME, max_length=63)]
Duration = Annotated[str, Field(pattern=DURATION, min_length=2, max_length=16)]
Percent = Annotated[str, Field(pattern=PERCENT, max_length=12)]
Decimal = Annotated[str, Field(pattern=DECIMAL, max_length=12)]
MetricName = Annotated[str, Field(pattern=METRIC_NAME, max_length=200)]
LabelPattern = Annotated[str, Field(max_length=200)]


class Part(BaseModel):
    """Base of every part. The API server rejects unknown fields; an old operator survives new ones.

    rules: CEL validations as (rule, message); they become x-kubernetes-validations.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


def rules(*pairs: tuple[str, str]) -> ConfigDict:
    """CEL rules of a model, as part of its schema."""
    return ConfigDict(
        json_schema_extra={"x-kubernetes-validations": [{"rule": r, "message": m} for r, m in pairs]}
    )


SOURCES = "[has(self.latency), has(self.slow), has(self.errors), has(self.restarts)]"
ONE_SOURCE = f"{SOURCES}.filter(x, x).size() == 1"


class Reference(Part):
    """An object in the same namespace (a policy: in the cluster), by name."""

    name: Name


class Traffic(Part):
    """The Service that users reach and the routes that send to it."""

    service: Name = Field(description="Service whose traffic is shared between the arms.")
    http_routes: list[Reference] = Field(
        min_length=1,
        max_length=8,
        description="HTTPRoutes in this namespace that send to the Service.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )


class Stage(Part):
    """One step of the ladder."""

    model_config = rules(
        (
            "duration(self.maxDuration) >= duration(self.minDuration)",
            "maxDuration must be at least minDuration; raise maxDuration or lower minDuration",
        )
    )

    weight: int = Field(ge=1, le=70, description="Share of the requests that the canary takes, in percent.")
    min_duration: Duration = Field(description="Least time in this stage, like 5m.")
    max_duration: Duration = Field(description="Time after which onInconclusive applies, like 30m.")


class Histogram(Part):
    """A histogram of request durations in seconds."""

    histogram: MetricName = Field(description="Name without the suffix _bucket.")
    ignore: list[dict[str, LabelPattern]] | None = Field(
        default=None,
        max_length=16,
        description="Requests left out: label values as anchored regular expressions.",
    )


class Slow(Histogram):
    """Share of requests slower than a bucket edge."""

    model_config = rules(
        (
            "has(self.over) != has(self.share)",
            "say either over (a bucket edge like 500ms) or share (like 0.15%), not both",
        )
    )

    over: Annotated[str, Field(pattern=r"^[0-9]{1,7}(ms|s)$", max_length=12)] | None = Field(
        default=None, description="A bucket edge, like 500ms."
    )
    share: Percent | None = Field(
        default=None, description="The highest edge that at least this share of requests exceeds."
    )


class Errors(Part):
    """Failed requests among all requests."""

    model_config = rules(
        (
            "has(self.of) || has(self.bad)",
            "say which requests are errors: bad (label values) or of (counter of all requests)",
        )
    )

    counter: MetricName = Field(description="Counter of requests, or of failures when `of` is set.")
    of: MetricName | None = Field(default=None, description="Counter of all requests.")
    bad: list[dict[str, LabelPattern]] | None = Field(
        default=None,
        min_length=1,
        max_length=16,
        description="Which requests are errors: label values as anchored regular expressions.",
    )
    ignore: list[dict[str, LabelPattern]] | None = Field(
        default=None, max_length=16, description="Requests left out altogether."
    )


class Restarts(Part):
    """Container restarts, from kube-state-metrics."""


class Metric(Part):
    """One metric: exactly one source, margins, and what it may do."""

    model_config = rules(
        (
            ONE_SOURCE,
            "a metric has exactly one of latency, slow, errors and restarts",
        )
    )

    name: Name
    latency: Histogram | None = None
    slow: Slow | None = None
    errors: Errors | None = None
    restarts: Restarts | None = None
    revert_above: Percent | None = Field(default=None, description="Harm margin.")
    null_below: Percent | None = Field(
        default=None, description="Effects up to this never count as harm (latency)."
    )
    promote_below: Percent | None = Field(default=None, description="Non-inferiority margin.")
    revert_above_points: Percent | None = Field(default=None, description="Harm margin of a rate in points.")
    promote_below_points: Percent | None = Field(
        default=None, description="Non-inferiority margin of a rate in points."
    )
    gating: Literal["Both", "RevertOnly", "ReportOnly"] | None = None


class Arms(Part):
    """How many pods an arm has."""

    min_pods: int | None = Field(default=None, ge=1, le=20)
    baseline_ratio: Decimal | None = None
    baseline_max_share: int | None = Field(default=None, ge=1, le=40, description="Percent.")


class Evidence(Part):
    """Evidence for safety that is needed, in nats."""

    advance: Decimal | None = None
    promote_continuous: Decimal | None = None
    promote_counts: Decimal | None = None


class KindWeights(Part):
    """How the error budget is split over kinds of metrics; absent kinds give theirs to the rest."""

    latency: Decimal | None = None
    errors: Decimal | None = None
    tail: Decimal | None = None
    restarts: Decimal | None = None
    slow: Decimal | None = None
    neighbour: Decimal | None = None


class WindowWeights(Part):
    """Share of the window that begins with the first stage; later ones share the rest."""

    first: Decimal | None = None


STAGES: JsonDict = {
    "x-kubernetes-validations": [
        {
            "rule": "self.all(i, s, i == 0 || s.weight > self[i-1].weight)",
            "message": "weights must rise strictly from stage to stage",
        }
    ]
}
METRICS: JsonDict = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}


class Choices(Part):
    """Everything that a policy sets and a rollout may set inside the policy's guardrails."""

    stages: list[Stage] | None = Field(default=None, min_length=1, max_length=10, json_schema_extra=STAGES)
    metrics: list[Metric] | None = Field(default=None, min_length=1, max_length=20, json_schema_extra=METRICS)
    mode: Literal["Enforce", "Observe"] | None = None
    gate: Literal["Admission", "AlwaysPaused"] | None = None
    alpha_revert: Decimal | None = Field(default=None, description="Error budget of false reverts.")
    evidence: Evidence | None = None
    weights: KindWeights | None = None
    window_weights: WindowWeights | None = None
    history: Duration | None = None
    warm_up: int | None = Field(default=None, ge=0, le=40, description="Bins.")
    blackout: int | None = Field(default=None, ge=0, le=20, description="Bins.")
    min_completeness: Percent | None = None
    arms: Arms | None = None
    ready_timeout: Duration | None = None
    blocked_timeout: Duration | None = None
    bake: Duration | None = None
    rollback_window: Duration | None = None
    on_inconclusive: Literal["Pause", "Revert"] | None = None


class RolloutSpec(Choices):
    """What an application team writes."""

    model_config = rules(
        ("self.targetRef == oldSelf.targetRef", "targetRef cannot be changed; make another CausalRollout")
    )

    target_ref: Reference = Field(description="The Deployment that is released.")
    policy_ref: Reference | None = Field(default=None, description="The RolloutPolicy whose defaults apply.")
    traffic: Traffic
    suspend: bool | None = Field(default=None, description="No new release starts and no traffic rises.")


class Guardrails(Part):
    """What a rollout can tighten and never loosen."""

    max_alpha_revert: Decimal | None = None
    min_stage_duration: Duration | None = None
    required_metrics: list[Name] | None = Field(default=None, max_length=20)


class PolicySpec(Part):
    """What a platform team sets once."""

    defaults: Choices | None = None
    guardrails: Guardrails | None = None
