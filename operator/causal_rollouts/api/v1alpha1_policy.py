"""What a platform team writes: defaults, guardrails, how long the ledger is, and who is told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from causal_rollouts.api.forms import Duration, MetricLabel, Probability
from causal_rollouts.api.part import Part
from causal_rollouts.api.v1alpha1 import Choices, Windows
from causal_rollouts.api.v1alpha1_notifications import Notification
from causal_rollouts.api.v1alpha1_stages import HEAVIEST, Approval


class RequiredApproval(Approval):
    """People that must agree, whatever a rollout says."""

    from_weight: int | None = Field(
        default=None, ge=1, le=HEAVIEST, description="Stages of at least this weight; without it all."
    )


class Concurrency(Part):
    """How many releases may run at the same time; without a number any."""

    namespace_limit: int | None = Field(default=None, ge=1, le=1000, description="Releases of one namespace.")
    cluster_limit: int | None = Field(default=None, ge=1, le=1000, description="Releases of all namespaces.")
    forbid_overlap: bool | None = Field(
        default=None, description="None beside another that shares a node or a route with it."
    )


class Guardrails(Part):
    """What a rollout can tighten and never loosen."""

    max_alpha_revert: Probability | None = Field(default=None, description="Largest alphaRevert.")
    min_stage_duration: Duration | None = Field(default=None, description="Least minDuration of a stage.")
    max_probes: int | None = Field(
        default=None, ge=0, le=5, description="Most probes in one release; 0 forbids them."
    )
    max_probe_bins: int | None = Field(
        default=None,
        ge=1,
        le=2400,
        description="Most bins of one probe: cycles times shortest and longest together.",
    )
    required_metrics: Annotated[list[MetricLabel], Field(max_length=20)] | None = Field(
        default=None,
        description="Names of metrics that must be there, able to revert, with margins no wider.",
    )
    freeze: Windows | None = Field(
        default=None, description="Freeze windows that hold whatever a rollout says of its own."
    )
    approval: RequiredApproval | None = Field(
        default=None, description="People that must agree before a stage is left upwards."
    )
    concurrency: Concurrency | None = Field(
        default=None, description="Releases at the same time; a further one waits for its turn."
    )


class Retention(Part):
    """How long the ledger of a rollout is."""

    records: int = Field(
        ge=5, le=500, description="Final records kept for each rollout; older ones are deleted (default 50)."
    )


class PolicySpec(Part):
    """What a platform team sets once."""

    defaults: Choices | None = Field(
        default=None,
        description="What holds where a rollout is silent: any field of a rollout from stages to switchback.",
    )
    guardrails: Guardrails | None = None
    retention: Retention | None = Field(default=None, description="How many records are kept.")
    notifications: Annotated[list[Notification], Field(max_length=8)] | None = Field(
        default=None, description="Who is told of what; of several entries for a channel the first counts."
    )
