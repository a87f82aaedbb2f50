"""Walking the ladder of stages, many times at once: which releases go up, which go home, which wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.plan_design import Design, Glance
from causal_rollouts.analysis.plan_outlook import Learned, Track
from causal_rollouts.analysis.plan_reach import Outlook, Reach
from causal_rollouts.evidence.frame import Frame
from causal_rollouts.model.metrics import Gating
from causal_rollouts.stats.power import found_by

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SCOUTS = 400
"""Paths by which the begin of the next stage is found."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The looks of all stages and the outlook of each question over them.

    A stage ends, for the next to begin, when half of the releases that change nothing would go on. used:
    looks that come before that end; those behind it tell of releases that take longer.
    """

    glances: tuple[Glance, ...]
    used: tuple[bool, ...]
    outlooks: tuple[Outlook, ...]
    frames: tuple[Frame, ...]
    """At the last look of each stage."""

    def of_stage(self, stage: int) -> list[int]:
        """Columns of the looks of a stage."""
        return [i for i, glance in enumerate(self.glances) if glance.stage == stage]

    def until(self, stage: int) -> list[int]:
        """Columns on the way to the end of a stage: those used before it, and all of its own."""
        return [
            i
            for i, glance in enumerate(self.glances)
            if glance.stage == stage or (glance.stage < stage and self.used[i])
        ]


@dataclass(frozen=True, slots=True)
class Walked:
    """What became of each path. seconds: to its end, in the stages alone; stage: the last it saw.

    last_seconds: of them those in that stage.
    """

    reverted: Bools
    promoted: Bools
    seconds: Floats
    last_seconds: Floats
    stage: NDArray[np.int64]

    @property
    def paused(self) -> Bools:
        """Neither: time ran out."""
        stays: Bools = ~(self.reverted | self.promoted)
        return stays


def climb(design: Design, learned: Sequence[Learned], most: int, seed: int) -> Ladder:
    """Build the ladder, stage after stage. most: looks that are computed in each."""
    tracks = [Track.of(one, design.t0) for one in learned]
    begin = design.t0
    glances: list[Glance] = []
    used: list[bool] = []
    frames: list[Frame] = []
    parts: list[tuple[Outlook, ...]] = []
    for stage in range(len(design.reg.stages)):
        design = design.risen(begin)
        ahead = design.glances(most)
        steps = list(_looked(design, tracks, ahead))
        outlooks = _joined([outlook for outlook, _, _ in steps])
        last = stage == len(design.reg.stages) - 1
        end = len(ahead) - 1 if last else _half_way(outlooks, ahead, seed)
        frames.append(steps[-1][2])
        tracks = steps[end][1]
        begin = design.past.grid.index(design.past.grid.final_at(ahead[end].bin)) + 1
        tracks = [track.to(design, design.frame(begin - 1)) for track in tracks]
        glances += ahead
        used += [i <= end for i in range(len(ahead))]
        parts.append(outlooks)
    return Ladder(tuple(glances), tuple(used), _joined(parts), tuple(frames))


def _looked(
    design: Design, tracks: Sequence[Track], ahead: Sequence[Glance]
) -> list[tuple[tuple[Outlook, ...], list[Track], Frame]]:
    steps = []
    for glance in ahead:
        frame = design.frame(glance.bin)
        tracks = [track.to(design, frame) for track in tracks]
        found = tuple(o for track in tracks for o in track.glance(design.reg, frame))
        steps.append((found, list(tracks), frame))
    return steps


def _joined(parts: Sequence[tuple[Outlook, ...]]) -> tuple[Outlook, ...]:
    whole = parts[0]
    for part in parts[1:]:
        whole = tuple(a.then(b) for a, b in zip(whole, part, strict=True))
    return whole


def _half_way(outlooks: Sequence[Outlook], ahead: Sequence[Glance], seed: int) -> int:
    """The look by which half of the releases that change nothing go on; the last where never so many do."""
    reaches = draw(outlooks, SCOUTS, seed)
    passing = _passes(outlooks, reaches, {}, list(range(len(ahead))), ahead, last=False)
    share = np.maximum.accumulate(passing, axis=1).mean(axis=0)
    enough = np.flatnonzero(share >= 0.5)
    return int(enough[0]) if len(enough) else len(ahead) - 1


def draw(outlooks: Sequence[Outlook], paths: int, seed: int) -> tuple[Reach, ...]:
    """Paths of chance for every question, independent between questions; the same for the same seed."""
    return tuple(outlook.reach(paths, np.random.default_rng([seed, i])) for i, outlook in enumerate(outlooks))


def walk(ladder: Ladder, reaches: Sequence[Reach], effects: Mapping[str, float]) -> Walked:
    """Every path up the ladder. effects: logarithms by name of the question; the rest changes nothing.

    Kind: model. Looks are those of the ladder; a path that takes longer in a stage than half of them finds
    the next one as they do.
    """
    paths = len(reaches[0].caught)
    there = np.ones(paths, dtype=np.bool_)
    reverted, promoted = np.zeros((2, paths), dtype=np.bool_)
    seconds, spent, seen = np.zeros(paths), np.zeros(paths), np.zeros(paths, dtype=np.int64)
    stages = ladder.glances[-1].stage + 1
    for stage in range(stages):
        at = ladder.of_stage(stage)
        ages = np.array([ladder.glances[i].age for i in at])
        harmed = _first(_harmed(ladder.outlooks, reaches, effects, at))
        last = stage == stages - 1
        passing = _passes(ladder.outlooks, reaches, effects, at, ladder.glances, last=last)
        moved = _first(passing)
        seen[there] = stage
        home = there & (harmed <= moved) & (harmed < len(at))
        on = there & (moved < harmed)
        ending = np.minimum(np.minimum(harmed, moved), len(at) - 1)
        spent = np.where(there, ages[ending], spent)
        seconds += np.where(there, spent, 0.0)
        reverted |= home
        if last:
            promoted = on
        there = on
    return Walked(reverted, promoted, seconds, spent, seen)


def least_caught(ladder: Ladder, reach: Reach, stage: int) -> Floats:
    """Of each path the smallest effect that is reverted by the end of a stage, if it gets there."""
    found: Floats = found_by(reach.caught[:, ladder.until(stage)])
    return found


def _harmed(
    outlooks: Sequence[Outlook], reaches: Sequence[Reach], effects: Mapping[str, float], at: list[int]
) -> Bools:
    harmed = np.zeros((len(reaches[0].caught), len(at)), dtype=np.bool_)
    for outlook, reach in zip(outlooks, reaches, strict=True):
        if outlook.gating is not Gating.REPORT_ONLY:
            harmed |= reach.caught[:, at] <= effects.get(outlook.name, outlook.nothing)
    return harmed


def _passes(
    outlooks: Sequence[Outlook],
    reaches: Sequence[Reach],
    effects: Mapping[str, float],
    at: list[int],
    glances: Sequence[Glance],
    *,
    last: bool,
) -> Bools:
    ripe = np.array([glances[i].ripe for i in at])
    passing = np.broadcast_to(ripe, (len(reaches[0].caught), len(at))).copy()
    gating = False
    for outlook, reach in zip(outlooks, reaches, strict=True):
        effect = effects.get(outlook.name, outlook.nothing)
        if outlook.gating is not Gating.REPORT_ONLY:
            passing &= reach.suspects[:, at] > effect
        if outlook.gating is Gating.BOTH:
            gating = True
            limit = np.minimum(reach.promotes if last else reach.advances, reach.agrees)[:, at]
            passing &= limit >= effect
    return passing if gating else np.zeros_like(passing)


def _first(happens: Bools) -> NDArray[np.int64]:
    """Index of the first look at which it happens, the number of looks where it never does."""
    index: NDArray[np.int64] = np.where(happens.any(axis=1), happens.argmax(axis=1), happens.shape[1])
    return index
