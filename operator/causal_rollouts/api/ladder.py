"""The stages of a manifest to those of a registration, with the approvals and holds of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from causal_rollouts.api.problems import Problem
from causal_rollouts.api.units import seconds
from causal_rollouts.api.v1alpha1_policy import Guardrails, RequiredApproval
from causal_rollouts.api.v1alpha1_stages import HEAVIEST_OF_PODS, Approval, Hold, Stage
from causal_rollouts.model import registration as model

PLAIN = model.Stage(0, 0.0, 0.0)


def stages_of(stages: Sequence[Stage], guardrails: Guardrails | None) -> tuple[model.Stage, ...]:
    """All stages. A stage that says nothing of approvals has those that the guardrail asks for."""
    return tuple(_stage(stage, stage.approval or demanded(stage, guardrails)) for stage in stages)


def beyond_pods(stages: Sequence[Stage], where: str) -> Iterator[Problem]:
    """Weights that podShare cannot give, also those of a policy. where: the field they come from."""
    for i, stage in enumerate(stages):
        if stage.weight > HEAVIEST_OF_PODS:
            what = f"{stage.weight} is above {HEAVIEST_OF_PODS}, the most that podShare can give"
            fix = f"give spec.stages of their own that end at {HEAVIEST_OF_PODS} or below, like 10 and 30"
            yield Problem(f"{where}[{i}].weight", what, fix)
            return


def demanded(stage: Stage, guardrails: Guardrails | None) -> RequiredApproval | None:
    """What the guardrail asks for at this stage."""
    rule = guardrails.approval if guardrails else None
    return rule if rule is not None and stage.weight >= (rule.from_weight or 0) else None


def lasting(approval: Approval | Hold) -> float:
    """Seconds that a person's word counts."""
    return seconds(approval.expires) if approval.expires else PLAIN.approval_expires


def _stage(stage: Stage, approval: Approval | None) -> model.Stage:
    return model.Stage(
        10 * stage.weight,
        seconds(stage.min_duration),
        seconds(stage.max_duration),
        approvals=approval.required if approval else 0,
        approval_expires=lasting(approval) if approval else PLAIN.approval_expires,
        hold_before=_hold(stage.hold_before),
        hold_after=_hold(stage.hold_after),
    )


def _hold(hold: Hold | None) -> model.Hold | None:
    if hold is None:
        return None
    return model.Hold(tuple(hold.by), lasting(hold))
