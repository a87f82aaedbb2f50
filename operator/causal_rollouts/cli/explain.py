"""`explain NAME`: the last decision, why it was taken, and what is missing, in plain words."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from causal_rollouts.analysis.cost import costs
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.knowledge import Known, known
from causal_rollouts.cli.meanings import MEANINGS, Meaning
from causal_rollouts.cli.printing import DATA, age, as_data, say
from causal_rollouts.cli.standing import Standing, State, standing
from causal_rollouts.cli.untested import untested
from causal_rollouts.model.metrics import MetricKind
from causal_rollouts.model.percent import percent
from causal_rollouts.model.reasons import Act, Phase, Reason
from causal_rollouts.ports import Record, Rollout
from causal_rollouts.web import segments
from causal_rollouts.web.footprints import footprints, lines, plain_cost, recorded_prices

KINDS = ("Supported", "EvidenceValid", "TrafficApplied", "FootprintSteady")
FOOTPRINT = MetricKind.FOOTPRINT
TITLES = (
    ("Not as it should be:", "wrong"),
    ("What is known:", "metrics"),
    ("Parts of it:", "segments"),
    ("What it uses, which reverts nothing:", "footprints"),
    ("Missing for the next step:", "missing"),
    ("Not tested:", "untested"),
)


async def run(asked: argparse.Namespace, reach: Callable[[], AbstractAsyncContextManager[Cluster]]) -> Exit:
    """Print it."""
    async with reach() as cluster:
        seen = await standing(cluster, asked.name)
        told = explained(seen, await cluster.rollout(asked.name), cluster.time.now())
        data = asked.output in DATA
        say(as_data({**seen.plain(), **told}, asked.output) if data else _text(seen, told))
    return Exit.OK


def explained(seen: Standing, rollout: Rollout, now: float) -> dict[str, object]:
    """The parts of the answer."""
    record, said = seen.record, str(rollout.condition("Ready").get("reason") or "")
    reason = _reason(seen, said)
    meaning = MEANINGS[reason] if reason else Meaning("")
    running = record is not None and seen.state is State.RUNNING
    return {
        "reason": str(reason or said),
        "meaning": meaning.what,
        "because": seen.message,
        "metrics": [_metric(m) for m in known(record) if m.stick.kind is not FOOTPRINT] if record else [],
        "segments": list(segments.lines(record)) if record else [],
        "footprints": lines(record) if record else [],
        "costs": _costs(record) if record else [],
        "missing": _missing(record, now) if record and running else [],
        "untested": untested(record) if record and record.trace else [],
        "wrong": _wrong(rollout, seen.message) if running or seen.state is State.STALLED else [],
        "fix": meaning.fix,
    }


def _costs(record: Record) -> list[dict[str, object]]:
    return [plain_cost(one) for one in costs(footprints(record), recorded_prices(record))]


def _reason(seen: Standing, said: str) -> Reason | None:
    """Of a running release what its status says now; of one that ended, why it ended."""
    if seen.state is State.STALLED:
        return Reason.INVALID_SPEC
    ending = seen.record is not None and seen.record.release.outcome is not None
    if seen.state is State.RUNNING and not ending and said in set(Reason):
        return Reason(said)
    if seen.record is None or seen.state is State.REQUESTED:
        return None
    taken = [line.decision for line in seen.record.decisions]
    acted = [d.reason for d in taken if d.act in {Act.REVERT, Act.END, Act.PROMOTE}]
    return acted[-1] if acted else None


def _metric(metric: Known) -> str:
    text = f"{metric.name} {metric.effect}{metric.stick.note and f' ({metric.stick.note})'}"
    if not metric.stick.gates:
        return f"{text}; can revert, need not show that it is safe"
    margin = f"harm below {percent(metric.stick.safe)}"
    if metric.missing:
        so_far = f"{metric.reading.safe:.1f}" if math.isfinite(metric.reading.safe) else "none yet"
        return f"{text}; evidence for {margin}: {so_far} of {metric.needed:g} nats"
    return f"{text}; enough evidence for {margin}"


def _missing(record: Record, now: float) -> list[str]:
    """What stands between the release and its next step."""
    release = record.release
    if release.phase not in {Phase.OBSERVING, Phase.AWAITING_APPROVAL}:
        return []
    stage = record.registration.stages[release.stage]
    clock = now - (release.stage_since or release.since)
    out = [_lacks(m) for m in known(record) if m.missing]
    if clock < stage.min_duration:
        out.append(f"minDuration: {age(stage.min_duration - clock)} more in this stage")
    if not release.usable:
        out.append("a valid window of measurements")
    if not release.share_ok:
        out.append("requests that are seen to follow the weights")
    return out


def _wrong(rollout: Rollout, said: str) -> list[str]:
    """Conditions that do not hold, in their own words, unless these were said already."""
    found = [(kind, rollout.condition(kind)) for kind in KINDS]
    told = [(kind, str(one.get("message"))) for kind, one in found if one.get("status") == "False"]
    return [f"{kind}: {message}" for kind, message in told if message != said]


def _lacks(metric: Known) -> str:
    amount = f"{metric.missing:.1f} nats more" if math.isfinite(metric.missing) else "any"
    return f"{metric.name}: {amount} evidence for safety"


def _text(seen: Standing, told: dict[str, object]) -> str:
    parts = [
        seen.line().removesuffix(f": {seen.message}"),
        str(told["meaning"]),
        f"Because: {told['because']}",
    ]
    for title, name in TITLES:
        lines = told[name]
        if isinstance(lines, list) and lines:
            parts.append("\n".join([title, *(f"  {line}" for line in lines)]))
    if told["fix"]:
        parts.append(f"What you can do: {told['fix']}")
    return "\n".join(part for part in parts if part)
