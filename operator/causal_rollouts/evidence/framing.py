"""From pods and changes of weights to the frame that the statistics read.

What a roster or a timeline knows of the time after `now` is not used, so that a
replay, which knows everything, sees what the operator saw.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from causal_rollouts.evidence.frame import Frame, Unit
from causal_rollouts.evidence.timeline import (
    excluded,
    pre_period,
    probe_at,
    stage_starts,
    until_stable,
    watched_from,
)
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.segment import Axis
from causal_rollouts.model.traffic import Change

LEAST_PAST = 10
"""Warm bins that a stable pod needs before the first stage to be a unit; fewer say nothing of its level."""


@dataclass(frozen=True, slots=True)
class Known:
    """What earlier looks fixed: the first stage, units and exposure. A unit never leaves."""

    t0: int | None = None
    units: tuple[Unit, ...] = ()
    exposed: tuple[tuple[str, int], ...] = ()

    def holds(self, grid: Grid, timeline: Sequence[Change], now: int) -> bool:
        """False once another thing is watched: the release after its pre-period, or that one anew."""
        return self.t0 is None or self.t0 == watched_from(grid, timeline, now)


def framing(
    reg: Registration, pods: Sequence[Pod], timeline: Sequence[Change], now: int, known: Known
) -> Frame:
    """The frame up to and with bin `now`."""
    grid = reg.grid
    starts = stage_starts(grid, timeline, now)
    t0 = known.t0 if known.t0 is not None else watched_from(grid, timeline, now)
    stable = _stable(reg, pods, now, t0, known)
    slots = _slots(grid, pods, now, known)
    return Frame(
        units=(*stable, *slots),
        t0=t0,
        windows=tuple(dict.fromkeys((t0, *(s for s in starts if s > t0)))) if t0 is not None else (),
        planned=len(reg.stages),
        exposed=_exposed(grid, pods, now, t0, known),
        excluded=excluded(reg, timeline, now),
        until_stable=until_stable(grid, timeline, now),
        now=now,
        warm_up=reg.times.warm_up,
        twins=t0 is not None and not starts,
        before=pre_period(grid, timeline, now),
        probe=probe_at(grid, timeline, now),
    )


def as_of(frame: Frame, now: int) -> Frame:
    """The frame of a metric whose bins were consumed up to `now` only."""
    if now >= frame.now:
        return frame
    return replace(frame, now=now, windows=tuple(s for s in frame.windows if s <= now))


def part_of(frame: Frame, metric: Metric, pods: Iterable[Pod]) -> Frame:
    """The frame of a metric: of a zone or a kind of machine only its units, each by its newest pod."""
    segment = metric.segment
    if segment is None or segment.axis is Axis.LABEL:
        return frame
    places = {
        pod.slot: pod.zone if segment.axis is Axis.ZONE else pod.machine
        for pod in sorted(pods, key=lambda p: (p.created, p.uid))
    }
    return replace(frame, units=tuple(u for u in frame.units if places.get(u.id) == segment.value))


def moves(grid: Grid, pods: Iterable[Pod], after: int, until: int) -> tuple[int, ...]:
    """Bins in (after, until] from which a slot stands on another node than before."""
    found: set[int] = set()
    where: dict[str, str] = {}
    for pod in sorted(pods, key=lambda p: (p.created, p.uid)):
        at = _ready(grid, pod, until)
        if pod.arm is Arm.STABLE or at is None:
            continue
        if where.setdefault(pod.slot, pod.node) != pod.node:
            found.add(at)
        where[pod.slot] = pod.node
    return tuple(sorted(at for at in found if at > after))


def history_start(reg: Registration, t0: int) -> int:
    """First bin of the pre-period of a release whose first stage begins at t0."""
    return t0 - math.floor(reg.times.history / reg.grid.width)


def _ready(grid: Grid, pod: Pod, now: int) -> int | None:
    """Bin in which a pod became ready, None if it did not up to `now`."""
    if pod.ready is None or grid.index(pod.ready) > now:
        return None
    return grid.index(pod.ready)


def _gone(grid: Grid, pod: Pod, now: int) -> int | None:
    if pod.deleted is None or grid.index(pod.deleted) > now:
        return None
    return grid.index(pod.deleted)


def _stable(
    reg: Registration, pods: Iterable[Pod], now: int, t0: int | None, known: Known
) -> tuple[Unit, ...]:
    """Stable pods with a past that were there when the first stage began, by name."""
    grid = reg.grid
    mine = {pod.slot: pod for pod in pods if pod.arm is Arm.STABLE}
    fixed = [unit for unit in known.units if unit.arm is Arm.STABLE]
    if fixed:
        left = {unit.id: _gone(grid, pod, now) for unit in fixed if (pod := mine.get(unit.id)) is not None}
        return tuple(
            unit if left.get(unit.id, unit.gone) == unit.gone else replace(unit, gone=left[unit.id])
            for unit in fixed
        )
    begin = now + 1 if t0 is None else t0
    units = []
    for slot in sorted(mine):
        pod = mine[slot]
        ready, gone = _ready(grid, pod, now), _gone(grid, pod, now)
        old = ready is not None and ready + reg.times.warm_up + LEAST_PAST <= begin
        if ready is not None and old and (gone is None or gone >= begin):
            units.append(Unit(slot, Arm.STABLE, pod.node, ready, gone))
    return tuple(units)


def _slots(grid: Grid, pods: Iterable[Pod], now: int, known: Known) -> tuple[Unit, ...]:
    """Slots of both arms, in the order in which they became ready; each on the node of its newest pod."""
    ready: dict[str, list[tuple[int, Pod]]] = {}
    for pod in pods:
        at = _ready(grid, pod, now)
        if pod.arm is not Arm.STABLE and at is not None:
            ready.setdefault(pod.slot, []).append((at, pod))
    old = {unit.id: unit for unit in known.units if unit.arm is not Arm.STABLE}
    units = {}
    for slot, mine in ready.items():
        newest = max(mine, key=lambda pair: (pair[1].created, pair[1].uid))[1]
        first = old[slot].ready if slot in old else min(at for at, _ in mine)
        units[slot] = Unit(slot, newest.arm, newest.node, first)
    fresh = sorted((u for slot, u in units.items() if slot not in old), key=lambda u: (u.ready, u.id))
    return (*(units.get(slot, unit) for slot, unit in old.items()), *fresh)


def _exposed(grid: Grid, pods: Iterable[Pod], now: int, t0: int | None, known: Known) -> Mapping[str, int]:
    """Nodes on which a canary was ever ready, and from when that counts."""
    if t0 is None:
        return {}
    exposed = dict(known.exposed)
    for pod in pods:
        at = _ready(grid, pod, now)
        if pod.arm is Arm.CANARY and at is not None:
            exposed[pod.node] = min(exposed.get(pod.node, now + 1), max(at, t0))
    return exposed
