"""Releases of the embedded world, played to their end once, and their recordings."""

from __future__ import annotations

from functools import cache

from causal_rollouts.adapters.record_form import record_of
from causal_rollouts.analysis.from_record import each_once, recording_of, window
from causal_rollouts.analysis.recording import Recording
from causal_rollouts.analysis.replay import replay
from causal_rollouts.analysis.replay_line import line
from causal_rollouts.api.plain import from_plain
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.telemetry import Series
from causal_rollouts.ports import Record, Scope
from e2e.embedded.world import EmbeddedWorld
from tests.unit.control.stories import NAMESPACE, tell


def recorded(world: EmbeddedWorld) -> tuple[Record, Recording]:
    """The newest release, as `record` would take it."""
    record = record_of(world.newest())
    within = window(record, world.api.time)
    scope = Scope(NAMESPACE, tuple(pod.name for pod in record.release.pods))
    found: dict[tuple[str, ...], tuple[Series, ...]] = {
        metric.reads: world.source.fetch(metric, scope, within.start, within.end)
        for metric in record.registration.metrics
    }
    return record, recording_of(record, each_once(found), "embedded", within)


def decided_again(world: EmbeddedWorld) -> int:
    """Each decision of the newest release is taken again to the bit; how many are on record."""
    record, recording = recorded(world)
    lines = {line.time: line for line in replay(recording)}
    for logged in record.decisions:
        told, decision = lines[logged.time], logged.decision
        evidence = from_plain(Evidence, logged.evidence) if logged.evidence else None
        live = line(told.time, told.bin, told.stage, told.weight, decision, decision.act, evidence)
        assert told == live
    return len(record.decisions)


@cache
def story(version: str, away: float = 0.0) -> EmbeddedWorld:
    told = tell()
    told.request(version)
    assert told.reach("Observing", stage=0)
    if away:
        told.world.metrics.away = "connection refused"
        told.run(away)
        told.world.metrics.away = ""
    told.end(1500)
    return told.world
