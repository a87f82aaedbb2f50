"""What a rollout really runs with: its own words, the policy's defaults, then the built-in ones.

Everything that is wrong is said at once, each with its field and what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from causal_rollouts.api import v1alpha1 as v1
from causal_rollouts.api.freeze import windows_of
from causal_rollouts.api.guardrails import loosened
from causal_rollouts.api.ladder import beyond_pods, stages_of
from causal_rollouts.api.layers import Layers, Origin, effective, layered, said
from causal_rollouts.api.metrics import metric_of
from causal_rollouts.api.notifications import subscriptions
from causal_rollouts.api.problems import Problem, Unresolvable, problems_of
from causal_rollouts.api.segments import segments_of, too_many
from causal_rollouts.api.units import decimal, fraction, seconds
from causal_rollouts.api.v1alpha1_policy import Concurrency, Guardrails, PolicySpec
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.crowd import UNLIMITED, Limits
from causal_rollouts.model.freeze import Window
from causal_rollouts.model.metrics import Metric, MetricKind
from causal_rollouts.model.reference import Reference, ReferenceKind
from causal_rollouts.model.registration import (
    ArmsPlan,
    Budget,
    Mode,
    OnInconclusive,
    Registration,
    Times,
)
from causal_rollouts.model.switchback import Switchback
from causal_rollouts.model.traffic import TrafficPlan
from causal_rollouts.model.world import Json

__all__ = ["Problem", "Resolved", "Unresolvable", "resolve"]

RECORDS = 50
"""Final records kept of a rollout whose policy says nothing."""

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Resolved:
    """effective: each setting with the value in force and where it came from.

    limits, kept_records: as the policy has them now; they are no part of what a release registers.
    """

    registration: Registration
    traffic: TrafficPlan
    target: str
    gate: str
    suspend: bool
    effective: Json
    limits: Limits = UNLIMITED
    kept_records: int = RECORDS


def resolve(
    spec: Json, policy: Json | None, *, namespace: str, release: str, seed: int, grid: Grid
) -> Resolved:
    """The registration that a release beginning now would have.

    Raises:
        Unresolvable: with every problem found.
    """
    rollout = _parse(v1.RolloutSpec, spec, "spec")
    rules = _parse(PolicySpec, policy or {}, "RolloutPolicy.spec")
    layers = layered(rollout, rules.defaults)
    traffic = _traffic(rollout)
    if traffic.workers:
        # They cannot be without work for the length of a leg: where a probe is due they wait.
        layers = layers.ruled("probe", "None", Origin.TRAFFIC)
    choices = _parse(v1.Choices, layers.merged, "spec")
    metrics, segments, problems = _metrics(choices, layers)
    windows, wrong = _windows(choices, layers, rules)
    problems += [*wrong, *loosened(rules, choices, layers)]
    if rollout.traffic.pod_share is not None:
        problems += beyond_pods(choices.stages or [], layers.field("stages"))
    if problems:
        raise Unresolvable(tuple(problems))
    made = _registration(rollout, choices, metrics, (namespace, release, seed, grid), rules.guardrails)
    told = subscriptions(rules.notifications or [])
    registration = replace(made, traffic=traffic, freeze=windows, segments=segments, notifications=told)
    return Resolved(
        registration=registration,
        traffic=traffic,
        target=registration.target,
        gate=str(choices.gate),
        suspend=bool(rollout.suspend),
        effective=effective(layers, choices, rules),
        limits=_limits(rules.guardrails),
        kept_records=rules.retention.records if rules.retention else RECORDS,
    )


def _parse(model: type[M], raw: Json, field: str) -> M:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise Unresolvable(problems_of(error, field)) from None


def _metrics(
    choices: v1.Choices, layers: Layers
) -> tuple[tuple[Metric, ...], tuple[Metric, ...], list[Problem]]:
    """(metrics, their segments, what is wrong with them)."""
    found: list[Metric] = []
    parts: list[Metric] = []
    problems: list[Problem] = []
    where = layers.field("metrics")
    for i, metric in enumerate(choices.metrics or []):
        try:
            found.append(metric_of(metric, f"{where}[{i}]"))
            parts += segments_of(metric, found[-1])
        except Unresolvable as error:
            problems += error.problems
    problems += too_many(parts, where)
    return tuple(found), tuple(parts), problems


def _limits(guardrails: Guardrails | None) -> Limits:
    given = (guardrails.concurrency if guardrails else None) or Concurrency()
    return Limits(given.namespace_limit or 0, given.cluster_limit or 0, bool(given.forbid_overlap))


def _windows(
    choices: v1.Choices, layers: Layers, rules: PolicySpec
) -> tuple[tuple[Window, ...], list[Problem]]:
    """The windows chosen and those of the guardrails: a rollout can add to these and never take one away."""
    bound = (rules.guardrails.freeze if rules.guardrails else None) or []
    listed = {layers.field("freeze"): choices.freeze or [], "RolloutPolicy.spec.guardrails.freeze": bound}
    found: tuple[Window, ...] = ()
    problems: list[Problem] = []
    for where, freezes in listed.items():
        try:
            found += windows_of(freezes, where)
        except Unresolvable as error:
            problems += error.problems
    return found, problems


def _registration(
    rollout: v1.RolloutSpec,
    choices: v1.Choices,
    metrics: tuple[Metric, ...],
    identity: tuple[str, str, int, Grid],
    guardrails: Guardrails | None,
) -> Registration:
    namespace, release, seed, grid = identity
    return Registration(
        release=release,
        namespace=namespace,
        target=rollout.target_ref.name,
        seed=seed,
        grid=grid,
        stages=stages_of(choices.stages or [], guardrails),
        metrics=metrics,
        arms=_arms(choices, pod_share=rollout.traffic.pod_share is not None),
        budget=_budget(choices),
        times=_times(choices),
        min_completeness=fraction(str(choices.min_completeness)),
        mode=Mode(str(choices.mode)),
        on_inconclusive=OnInconclusive(str(choices.on_inconclusive)),
        probe=_probe(choices),
        reference=_reference(rollout.reference),
    )


def _reference(given: v1.Outside | None) -> Reference | None:
    return None if given is None else Reference(ReferenceKind(given.kind), given.name)


def _traffic(rollout: v1.RolloutSpec) -> TrafficPlan:
    named = {"HTTPRoute": rollout.traffic.http_routes, "GRPCRoute": rollout.traffic.grpc_routes}
    routes = tuple((kind, route.name) for kind, listed in named.items() for route in listed or ())
    return TrafficPlan(rollout.traffic.service or "", routes, target=rollout.target_ref.name)


def _number(value: object, read: Callable[[str], float] = decimal) -> float:
    return read(str(value))


def _arms(choices: v1.Choices, *, pod_share: bool) -> ArmsPlan:
    arms = choices.arms or v1.Arms()
    return ArmsPlan(
        min_pods=arms.min_pods or ArmsPlan().min_pods,
        baseline_ratio=_number(arms.baseline_ratio),
        baseline_max_share=10 * (arms.baseline_max_share or 20),
        pre_period=_number(arms.pre_period, seconds),
        pod_share=pod_share,
    )


def _budget(choices: v1.Choices) -> Budget:
    weights = said(choices.weights) if choices.weights else {}
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


def _probe(choices: v1.Choices) -> Switchback | None:
    plan = choices.switchback
    if plan is None or choices.probe != "Switchback":
        return None
    return Switchback(
        after=int(plan.after or 0),
        probes=int(plan.probes or 1),
        cycles=int(plan.cycles or 0),
        shortest=int(plan.shortest or 0),
        longest=int(plan.longest or 0),
        share=_number(plan.budget),
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
