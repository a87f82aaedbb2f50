"""Decide a recorded release again, tick by tick, as the gate would have.

The same assessment and the same rules as in the operator; only the world is a
recording, and its schedule stands whatever the gate would have done. Where a
live gate wrote down what it stood on, each decision is the very one it took.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from operator import attrgetter

from causal_rollouts.analysis.manifest import registration
from causal_rollouts.analysis.plausible import check
from causal_rollouts.analysis.recording import Recording
from causal_rollouts.analysis.replay_line import ReplayLine, line
from causal_rollouts.analysis.rows import PER_MILLE
from causal_rollouts.analysis.shelf import Shelf
from causal_rollouts.decision.decide import decide
from causal_rollouts.decision.moments import KEPT, Moment, again
from causal_rollouts.decision.situation import Facts, situate
from causal_rollouts.decision.stage_clock import clocked
from causal_rollouts.evidence.assess import looked, wanted_since
from causal_rollouts.evidence.gate_state import GateState, blank
from causal_rollouts.model.arms import Pod
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.reasons import Act, Phase
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.release import Release
from causal_rollouts.model.telemetry import Look, Telemetry
from causal_rollouts.model.traffic import HOME, RESCALED, Change

LOOK = 2
"""Bins between two looks."""

_AFTER_STAGES = frozenset({Phase.PROMOTING, Phase.BAKING, Phase.REVERTING, Phase.FINISHING, Phase.DONE})


def replay(recording: Recording, until: float | None = None, *, stop: bool = False) -> Iterator[ReplayLine]:
    """One line a tick; of a live gate, also one for each decision that it took between two looks.

    until: no tick after that time. stop: end with the first Revert.

    Raises:
        BadRecording: the recorded manifest cannot be run, or parts of the recording do not fit each other.
    """
    reg = registration(recording)
    check(recording, reg)
    gate = _Replay(recording, reg)
    looks = recording.looks if recording.looks is not None else tuple(scheduled_looks(recording))
    last = {a.time for a, b in pairwise(looks) if gate.place(a.time) != gate.place(b.time)}
    last |= {looks[-1].time} if looks else set()
    for time, look in _passes(recording, looks):
        if until is not None and time > until:
            return
        told = gate.tick(look, ends_stage=time in last) if isinstance(look, Look) else gate.between(look)
        yield told
        if stop and told.decision == Act.REVERT:
            return


def scheduled_looks(recording: Recording) -> Iterator[Look]:
    """When an operator that was always there would have looked, from the first weights to the last sample."""
    grid = recording.run.grid
    begin = next(c.time for c in recording.timeline if c.stage is not None or c.phase == Phase.PRE_PERIOD)
    ends = [series.times[-1] for series in recording.series if series.times]
    end = max([recording.timeline[-1].time, *ends])
    index = grid.last_look(begin)
    while grid.end(index) <= end + grid.scrape:
        yield Look(grid.final_at(index), index)
        index += LOOK


def _passes(recording: Recording, looks: tuple[Look, ...]) -> Iterator[tuple[float, Look | Moment]]:
    """Times in order, with the look that each had, or else what was seen then."""
    looked: dict[float, Look | Moment] = {look.time: look for look in looks}
    between = {moment.time: moment for moment in _moments(recording)}
    passes = between | looked
    return ((time, passes[time]) for time in sorted(passes))


def _moments(recording: Recording) -> tuple[Moment, ...]:
    """An imagined gate stands on none that a live one saw."""
    return recording.moments if recording.looks is not None else ()


class _Replay:
    """The gate's memory between two ticks of a recording."""

    def __init__(self, recording: Recording, reg: Registration) -> None:
        self._recording = recording
        self._reg = reg
        self._state: GateState = blank(reg.release)
        self._look: int | None = None
        self._share_ok = False
        self._moments = _moments(recording)
        self._release = Release(reg.release, "candidate", "stable", "", Phase.PREPARING, 0.0)
        mine = recording.own_series
        self._shelves: Mapping[tuple[str, ...], Shelf] = {
            names: Shelf(series for series in mine if series.labels["__name__"] in names)
            for names in {metric.reads for metric in reg.metrics}
        }

    def place(self, time: float) -> tuple[int | None, bool]:
        """(stage, past the stages) at a time."""
        past = self._timeline(time)
        if not past:
            return None, False
        return past[-1].stage, past[-1].phase in _AFTER_STAGES

    def _timeline(self, time: float) -> tuple[Change, ...]:
        """What a look at that time knew: a pass looks first and moves the weights then."""
        return tuple(change for change in self._recording.timeline if change.time < time)

    def tick(self, look: Look, *, ends_stage: bool) -> ReplayLine:
        """One tick: assess what is new, decide, and remember."""
        moment = self._moment(look.time)
        timeline = self._moved(moment) if moment else self._timeline(look.time)
        evidence, index = (None, look.last_final)
        if not look.provider_error:
            evidence, index = self._assess(look, timeline)
        if moment is not None:
            return self._as_it_stood(moment, look.time, index, evidence)
        approved = tuple(a for a in self._recording.approvals if a.time <= look.time)
        self._release = replace(self._placed(timeline), approvals=approved)
        facts = Facts(provider_error=_away(look))
        decision = decide(situate(self._reg, self._release, evidence, facts, look.time))
        self._release = clocked(self._release, decision, look.time)
        if evidence is not None:
            self._share_ok = evidence.share.ok is True
        act = self._told(decision, ends_stage=ends_stage)
        return self._line(look.time, index, timeline, decision, act, evidence)

    def between(self, moment: Moment) -> ReplayLine:
        """What a live gate decided between two looks."""
        return self._as_it_stood(moment, moment.time, self._look or 0, None)

    def _as_it_stood(self, moment: Moment, time: float, index: int, evidence: Evidence | None) -> ReplayLine:
        """The decision that a live gate took, by the rules and what it knew."""
        timeline = self._moved(moment)
        approved = tuple(a for a in self._recording.approvals if a.time <= time)
        self._release = again(moment, timeline, approved, self._release.verdict)
        decision = decide(situate(self._reg, self._release, evidence, moment.facts, time))
        if evidence is not None or moment.facts.provider_error:
            self._release = replace(self._release, verdict=decision.verdict)
        return self._line(time, index, timeline, decision, decision.act, evidence)

    def _moment(self, time: float) -> Moment | None:
        """The newest by then; a record that is full holds none of what came after."""
        at = bisect_right(self._moments, time, key=attrgetter("time"))
        full = len(self._moments) >= KEPT and at == len(self._moments)
        return None if at == 0 or full else self._moments[at - 1]

    def _moved(self, moment: Moment) -> tuple[Change, ...]:
        return self._recording.timeline[: moment.standing.moves]

    def _line(
        self,
        time: float,
        index: int,
        timeline: tuple[Change, ...],
        decision: Decision,
        act: Act,
        evidence: Evidence | None,
    ) -> ReplayLine:
        weight = timeline[-1].weights.canary / PER_MILLE if timeline else 0.0
        return line(time, index, self.place(time)[0], weight, decision, act, evidence)

    def _told(self, decision: Decision, *, ends_stage: bool) -> Act:
        """A recorded schedule moves on by itself: only at a stage's end is it told whether the gate would."""
        moves = decision.act in {Act.ADVANCE, Act.PROMOTE}
        return Act.HOLD if moves and not ends_stage else decision.act

    def _assess(self, look: Look, timeline: tuple[Change, ...]) -> tuple[Evidence | None, int]:
        """Every look that is due, in order; the first that proves harm ends it, as in the operator."""
        pods = tuple(_as_of(pod, look.time) for pod in self._recording.pods if pod.created <= look.time)
        newest = look.last_final
        first = newest if self._look is None else min(self._look + LOOK, newest)
        evidence: Evidence | None = None
        telemetry = self._telemetry(timeline, look.time, self._reg.grid.end(newest))
        for index in range(first, newest + 1, LOOK):
            seen = Look(look.time, index, late_bins=max(0, newest - index))
            evidence, self._state = looked(self._reg, pods, timeline, telemetry, seen, self._state)
            self._look = index
            if evidence.harm:
                return evidence, index
        return evidence, newest

    def _telemetry(self, timeline: tuple[Change, ...], now: float, end: float) -> Telemetry:
        since = wanted_since(self._reg, timeline, self._state, now)
        cut = {names: shelf.between(since, end) for names, shelf in self._shelves.items()}
        return Telemetry({metric.name: cut[metric.reads] for metric in self._reg.metrics})

    def _placed(self, timeline: tuple[Change, ...]) -> Release:
        """The release as it stood then, by the recorded schedule; a stage that is gone again has ended."""
        stage = timeline[-1].stage if timeline else None
        if stage is None:
            ended = self._release.stage >= 0
            return replace(self._release, phase=Phase.FINISHING) if ended else self._beforehand(timeline)
        begun = _begun(timeline, stage)
        moved = self._release.timeline != timeline
        fresh = self._release.stage != stage or self._release.stage_since != begun
        if moved:
            self._share_ok = False
        return replace(
            self._release,
            phase=self._phase(timeline[-1]),
            since=timeline[-1].time,
            stage=stage,
            stage_since=begun,
            invalid_since=None if fresh else self._release.invalid_since,
            invalid_seconds=0.0 if fresh else self._release.invalid_seconds,
            shared_since=None if fresh else self._release.shared_since,
            timeline=timeline,
        )

    def _beforehand(self, timeline: tuple[Change, ...]) -> Release:
        """The release before its first stage: in a pre-period, or while the pods are replaced after it."""
        known = {str(phase): phase for phase in (Phase.PRE_PERIOD, Phase.REPLACING)}
        last = timeline[-1] if timeline else None
        if last is None or last.phase not in known or self._release.timeline == timeline:
            return self._release
        return replace(
            self._release,
            phase=known[last.phase],
            since=last.time,
            stage_since=last.time if last.phase == Phase.PRE_PERIOD else None,
            invalid_since=None,
            invalid_seconds=0.0,
            timeline=timeline,
        )

    def _phase(self, last: Change) -> Phase:
        """As recorded; where the operator was still shifting, until traffic was seen to follow."""
        if last.phase in _AFTER_STAGES or last.phase == Phase.PROBING:
            return Phase(last.phase)
        if last.phase == RESCALED or (last.phase == Phase.SHIFTING and not self._share_ok):
            return Phase.SHIFTING
        return Phase.OBSERVING


def _begun(timeline: tuple[Change, ...], stage: int) -> float:
    """When a stage began; it begins anew once traffic is back after a probe."""
    mine = [change for change in timeline if change.stage == stage]
    probed = max((i for i, change in enumerate(mine) if change.phase == Phase.PROBING), default=-1)
    again = [change.time for change in mine[probed + 1 :] if change.weights != HOME]
    return again[0] if probed >= 0 and again else mine[0].time


def _away(look: Look) -> str:
    return f"the metrics source does not answer: {look.provider_error}" if look.provider_error else ""


def _as_of(pod: Pod, time: float) -> Pod:
    """The pod as it was known at a time."""
    ready = pod.ready if pod.ready is not None and pod.ready <= time else None
    deleted = pod.deleted if pod.deleted is not None and pod.deleted <= time else None
    return pod if (ready, deleted) == (pod.ready, pod.deleted) else replace(pod, ready=ready, deleted=deleted)
