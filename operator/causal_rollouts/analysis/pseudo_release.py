"""A release that never was: old pods play canary and baseline, and the gate is asked what it makes of them.

Everything it sees was measured on the user's own service while nothing was
released, so whatever it reverts it would have reverted for nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from causal_rollouts.analysis.past import LEAST_PODS, NoPast, Past, bins_of, replicas_beside_arms
from causal_rollouts.analysis.replay import LOOK
from causal_rollouts.decision.allocation import Rung, allocate
from causal_rollouts.decision.decide import decide
from causal_rollouts.decision.situation import Facts, situate
from causal_rollouts.decision.stage_clock import clocked
from causal_rollouts.evidence.frame import Frame
from causal_rollouts.evidence.framing import LEAST_PAST, framing, history_start
from causal_rollouts.evidence.gate_state import blank
from causal_rollouts.evidence.tables import Tables
from causal_rollouts.evidence.timeline import schedule
from causal_rollouts.evidence.validity import LEAST_HISTORY
from causal_rollouts.evidence.weigh import weigh
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.assignment import assign, block_of
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.reasons import Act, Phase
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.release import PlannedSlot, Release
from causal_rollouts.model.telemetry import Look
from causal_rollouts.model.traffic import Change

BEFORE = 1.0
"""Seconds by which a slot is ready before its stage begins."""


class End(StrEnum):
    """How a pseudo-release ended. CUT: the history ended first."""

    REVERTED = "reverted"
    PAUSED = "paused"
    PROMOTED = "promoted"
    CUT = "cut short"


@dataclass(frozen=True, slots=True)
class PseudoEnd:
    """One pseudo-release: when it began, how it ended after so many seconds, and why.

    cause: of a revert the process that stood highest, else the reason of the decision.
    """

    begin: float
    end: End
    seconds: float
    stage: int
    cause: str
    placebo: bool


@dataclass(frozen=True, slots=True)
class Room:
    """Where pseudo-releases may begin: bins [earliest, latest], with a fleet of so many beside the arms."""

    earliest: int
    latest: int
    replicas: int


def room(reg: Registration, past: Past) -> Room:
    """The room that the past leaves.

    Raises:
        NoPast: too few pods for the arms, or too short a past for one history and one ladder.
    """
    there = len(past.frame(reg).units)
    replicas = replicas_beside_arms(reg, there)
    if not replicas:
        arms = allocate(reg.stages, reg.arms, LEAST_PODS)[-1]
        needed = LEAST_PODS + arms.canaries + arms.baselines
        raise NoPast(
            f"pods: {there} stable pods with a past cannot play both arms and leave a control, {needed} are "
            "needed; take a time with more replicas, or lower arms.minPods"
        )
    ladder = bins_of(sum(stage.min_duration for stage in reg.stages), reg.grid) + LOOK * len(reg.stages)
    latest = past.last - ladder
    full = past.first + bins_of(reg.times.history, reg.grid)
    # A shorter history than the policy's is fitted too, down to the gate's own least.
    earliest = full if full <= latest else past.first + LEAST_HISTORY + reg.times.warm_up
    if earliest > latest:
        least = (LEAST_HISTORY + reg.times.warm_up + ladder) * reg.grid.width / 60.0
        raise NoPast(
            f"history: {past.minutes:.0f} min before any release, at least {least:.0f} are needed for a "
            "history and the shortest ladder; give a longer time, or lower stages[].minDuration"
        )
    return Room(earliest, latest, replicas)


def pseudo_releases(reg: Registration, past: Past, runs: int, seed: int) -> Iterator[PseudoEnd]:
    """So many, each with its own start and its own draw of pods; the same for the same seed.

    Raises:
        NoPast: as `room`.
    """
    where = room(reg, past)
    for number in range(runs):
        luck = random.Random(f"pseudo-release/{seed}/{number}")
        begin = luck.randint(where.earliest, where.latest)
        yield _PseudoRelease(reg, past, where.replicas, begin, luck).run()


class _PseudoRelease:
    """One of them, looked at every second bin until it ends."""

    def __init__(self, reg: Registration, past: Past, replicas: int, begin: int, luck: random.Random) -> None:
        self._reg = replace(reg, seed=luck.getrandbits(31))
        self._past = past
        self._begin = begin
        self._rungs = allocate(reg.stages, reg.arms, replicas)
        self._slots, self._actors = _drawn(self._reg, past, self._rungs, begin, luck)
        playing = {pod.slot for pod in self._actors.values()}
        self._pods: tuple[Pod, ...] = tuple(pod for pod in past.pods if pod.slot not in playing)
        self._state = blank(reg.release)
        self._release = Release(reg.release, "b", "a", "", Phase.OBSERVING, 0.0, replicas=replicas)
        self._evidence: Evidence | None = None
        self._placebo = False

    def run(self) -> PseudoEnd:
        """Run it to its end, or to the end of the past."""
        grid = self._past.grid
        now: float = grid.start(self._begin)
        self._rise(0, now)
        for index in range(self._begin | 1, self._past.last + 1, LOOK):
            now = grid.final_at(index)
            decision = self._look(index, now)
            self._release = clocked(self._release, decision, now)
            match decision.act:
                case Act.REVERT:
                    worst = self._evidence.worst if self._evidence and self._evidence.harm else None
                    cause = worst.metric if worst else str(decision.reason)
                    return self._ended(End.REVERTED, now, cause)
                case Act.PAUSE:
                    return self._ended(End.PAUSED, now, str(decision.reason))
                case Act.PROMOTE:
                    return self._ended(End.PROMOTED, now, str(decision.reason))
                case Act.ADVANCE:
                    self._rise(self._release.stage + 1, now)
        return self._ended(End.CUT, now, "the history ended")

    def _rise(self, stage: int, now: float) -> None:
        """The slots of a stage are there, and its weights; no traffic moves, so none is waited for."""
        there = {pod.slot for pod in self._pods}
        new = [slot.id for slot in self._rungs[stage].slots if slot.id not in there]
        ready = now - BEFORE
        fresh = (
            replace(
                self._actors[slot],
                arm=Arm.CANARY if slot.startswith(Arm.CANARY) else Arm.BASELINE,
                slot=slot,
                created=ready,
                ready=ready,
            )
            for slot in new
        )
        self._pods = (*self._pods, *fresh)
        change = Change(now, stage, self._rungs[stage].weights, Phase.OBSERVING)
        self._release = replace(
            self._release,
            since=now,
            stage=stage,
            stage_since=now,
            invalid_since=None,
            invalid_seconds=0.0,
            timeline=(*self._release.timeline, change),
        )

    def _look(self, index: int, now: float) -> Decision:
        state, timeline = self._state, self._release.timeline
        frame = framing(self._reg, self._pods, timeline, index, state.known)
        settled = state.metrics and all(m.settled for m in state.metrics)
        t0 = frame.t0 if frame.t0 is not None else index + 1
        first = min(m.consumed for m in state.metrics) + 1 if settled else history_start(self._reg, t0)
        tables = self._tables(frame, max(first, self._past.first), now)
        # Places and ages are those of old pods that play the arms: no release would have put them there.
        evidence, self._state = weigh(self._reg, frame, tables, Look(now, index), state, pods=())
        # Nobody moved traffic, so there is no share of requests to hold against weights.
        self._evidence = replace(evidence, share=replace(evidence.share, ok=True))
        self._placebo |= evidence.contaminated
        return decide(situate(self._reg, self._release, self._evidence, Facts(), now))

    def _tables(self, frame: Frame, first: int, now: float) -> Tables:
        cast = [
            (unit, self._actors[unit.id].slot if unit.id in self._actors else unit.id) for unit in frame.units
        ]
        tables = {m.name: self._past.played(m.name, cast, first, frame) for m in self._reg.metrics}
        return Tables(tables, None, schedule(self._reg, self._release.timeline, now))

    def _ended(self, end: End, now: float, cause: str) -> PseudoEnd:
        begin = self._past.grid.start(self._begin)
        return PseudoEnd(begin, end, now - begin, self._release.stage, cause, self._placebo)


def _drawn(
    reg: Registration, past: Past, rungs: Sequence[Rung], begin: int, luck: random.Random
) -> tuple[tuple[PlannedSlot, ...], dict[str, Pod]]:
    """Nodes by the assignment law, stage after stage, and for each slot a pod that already runs there."""
    free = _there(reg, past, begin)
    nodes = {pod.node: block_of(pod.zone, pod.machine) for pod in free}
    slots: tuple[PlannedSlot, ...] = ()
    actors: dict[str, Pod] = {}
    for rung in rungs:
        new = [slot for slot in rung.slots if slot.id not in actors]
        planned = assign(reg.seed, nodes, slots, new)
        for one in planned[len(slots) :]:
            canary = {p.node for p in planned if p.slot.arm is Arm.CANARY}
            pod = _actor(free, one, canary, luck)
            free.remove(pod)
            actors[one.slot.id] = pod
        slots = planned
    return slots, actors


def _actor(free: Sequence[Pod], planned: PlannedSlot, canary: set[str], luck: random.Random) -> Pod:
    """A pod on the slot's node; where none is left, one on a node of the same block, and then any."""
    own = planned.slot.arm is Arm.CANARY
    for choice in (
        [pod for pod in free if pod.node == planned.node],
        [pod for pod in free if (pod.node in canary) is own],
        free,
    ):
        if choice:
            return luck.choice(list(choice))
    raise NoPast("pods: too few pods were there at once; take a time in which the fleet stood still")


def _there(reg: Registration, past: Past, begin: int) -> list[Pod]:
    """Pods old enough to be units at `begin` and still there."""
    grid, least = past.grid, reg.times.warm_up + LEAST_PAST
    return [
        pod
        for pod in sorted(past.pods, key=lambda pod: pod.slot)
        if pod.ready is not None
        and grid.index(pod.ready) + least <= begin
        and (pod.deleted is None or grid.index(pod.deleted) >= past.last)
    ]
