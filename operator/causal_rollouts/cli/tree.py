"""One rollout as a tree that fits into 80 columns: where it stands, its arms, its evidence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from causal_rollouts.cli.bar import Bar
from causal_rollouts.cli.knowledge import Known, known
from causal_rollouts.cli.pace import counted, until_safe, until_step
from causal_rollouts.cli.printing import age
from causal_rollouts.cli.standing import Standing, State
from causal_rollouts.cli.terminal import Line, Tone
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.evidence import SUSPICION
from causal_rollouts.model.percent import of_traffic
from causal_rollouts.model.reasons import Phase
from causal_rollouts.ports import Record

TONES = {State.FAILED: Tone.BAD, State.STALLED: Tone.BAD, State.REQUESTED: Tone.WAITS, State.IDLE: Tone.GOOD}
WAITING = frozenset({Phase.PAUSED, Phase.AWAITING_APPROVAL})
LEGEND = "| no change   ! harm margin   : safe margin"
UNKNOWN = "not known yet"
LAST = 6
"""Decisions shown."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A line and what hangs below it."""

    line: Line
    below: tuple[Branch, ...] = ()


def tree(seen: Standing, now: float, *, signs: bool, wide: bool = False) -> list[Line]:
    """The whole picture. signs: beyond ASCII. wide: with pods by name and node."""
    root = Branch(Line(_title(seen), _tone(seen)), tuple(_branches(seen, now, signs=signs, wide=wide)))
    return list(_lines(root, signs=signs))


def progress(record: Record, now: float) -> str:
    """Of the stage: time against minDuration and maxDuration; "" outside of one."""
    release = record.release
    if record.final or release.phase not in {Phase.OBSERVING, Phase.AWAITING_APPROVAL}:
        return ""
    stage = record.registration.stages[release.stage]
    clock, valid = now - (release.stage_since or release.since), counted(release, now)
    share = max(0.0, min(1.0, valid / stage.max_duration))
    least = f"min {age(stage.min_duration)}{' passed' if clock >= stage.min_duration else ''}"
    return f"[{'#' * round(20 * share):.<20}] {age(valid)}, {least}, max {age(stage.max_duration)}"


def measured(metric: Known) -> str:
    """What the evidence of one metric says against what it must reach."""
    reading = metric.reading
    if metric.stick.gates:
        return f"safety {_nats(reading.safe) or 'none'} of {metric.needed:.1f} nats"
    harm = _nats(reading.harm)
    return f"{metric.stick.gating}, {f'harm {harm} nats' if harm else 'no harm seen'}"


def _nats(evidence: float) -> str:
    # Adding zero: a person wonders about -0.0.
    return f"{round(evidence, 1) + 0.0:.1f}" if math.isfinite(evidence) else ""


def _title(seen: Standing) -> str:
    step, _, of = seen.step.partition("/")
    stage = f", stage {step} of {of}" if of and step != "0" else ""
    return f"{seen.name}  {seen.phase}{stage}  (namespace {seen.namespace})"


def _tone(seen: Standing) -> Tone:
    waits = seen.record is not None and seen.record.release.phase in WAITING
    return TONES.get(seen.state, Tone.WAITS if waits else Tone.PLAIN)


def _branches(seen: Standing, now: float, *, signs: bool, wide: bool) -> Iterator[Branch]:
    record = seen.record
    since = f", in this phase for {age(now - seen.since)}" if seen.since else ""
    if record is not None:
        yield Branch(Line(f"release {record.name}{since}"))
    yield Branch(Line(f"because {seen.message}"))
    if seen.verdict:
        yield Branch(Line(f"verdict {seen.verdict}"))
    yield Branch(
        Line(f"weights canary {seen.canary:g}%, baseline {seen.baseline:g}%, stable {seen.stable:g}%")
    )
    if record is None:
        return
    if seen.state is State.RUNNING:
        yield from _stages(record, now)
        yield from (_arm(record, arm, wide=wide) for arm in (Arm.STABLE, Arm.CANARY, Arm.BASELINE))
    yield from _beside(record)
    yield from _evidence(record, now, signs=signs)
    if wide:
        yield from _decisions(record, now)


