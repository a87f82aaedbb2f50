"""What the changes of weights mean in bins: when something is watched, and which bins a move spoils.

What a timeline knows of the time after the bin that is asked for is not used.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from causal_rollouts.evidence.tables import Schedule
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.switchback import Standing, standing
from causal_rollouts.model.traffic import DISTURBED, HOME, Change

FOREVER = 2**62
"""A bin that does not come: asks a timeline for all it knows."""


def watched_from(grid: Grid, timeline: Sequence[Change], now: int) -> int | None:
    """First bin of what is being watched at `now`: the first stage once it has begun, else a pre-period.

    None before both, and between them while the pods are replaced.
    """
    if starts := stage_starts(grid, timeline, now):
        return starts[0]
    legs = _legs(change for change in timeline if grid.after(change.time) <= now)
    return grid.after(legs[-1].time) if legs and _watches(legs[-1]) else None


def first_move(grid: Grid, timeline: Sequence[Change]) -> int | None:
    """First bin after weights were moved at all: until then there were no arms."""
    moved = _moves(timeline)
    return grid.after(moved[0].time) if moved else None


def pre_period(grid: Grid, timeline: Sequence[Change], now: int) -> tuple[int, int] | None:
    """Bins [first, end) of the pre-period that was over before the first stage, None without one."""
    begun = [change for change in timeline if grid.after(change.time) <= now]
    if not any(change.stage is not None for change in begun):
        return None
    found = None
    for change, after in pairwise(begun):
        if change.stage is not None:
            break
        if _watches(change):
            found = grid.after(change.time), grid.index(after.time)
    return found


def probe_at(grid: Grid, timeline: Iterable[Change], now: int) -> Standing | None:
    """The probe that runs at `now`."""
    return standing(grid, [change for change in timeline if grid.after(change.time) <= now])


def stage_starts(grid: Grid, timeline: Iterable[Change], now: int) -> list[int]:
    """First bin of every stage that has begun, up to `now`."""
    starts: dict[int, int] = {}
    for change in timeline:
        if change.stage is not None:
            starts.setdefault(change.stage, grid.after(change.time))
    return sorted(start for start in starts.values() if start <= now)


def until_stable(grid: Grid, timeline: Iterable[Change], now: int) -> int | None:
    """Bin from which promotion replaces the stable pods, None before."""
    starts = [grid.after(c.time) for c in timeline if c.phase == Phase.PROMOTING]
    return min((start for start in starts if start <= now), default=None)


def schedule(reg: Registration, timeline: Sequence[Change], time: float) -> Schedule:
    """Stage (or pre-period) and weights in force at `time`."""
    grid = reg.grid
    past = [change for change in timeline if change.time <= time]
    legs = _legs(past)
    first = None
    if legs and (legs[-1].stage is not None or _watches(legs[-1])):
        first = grid.after(legs[-1].time)
    moved = _moves(past)
    if not moved:
        return Schedule(first, 0, 0.0)
    _, end = _blackout(reg, moved[-1])
    weights = moved[-1].weights
    return Schedule(first, end, weights.share(Arm.CANARY), weights.share(Arm.BASELINE))


def excluded(reg: Registration, timeline: Sequence[Change], now: int) -> frozenset[int]:
    """Bins up to `now` that a change of weights touches, or somebody else's weights."""
    spans = [_blackout(reg, change) for change in _moves(timeline)]
    foreign = [(a, b) for a, b in pairwise(timeline) if a.phase == DISTURBED]
    spans += [(reg.grid.index(a.time), reg.grid.after(b.time)) for a, b in foreign]
    return frozenset(at for first, end in spans for at in range(first, min(end, now + 1)))


def _watches(change: Change) -> bool:
    """A pre-period begins; under the same phase weights may be home again, for it to begin anew."""
    return change.stage is None and change.phase == Phase.PRE_PERIOD and change.weights != HOME


def _legs(timeline: Iterable[Change]) -> list[Change]:
    """The change that began each stretch: a pre-period, the way home from it, or a stage."""
    legs: list[Change] = []
    for change in timeline:
        same = legs and change.stage is not None and change.stage == legs[-1].stage
        if not same and (change.stage is not None or change.phase in {Phase.PRE_PERIOD, Phase.REPLACING}):
            legs.append(change)
    return legs


def _moves(timeline: Iterable[Change]) -> list[Change]:
    """The changes that moved weights."""
    held, moves = HOME, []
    for change in timeline:
        if change.weights != held:
            moves.append(change)
        held = change.weights
    return moves


def _blackout(reg: Registration, change: Change) -> tuple[int, int]:
    """Bins [first, end) that the time after a change of weights touches."""
    width = reg.grid.width
    first = reg.grid.index(change.time)
    return first, math.ceil((change.time + reg.times.blackout * width) / width)
