"""What a rollout really runs with: its own words, the policy's defaults, then the built-in ones.

Everything that is wrong is said at once, each with its field and what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from causal_rollouts.api import v1alpha1 as v1
from causal_rollouts.api.defaults import DEFAULTS
from causal_rollouts.api.metrics import metric_of
from causal_rollouts.api.problems import Problem, Unresolvable
from causal_rollouts.api.units import decimal, fraction, seconds
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.metrics import MetricKind
from causal_rollouts.model.registration import (
    ArmsPlan,
    Budget,
    Mode,
    OnInconclusive,
    Registration,
    Stage,
    Times,
)
from causal_rollouts.model.traffic import TrafficPlan
from causal_rollouts.model.world import Json

__all__ = ["Problem", "Resolved", "Unresolvable", "resolve"]

M = TypeVar("M", bound=BaseModel)
_NESTED = ("evidence", "weights", "windowWeights", "arms")


@dataclass(frozen=True, slots=True)
class Resolved:
    """effective: each setting with the value in force and where it came from."""

    registration: Registration
    traffic: TrafficPlan
    target: str
    gate: str
    suspend: bool
    effective: Json


def resolve(
    spec: Json, policy: Json | None, *, namespace: str, release: str, seed: int, grid: Grid
) -> Resolved:
    """The registration that a release beginning now would have.

    Raises:
        Unresolvable: with every problem found.
    """
    rollout = _parse(v1.RolloutSpec, spec, "spec")
    rules = _parse(v1.PolicySpec, policy or {}, "RolloutPolicy.spec")
    own = {k: v for k, v in _plain(rollout).items() if k in DEFAULTS}
    given = _plain(rules.defaults) if rules.defaults else {}
    merged, origin = _merge(own, given)
    choices = _parse(v1.Choices, merged, "spec")
    problems: list[Problem] = _guard(rules.guardrails, choices)
    registration = _registration(rollout, choices, problems, namespace, release, seed, grid)
    if problems or registration is None:
        raise Unresolvable(tuple(problems))
    return Resolved(
        registration=registration,
        traffic=registration.traffic,
        target=rollout.target_ref.name,
        gate=str(choices.gate),
        suspend=bool(rollout.suspend),
        effective={name: {"value": merged[name], "from": origin[name]} for name in sorted(merged)},
    )


def _parse(model: type[M], raw: Json, field: str) -> M:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise Unresolvable(
            tuple(
                Problem(f"{field}.{'.'.join(str(p) for p in e['loc'])}", e["msg"], "correct the value")
                for e in error.errors()
            )
        ) from None


def _plain(model: BaseModel) -> dict[str, object]:
    return model.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)


def _merge(
    own: Mapping[str, object], given: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, str]]:
    merged: dict[str, object] = {}
    origin: dict[str, str] = {}
    for name, default in DEFAULTS.items():
        layers = [(own.get(name), "rollout"), (given.get(name), "policy"), (default, "default")]
        said = [(value, source) for value, source in layers if value is not None]
        merged[name], origin[name] = said[0]
        if name in _NESTED:
            nested: dict[str, object] = {}
            for value, _ in reversed(said):
                nested |= value if isinstance(value, dict) else {}
            merged[name] = nested
    return merged, origin


def _guard(guardrails: v1.Guardrails | None, choices: v1.Choices) -> list[Problem]:
    """A rollout may tighten what the policy guards, never loosen it."""
    if guardrails is None:
        return []
    out: list[Problem] = []
    if guardrails.max_alpha_revert and choices.alpha_revert:
        most = decimal(guardrails.max_alpha_revert)
        if decimal(choices.alpha_revert) > most:
            fix = f"use {guardrails.max_alpha_revert} or less"
            out.append(Problem("spec.alphaRevert", "is above the guardrail maxAlphaRevert", fix))
    if guardrails.min_stage_duration:
        least = seconds(guardrails.min_stage_duration)
        for i, stage in enumerate(choices.stages or []):
            if seconds(stage.min_duration) < least:
                field = f"spec.stages[{i}].minDuration"
                fix = f"use {guardrails.min_stage_duration} or more"
                out.append(Problem(field, "is below the guardrail minStageDuration", fix))
    names = {m.name for m in choices.metrics or []}
    out += [
        Problem("spec.metrics", f'lacks "{name}", required by the guardrail requiredMetrics', "add it")
        for name in guardrails.required_metrics or []
        if name not in names
    ]
    return out


def _registration(
    rollout: v1.RolloutSpec,
    choices: v1.Choices,
    problems: list[Problem],
    namespace: str,
    release: str,
    seed: int,
    grid: Grid,
) -> Registration | None:
    try:
        metrics = tuple(metric_of(m, f"spec.metrics[{i}]") for i, m in enumerate(choices.metrics or []))
    except Unresolvable as error:
        problems.extend(error.problems)
        return None
    try:
        return Registration(
            release=release,
            namespace=namespace,
            target=rollout.target_ref.name,
            seed=seed,
            grid=grid,
            stages=_stages(choices),
            metrics=metrics,
            arms=_arms(choices),
            budget=_budget(choices),
            times=_times(choices),
            min_completeness=fraction(str(choices.min_completeness)),
            mode=Mode(str(choices.mode)),
            on_inconclusive=OnInconclusive(str(choices.on_inconclusive)),
            traffic=TrafficPlan(
                rollout.traffic.service,
                tuple(("HTTPRoute", r.name) for r in rollout.traffic.http_routes),
                target=rollout.target_ref.name,
            ),
        )
    except ValueError as error:
        problems.append(Problem("spec", str(error), "correct the value"))
        return None


def _stages(choices: v1.Choices) -> tuple[Stage, ...]:
    return tuple(
        Stage(10 * s.weight, seconds(s.min_duration), seconds(s.max_duration)) for s in choices.stages or []
    )


def _number(value: object, read: Callable[[str], float] = decimal) -> float:
    return read(str(value))


def _arms(choices: v1.Choices) -> ArmsPlan:
    arms = choices.arms or v1.Arms()
    return ArmsPlan(
        min_pods=arms.min_pods or ArmsPlan().min_pods,
        baseline_ratio=_number(arms.baseline_ratio),
        baseline_max_share=10 * (arms.baseline_max_share or 20),
    )


def _budget(choices: v1.Choices) -> Budget:
    weights = _plain(choices.weights) if choices.weights else {}
    evidence = choices.evidence or v1.Evidence()
    windows = choices.window_weights or v1.WindowWeights()
    return Budget(
        alpha=_number(choices.alpha_revert),
        kinds=tuple((kind, _number(weights[kind.value])) for kind in MetricKind if kind.value in weights),
        first_window=_number(windows.first),
        advance=_number(evidence.advance),
        promote_continuous=_number(evidence.promote_continuous),
        promote_counts=_number(evidence.promote_counts),
    )


def _times(choices: v1.Choices) -> Times:
    return Times(
        history=_number(choices.history, seconds),
        warm_up=int(choices.warm_up or 0),
        blackout=int(choices.blackout or 0),
        ready_timeout=_number(choices.ready_timeout, seconds),
        blocked_timeout=_number(choices.blocked_timeout, seconds),
        bake=_number(choices.bake, seconds),
        rollback_window=_number(choices.rollback_window, seconds),
    )
