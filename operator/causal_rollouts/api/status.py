"""The rollout's status: kstatus conditions and the few words of the printer columns.

The same view always renders to the same bytes, so a converged rollout is never
written; a transition time moves only when a condition's status flips.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from causal_rollouts.model.world import Json

AT_MOST = 4000
"""Bytes of a whole status: the summary of a release, never its log."""

LENGTHS = (900, 600, 400, 250, 150, 80, 40, 20)
"""Characters of one text, tried in turn until the whole fits."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition before it has a time."""

    type: str
    status: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class StatusView:
    """What a pass has to say. failed: the release ended badly or cannot run. running: a release is under way.

    supported, evidence, traffic, footprint, notices: (holds, reason, message), None where there is nothing
    to say. notified: (channel, id) of the newest notice that is settled.
    queued: the release waits for others; since when is this condition's own time.
    metrics: a line for each metric. outcome: how the newest release ended.
    """

    phase: str
    reason: str
    message: str
    running: bool
    failed: bool
    release: str = ""
    step: str = ""
    weight: str = ""
    verdict: str = ""
    effect: str = ""
    pending_spec: bool = False
    record: str = ""
    seq: int = 0
    supported: tuple[bool, str, str] | None = None
    evidence: tuple[bool, str, str] | None = None
    traffic: tuple[bool, str, str] | None = None
    footprint: tuple[bool, str, str] | None = None
    outcome: str = ""
    metrics: tuple[str, ...] = ()
    queued: bool = False
    notices: tuple[bool, str, str] | None = None
    notified: tuple[tuple[str, str], ...] = ()


def notified(status: Json) -> tuple[tuple[str, str], ...]:
    """(channel, id) of the newest settled notices, as a status holds them."""
    return tuple((str(line.get("channel")), str(line.get("id"))) for line in _list(status.get("notified")))


def render(old: Json, generation: int, now: float, view: StatusView) -> Json:
    """The status to be written; equal to `old` when nothing changed."""
    kept = {str(c["type"]): c for c in _list(old.get("conditions")) if "type" in c}
    made: Json = {}
    for longest in LENGTHS:
        made = _status(kept, generation, now, view, longest)
        if len(json.dumps(made, ensure_ascii=False).encode()) <= AT_MOST:
            break
    return made


def _status(
    kept: Mapping[str, Mapping[str, object]], generation: int, now: float, view: StatusView, longest: int
) -> Json:
    plain: dict[str, object] = {
        "observedGeneration": generation,
        "phase": view.phase,
        "release": view.release,
        "step": view.step,
        "weight": view.weight,
        "verdict": view.verdict,
        "effect": shorten(view.effect, longest),
        "outcome": view.outcome,
        "message": shorten(view.message, longest),
        "pendingSpec": view.pending_spec,
        "metrics": [shorten(line, longest) for line in view.metrics],
        "record": {"name": view.record, "seq": view.seq} if view.record else None,
        "notified": [{"channel": channel, "id": at} for channel, at in view.notified],
        "conditions": [
            _timed(condition, kept.get(condition.type), generation, now, longest)
            for condition in _conditions(view)
        ],
    }
    return {name: value for name, value in plain.items() if value or name == "observedGeneration"}


def shorten(text: str, longest: int = LENGTHS[0]) -> str:
    """At most so many characters; what was cut is marked."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _conditions(view: StatusView) -> Iterator[Condition]:
    """Ready always; Reconciling and Stalled only while true (kstatus reads them so)."""
    ready = "False" if view.failed else "Unknown" if view.running else "True"
    yield Condition("Ready", ready, view.reason, view.message)
    if view.running:
        yield Condition("Reconciling", "True", view.reason, view.message)
    if view.failed:
        yield Condition("Stalled", "True", view.reason, view.message)
    if view.queued:
        yield Condition("Queued", "True", view.reason, view.message)
    for kind, found in (
        ("Supported", view.supported),
        ("EvidenceValid", view.evidence),
        ("TrafficApplied", view.traffic),
        ("FootprintSteady", view.footprint),
        ("Notified", view.notices),
    ):
        if found is not None:
            holds, reason, message = found
            yield Condition(kind, "True" if holds else "False", reason, message)


def _timed(
    condition: Condition, before: Mapping[str, object] | None, generation: int, now: float, longest: int
) -> dict[str, object]:
    same = before is not None and before.get("status") == condition.status
    when = (before.get("lastTransitionTime") if same and before else None) or _stamp(now)
    return {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": shorten(condition.message, longest),
        "lastTransitionTime": when,
        "observedGeneration": generation,
    }


def _stamp(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _list(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