def _stages(record: Record, now: float) -> Iterator[Branch]:
    ladder = [
        f"[{of_traffic(stage.weight)}]" if i == record.release.stage else of_traffic(stage.weight)
        for i, stage in enumerate(record.registration.stages)
    ]
    so_far = progress(record, now)
    yield Branch(Line(f"stages  {' '.join(ladder)}"), (Branch(Line(so_far)),) if so_far else ())


def _arm(record: Record, arm: Arm, *, wide: bool) -> Branch:
    """The fleet in one number; of the others each slot, in one line where nobody asks for more."""
    pods = sorted(
        (pod for pod in record.release.pods if pod.arm is arm and pod.deleted is None),
        key=lambda pod: (len(pod.slot), pod.slot),
    )
    ready = sum(pod.ready is not None for pod in pods)
    title = Line(
        f"{arm}  {ready} of {len(pods)} pods ready", Tone.PLAIN if ready == len(pods) else Tone.WAITS
    )
    if arm is Arm.STABLE:
        return Branch(title)
    return Branch(title, tuple(Branch(Line(_pod(pod, wide=wide))) for pod in pods))


def _pod(pod: Pod, *, wide: bool) -> str:
    state = "ready" if pod.ready is not None else "not ready"
    return f"{pod.slot}  {state}" + (f"  {pod.name} on {pod.node or 'no node yet'}" if wide else "")


def _beside(record: Record) -> Iterator[Branch]:
    """Other releases that ran when the newest stage began."""
    for other in record.beside:
        if other.stage == record.release.stage:
            shares = ", ".join((*other.nodes, *other.routes)) or "nothing"
            yield Branch(Line(f"beside  {other.rollout} {other.release or '-'} shares {shares}"))


def _evidence(record: Record, now: float, *, signs: bool) -> Iterator[Branch]:
    metrics = known(record)
    if not metrics:
        return
    spent, budget = record.trace[-1].log_harm, -math.log(record.registration.alpha)
    harm = (
        f"harm {spent:.1f} of the {budget:.1f} nats that revert" if math.isfinite(spent) else "no harm seen"
    )
    yield Branch(
        Line(f"evidence  {harm}", Tone.BAD if spent >= budget else Tone.PLAIN),
        (*(_metric(record, metric, signs=signs) for metric in metrics), Branch(Line(LEGEND))),
    )
    if record.release.phase is Phase.OBSERVING and not record.final:
        span = until_step(record, now)
        yield Branch(Line(f"until the next step  {span or UNKNOWN}"))


def _metric(record: Record, metric: Known, *, signs: bool) -> Branch:
    reading, stick = metric.reading, metric.stick
    bar = Bar(reading.effect, reading.lower, reading.upper, stick.harm, stick.safe).drawn(signs=signs)
    span = until_safe(record, metric) if metric.missing and not record.final else None
    expected = f", {span or UNKNOWN}" if metric.missing and not record.final else ""
    tone = Tone.PLAIN
    if reading.harm >= SUSPICION:
        tone = Tone.BAD
    elif stick.gates and not metric.missing:
        tone = Tone.GOOD
    return Branch(
        Line(f"{metric.name:<10.20} {bar} {metric.effect}", tone),
        (Branch(Line(f"{measured(metric)}{expected}")),),
    )


def _decisions(record: Record, now: float) -> Iterator[Branch]:
    rows = [
        Branch(Line(f"{age(now - d.time)} ago  {d.decision.act} {d.decision.reason}: {d.decision.because}"))
        for d in record.decisions[-LAST:]
    ]
    if rows:
        yield Branch(Line("decisions"), tuple(rows))


def _lines(root: Branch, *, signs: bool) -> Iterator[Line]:
    yield root.line
    yield from _hanging(root.below, "", ("├── ", "└── ", "│   ") if signs else ("|-- ", "`-- ", "|   "))


def _hanging(below: Sequence[Branch], lead: str, corners: tuple[str, str, str]) -> Iterator[Line]:
    for i, branch in enumerate(below):
        last = i + 1 == len(below)
        yield Line(f"{lead}{corners[last]}{branch.line.text}", branch.line.tone)
        yield from _hanging(branch.below, lead + ("    " if last else corners[2]), corners)
