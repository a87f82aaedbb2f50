"""`plan`: what a release could show at this traffic, told before it begins."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from causal_rollouts.analysis.past import NoPast
from causal_rollouts.analysis.plan import ASSUMED, Detectable, MetricPlan, Plan, StagePlan, plan, told
from causal_rollouts.analysis.plan_form import plain
from causal_rollouts.analysis.plan_knobs import Shortfall
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.ground import Ground, ground
from causal_rollouts.cli.printing import as_json, say, table
from causal_rollouts.model.metrics import Gating, MetricKind

STAGES = ("STAGE", "WEIGHT", "CANARY", "BASELINE", "PURE CONTROLS", "MINUTES", "HALF GO ON AFTER", "GO ON")
CAUGHT = ("METRIC", "BUDGET", "NATS", "STAGE", "NOISE", "CAUGHT HALF", "CAUGHT 95%")
FATES = ("METRIC", "EFFECT", "REVERTED", "PAUSED", "PROMOTED", "MEDIAN TO REVERT")


async def run(asked: argparse.Namespace, _: object) -> Exit:
    """Print the plan."""
    found = await ground(asked)
    try:
        made = plan(found.registration, found.past)
    except NoPast as error:
        raise Stopped(str(error), Exit.USAGE) from error
    say(as_json({"name": found.name} | plain(made)) if asked.output == "json" else _text(found, made))
    return Exit.OK


def _text(found: Ground, made: Plan) -> str:
    history = f"{made.history_minutes:.0f} min of {found.source}"
    lines = [
        f"{found.name}: {made.pods} pods on {made.nodes} node(s), {history}.",
        "",
        table(STAGES, (_stage(i, stage) for i, stage in enumerate(made.stages, start=1))),
        "",
        *_fallbacks(made),
        *_besides(made),
        _harmless(made),
        "",
        table(CAUGHT, (row for metric in made.metrics for row in _caught(metric))),
        "",
        "What becomes of a release that is otherwise good:",
        table(FATES, (row for metric in made.metrics for row in _fates(metric))),
        "",
        *_missing(made),
        *(f"- {line}" for line in ASSUMED),
    ]
    return "\n".join(lines)


def _besides(made: Plan) -> Iterator[str]:
    """What takes time beside the stages."""
    if made.pre_period_minutes:
        yield f"Before that both arms run the stable version for {made.pre_period_minutes:g} min."
    if made.probe_minutes:
        yield f"Should everybody get worse, a probe takes {made.probe_minutes:g} min to see who does it."


def _fallbacks(made: Plan) -> Iterator[str]:
    """A warning for the first stage that leaves too few pure controls; later ones leave no more."""
    for number, stage in enumerate(made.stages, start=1):
        if stage.fallback:
            yield f"Warning: stage {number} leaves {stage.fallback}."
            yield ""
            return


def _harmless(made: Plan) -> str:
    words = f"A release that changes nothing: promoted {made.promoted:.0%}"
    if made.minutes is not None:
        words += f" (half of them within {made.minutes[0]:.0f} min, 90% within {made.minutes[1]:.0f})"
    return f"{words}, paused {made.paused:.0%}, reverted {made.reverted:.1%} (allowed {made.alpha:.2%})."


def _stage(number: int, stage: StagePlan) -> tuple[str, ...]:
    return (
        str(number),
        f"{stage.weight:g}%",
        str(stage.canaries),
        f"{stage.baselines} ({stage.baseline_weight:g}%)",
        f"{stage.controls} on {stage.pure} node{'' if stage.pure == 1 else 's'}",
        f"{stage.min_minutes:g} to {stage.max_minutes:g}",
        "never" if stage.after is None else f"{stage.after:.0f} min",
        f"{stage.goes_on:.0%}",
    )


def _caught(metric: MetricPlan) -> Iterator[tuple[str, ...]]:
    for number, one in enumerate(metric.stages, start=1):
        first = number == 1
        nats = "-" if metric.threshold is None else f"{metric.threshold:.1f}"
        yield (
            metric.name if first else "",
            f"{metric.share:.1%}" if first else "",
            nats if first else "",
            str(number),
            _noise(one),
            _size(metric.kind, one.half),
            _size(metric.kind, one.almost),
        )


def _noise(one: Detectable) -> str:
    if one.sd is not None:
        return f"sd {one.sd:.1%}"
    if one.expected is None:
        return "-"
    return "hardly an event" if one.expected < 0.05 else f"{one.expected:.3g} events"


def _fates(metric: MetricPlan) -> Iterator[tuple[str, ...]]:
    for fate in metric.fates:
        yield (
            metric.name,
            _size(metric.kind, fate.effect),
            f"{fate.reverted:.0%}",
            f"{fate.paused:.0%}",
            f"{fate.promoted:.0%}",
            "-" if fate.minutes is None else f"{fate.minutes:.0f} min",
        )


def _missing(made: Plan) -> Iterator[str]:
    """What is out of reach, and what would bring it into reach."""
    yield from (_shortfall(one) for one in made.shortfalls)
    if not any(metric.gating is Gating.BOTH for metric in made.metrics):
        yield "metrics: none gates, so no evidence lets traffic rise; set gating: Both on one"
    if made.shortfalls:
        yield ""


def _shortfall(one: Shortfall) -> str:
    what = (
        f"{one.name}: evidence of safety comes for {one.share:.0%} of good releases"
        if one.promotion
        else f"{one.name}: {_size(one.kind, told(one.kind, one.effect))} is caught in {one.share:.0%}"
    )
    if not one.turns:
        return (
            f"Unreachable: {what}. The design cannot see it: it takes stable pods beside a canary and two "
            "nodes without one; no setting of the policy helps, more nodes do."
        )
    enough = [f"{turn.setting} {turn.value} ({turn.share:.0%})" for turn in one.turns if turn.reached]
    short = [f"{turn.setting} {turn.value} ({turn.share:.0%})" for turn in one.turns if not turn.reached]
    helps = f"enough would be: {'; or '.join(enough)}" if enough else "no single setting is enough"
    return f"Unreachable: {what}. {helps[0].upper()}{helps[1:]}." + (
        f" Not enough: {', '.join(short)}." if short else ""
    )


def _size(kind: MetricKind, effect: float | None) -> str:
    if effect is None:
        return "nothing"
    return f"{effect:.2g}/h" if kind is MetricKind.RESTARTS else f"{effect:+.0%}"
