"""A release's record as a recording: what was decided in a cluster can be decided again without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from causal_rollouts.analysis.manifest import manifest, registration
from causal_rollouts.analysis.recording import Recording, Run
from causal_rollouts.analysis.rows import BadRecording
from causal_rollouts.evidence.framing import history_start
from causal_rollouts.model.glances import KEPT
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.telemetry import Look, Series
from causal_rollouts.model.traffic import NOWHERE
from causal_rollouts.ports import Record

LOOK = 2
"""Bins between two looks."""

SPARE = 10
"""Bins before the history, so that its first counters meet their predecessors."""

SILENT = "no answer at that time"
"""What stands for the words of a source that did not answer: a record does not keep them."""


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when samples are needed, in seconds since the epoch."""

    start: float
    end: float


def window(record: Record, now: float) -> Window:
    """Samples of a release from its history to its end, or to now where it still runs.

    Raises:
        BadRecording: it has not looked yet.
    """
    reg = record.registration
    instants = [*(glance.time for glance in record.glances), *(c.time for c in record.release.timeline)]
    if not instants:
        raise BadRecording(f'"{record.name}" has not looked at anything yet; record it once it has')
    first = history_start(reg, reg.grid.index(min(instants))) - SPARE
    return Window(reg.grid.start(first), record.release.since if record.final else now)


def recording_of(record: Record, series: tuple[Series, ...], source: str, within: Window) -> Recording:
    """The recording. source: where the samples came from. within: looks outside of it are left out.

    Without the times of its looks (records of an older operator) a replay looks by the clock.

    Raises:
        BadRecording: no stage has begun, or what was registered cannot be written as a manifest.
    """
    reg, release = record.registration, record.release
    timeline = tuple(change for change in release.timeline if change.time <= within.end)
    if all(change.stage is None for change in timeline):
        raise BadRecording(f'"{record.name}" has not begun its first stage; record it once it has')
    looks = tuple(look for look in _looks(record, within.end) if within.start <= look.time <= within.end)
    wanted = {name for metric in reg.metrics for name in metric.reads}
    named = manifest(reg)
    named["metadata"] = {"name": record.key.name, "namespace": record.key.namespace}
    found = Recording(
        manifest=named,
        pods=tuple(pod for pod in release.pods if pod.created <= within.end),
        timeline=timeline,
        run=Run(reg.grid, reg.seed, reg.release, source=source, scatter=reg.scatter),
        series=tuple(one for one in series if one.labels.get("__name__") in wanted),
        looks=looks or None,
        approvals=release.approvals,
        moments=tuple(one for one in record.moments if one.time <= within.end),
    )
    if _gated(registration(found)) != _gated(reg):
        raise BadRecording(
            f'"{record.name}" registered what this version cannot write as a manifest; '
            "use the version that wrote the record"
        )
    return found


def each_once(fetched: Mapping[tuple[str, ...], tuple[Series, ...]]) -> tuple[Series, ...]:
    """Series by the names that were asked for together, each once: a footprint asks for requests again.

    Twins that one answer holds stay two, since the evidence must see that they are.
    """
    found: list[Series] = []
    known: set[str] = set()
    for names, series in fetched.items():
        found += [one for one in series if one.labels.get("__name__") not in known]
        known |= set(names)
    return tuple(found)


def complete(record: Record) -> bool:
    """Whether the record holds the time of every look; one of a very long release does not."""
    return 0 < len(record.glances) < KEPT


def _looks(record: Record, end: float) -> Iterator[Look]:
    """As they were; after the last that a full record holds, by the clock."""
    grid, consumed = record.registration.grid, None
    for glance in record.glances:
        newest = grid.last_look(glance.time)
        if glance.away:
            yield Look(glance.time, newest, SILENT)
            continue
        late = 0 if consumed is None else max(0, newest - consumed - LOOK)
        yield Look(glance.time, newest, late_bins=late)
        consumed = newest
    if len(record.glances) >= KEPT and consumed is not None:
        yield from (Look(grid.final_at(k), k) for k in range(consumed + LOOK, grid.last_look(end) + 1, LOOK))


def _gated(reg: Registration) -> Registration:
    """What the evidence and the rules depend on: the route does not matter to them."""
    return replace(reg, traffic=NOWHERE)
