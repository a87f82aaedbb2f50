"""What a platform team does not let a rollout loosen.

Judged on the values in force, whoever said them, so that a policy that
contradicts itself is told too. Every problem names the guardrail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from causal_rollouts.api.ladder import demanded, lasting
from causal_rollouts.api.layers import Layers, in_force
from causal_rollouts.api.problems import Problem
from causal_rollouts.api.units import decimal, fraction, seconds
from causal_rollouts.api.v1alpha1 import Choices
from causal_rollouts.api.v1alpha1_metrics import Footprint, Metric
from causal_rollouts.api.v1alpha1_policy import Guardrails, PolicySpec

_MARGINS = ("revertAbove", "promoteBelow", "revertAbovePoints", "promoteBelowPoints")
_GATING = ("ReportOnly", "RevertOnly", "Both")
"""From weak to strong."""


def loosened(policy: PolicySpec, choices: Choices, layers: Layers) -> Iterator[Problem]:
    """Each attempt to be laxer than the policy allows."""
    if policy.guardrails is None:
        return
    yield from _alpha(policy.guardrails, choices, layers)
    yield from _stages(policy.guardrails, choices, layers)
    yield from _approvals(policy.guardrails, choices, layers)
    yield from _probes(policy.guardrails, choices, layers)
    given = {m.name: m for m in (policy.defaults.metrics if policy.defaults else None) or []}
    mine = {m.name: (i, m) for i, m in enumerate(choices.metrics or [])}
    where = layers.field("metrics")
    for name in policy.guardrails.required_metrics or []:
        if name not in mine:
            yield Problem(where, f'"{name}" is missing, the guardrail requiredMetrics asks for it', "add it")
            continue
        index, metric = mine[name]
        yield from _weaker(metric, given.get(name), f"{where}[{index}]")


def _alpha(guardrails: Guardrails, choices: Choices, layers: Layers) -> Iterator[Problem]:
    most, chosen = guardrails.max_alpha_revert, choices.alpha_revert
    if most is not None and chosen is not None and decimal(chosen) > decimal(most):
        what = f"{chosen} is above the guardrail maxAlphaRevert"
        yield Problem(layers.field("alphaRevert"), what, f"use {most} or less")


def _stages(guardrails: Guardrails, choices: Choices, layers: Layers) -> Iterator[Problem]:
    least = guardrails.min_stage_duration
    for i, stage in enumerate(choices.stages or []):
        if least is not None and seconds(stage.min_duration) < seconds(least):
            what = f"{stage.min_duration} is below the guardrail minStageDuration"
            yield Problem(f"{layers.field('stages')}[{i}].minDuration", what, f"use {least} or more")


def _approvals(guardrails: Guardrails, choices: Choices, layers: Layers) -> Iterator[Problem]:
    """Fewer people than the guardrail asks for, or words that count for longer."""
    for i, stage in enumerate(choices.stages or []):
        rule, mine = demanded(stage, guardrails), stage.approval
        where = f"{layers.field('stages')}[{i}].approval"
        if rule is None or mine is None:
            continue
        if mine.required < rule.required:
            what = f"{mine.required} is below the guardrail approval"
            yield Problem(f"{where}.required", what, f"use {rule.required} or more, or leave it out")
        if rule.expires and lasting(mine) > lasting(rule):
            what = f"{mine.expires or '24h'} is above the guardrail approval"
            yield Problem(f"{where}.expires", what, f"use {rule.expires} or less")


def _probes(guardrails: Guardrails, choices: Choices, layers: Layers) -> Iterator[Problem]:
    plan, most, longest = choices.switchback, guardrails.max_probes, guardrails.max_probe_bins
    if choices.probe != "Switchback" or plan is None:
        return
    if most == 0:
        yield Problem(layers.field("probe"), "Switchback is forbidden by the guardrail maxProbes", "use None")
        return
    if most is not None and plan.probes is not None and plan.probes > most:
        what = f"{plan.probes} is above the guardrail maxProbes"
        yield Problem(layers.field("switchback.probes"), what, f"use {most} or less")
    bins = (plan.cycles or 0) * ((plan.shortest or 0) + (plan.longest or 0))
    if longest is not None and bins > longest:
        what = f"a probe of {bins} bins is above the guardrail maxProbeBins"
        fix = f"lower cycles, shortest or longest until cycles x (shortest + longest) is at most {longest}"
        yield Problem(layers.field("switchback.cycles"), what, fix)


def _weaker(mine: Metric, given: Metric | None, where: str) -> Iterator[Problem]:
    """A required metric that is there in name only. given: as the policy defines it, or None."""
    because = "the guardrail requiredMetrics does not let it be weaker"
    if mine.footprint is not None and (given is None or given.footprint is not None):
        yield from _roomier(mine.footprint, given.footprint if given else None, where, because)
        return
    if given is None:
        if in_force(mine)["gating"] == "ReportOnly":
            yield Problem(f"{where}.gating", f"ReportOnly: {because}", "use RevertOnly or Both")
        return
    if mine.sources != given.sources:
        source = "".join(given.sources)
        yield Problem(
            where, f"is measured by {''.join(mine.sources)}, not {source}: {because}", f"give {source}"
        )
        return
    chosen, allowed = in_force(mine), in_force(given)
    if _GATING.index(str(chosen["gating"])) < _GATING.index(str(allowed["gating"])):
        fix = f"use {allowed['gating']}"
        yield Problem(f"{where}.gating", f"{chosen['gating']} acts less than the policy's: {because}", fix)
    yield from _wider(chosen, allowed, where, because)
    yield from _fewer(mine, given, where, because)


def _fewer(mine: Metric, given: Metric, where: str, because: str) -> Iterator[Problem]:
    """Segments that revert by the policy, and are missing here or only report."""
    acting, wanted = (set(_acting(metric)) for metric in (mine, given))
    for cut, value in sorted(wanted - acting):
        what = f"{cut}={value} does not revert: {because}"
        yield Problem(f"{where}.segments", what, "add it with gating: RevertOnly")


def _acting(metric: Metric) -> Iterator[tuple[str, str]]:
    for cut in metric.segments or []:
        if cut.gating == "RevertOnly":
            yield from ((cut.label or str(cut.node), value) for value in cut.values)


def _roomier(mine: Footprint, given: Footprint | None, where: str, because: str) -> Iterator[Problem]:
    """More headroom than the policy's, or less done about it. A required one must state some."""
    field = f"{where}.footprint"
    allowed = given.headroom if given else None
    if mine.headroom is None and (allowed is not None or given is None):
        yield Problem(f"{field}.headroom", f"is missing: {because}", f"use {allowed or 'a share like 30%'}")
    elif mine.headroom is not None and allowed is not None and fraction(mine.headroom) > fraction(allowed):
        what = f"{mine.headroom} is wider than the policy's: {because}"
        yield Problem(f"{field}.headroom", what, f"use {allowed} or less")
    if given is not None and given.over_headroom == "Hold" and mine.over_headroom != "Hold":
        yield Problem(f"{field}.overHeadroom", f"acts less than the policy's: {because}", "use Hold")


def _wider(
    chosen: Mapping[str, object], allowed: Mapping[str, object], where: str, because: str
) -> Iterator[Problem]:
    for name in (name for name in _MARGINS if name in allowed):
        if fraction(str(chosen[name])) > fraction(str(allowed[name])):
            what = f"{chosen[name]} is wider than the policy's: {because}"
            yield Problem(f"{where}.{name}", what, f"use {allowed[name]} or less")
