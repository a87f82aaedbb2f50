"""One release on a simulated service, run by the gate's own decisions.

A gate that advances late changes its own schedule, and with it the evidence it
will see. So stages here advance, wait, pause and revert as `decide` says; what
is left out are people, clusters and gateways.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from causal_rollouts.analysis.peers.watched import Watched, watched
from causal_rollouts.analysis.simulation.fleet import (
    before_pods,
    places,
    slot_pods,
    stable_fleet,
    stands_before,
)
from causal_rollouts.analysis.simulation.setting import Setting
from causal_rollouts.analysis.simulation.tables import SimulatedBins
from causal_rollouts.analysis.simulation.turnover import Turnover
from causal_rollouts.decision.allocation import allocate
from causal_rollouts.decision.decide import decide
from causal_rollouts.decision.situation import Facts, situate
from causal_rollouts.decision.stage_clock import clocked
from causal_rollouts.evidence.framing import Known, framing, history_start
from causal_rollouts.evidence.gate_state import GateState, blank, current, decode, encode
from causal_rollouts.evidence.timeline import schedule
from causal_rollouts.evidence.weigh import weigh
from causal_rollouts.model.arms import Pod
from causal_rollouts.model.assignment import assign
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.reasons import Act, Phase, Reason, Validity
from causal_rollouts.model.release import PlannedSlot, Release
from causal_rollouts.model.scatter import Scatter
from causal_rollouts.model.switchback import drawn_for
from causal_rollouts.model.telemetry import Look
from causal_rollouts.model.traffic import HOME, Change, Weights

LOOK = 2
"""Bins between two looks."""

ROLL = 180.0
"""Seconds that the Deployment takes to roll after promotion."""

PATIENCE = 600.0
"""Seconds that a paused release waits for people, still watched; then it counts as paused."""

AGE = 86400.0
"""Age of the stable fleet when the release begins."""


class End(StrEnum):
    """How a simulated release ended."""

    PROMOTED = "promoted"
    REVERTED = "reverted"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one simulated release.

    seconds: from the first weight on the candidate to the decision that ended it (of a promotion, to the
    decision to promote). cause: process that stood highest at a revert, else the decision's reason.
    effect: log ratio of latency at the end. placebo: whether it fired. promoted: a revert came after the
    decision to promote. state_bytes: largest encoded state, 0 where none was. warned: footprints that were
    warned of, with the stage of the first time.
    """

    end: End
    seconds: float
    stage: int
    cause: str
    effect: float
    looks: int
    invalid: int
    placebo: bool
    promoted: bool
    state_bytes: int
    warned: Mapping[str, int] = field(default_factory=dict)


class SimulatedRelease:
    """A release that is looked at every second bin until it ends."""

    def __init__(self, setting: Setting, seed: int, *, encoded: bool = False) -> None:
        """encoded: every look starts from the bytes of the record, as the operator's does; slower."""
        self._setting = setting
        self._encoded = encoded
        self._reg = setting.registration(seed)
        self._bins = SimulatedBins(setting, seed)
        self._turnover = Turnover(setting, seed)
        self._rungs = allocate(setting.stages, setting.arms, setting.replicas)
        self._slots: tuple[PlannedSlot, ...] = ()
        self._pods: tuple[Pod, ...] = stable_fleet(setting.replicas, setting.nodes, seed, setting.begin - AGE)
        self._state = blank(self._reg.release)
        self._next = setting.grid.index(setting.begin - setting.times.history)
        self._release = Release(
            self._reg.release, "b", "a", "", Phase.PREPARING, setting.begin, replicas=setting.replicas
        )
        self._evidence: Evidence | None = None
        self._looks = self._invalid = self._state_bytes = 0
        self._placebo = False
        self._warned: dict[str, int] = {}
        self._scatter: tuple[Scatter, ...] = ()
        self._promoted: float | None = None

    def run(self) -> Ended:
        """Run it to its end."""
        for index, now in self._instants():
            if self._release.timeline:
                decision = self._look(index, now)
                if ended := self._follow(decision, now):
                    return ended
            self._shift(now)
        raise AssertionError("instants have no end")

    def trial(self) -> tuple[Scatter, ...]:
        """Run its pre-period alone, as an A/A test: what this tells later releases of fresh pods."""
        for index, now in self._instants():
            if self._release.phase is not Phase.PRE_PERIOD:
                break
            if self._release.timeline:
                self._look(index, now)
            self._shift(now)
        return self._scatter

    def _instants(self) -> Iterator[tuple[int, float]]:
        """(newest bin, time) of each look, with everything served until then."""
        grid = self._setting.grid
        self._begin(self._setting.begin)
        index = grid.last_look(self._setting.begin) + LOOK
        while True:
            self._serve(index)
            yield index, grid.final_at(index)
            index += LOOK

    def watched(self) -> Watched:
        """What was served under its stages so far, as rules of other tools see it."""
        grid, timeline = self._setting.grid, self._release.timeline
        now = grid.start(self._next)
        frame = framing(self._reg, self._pods, timeline, self._next - 1, Known())
        first = history_start(self._reg, frame.t0 if frame.t0 is not None else self._next)
        tables = self._bins.tables(frame, schedule(self._reg, timeline, now), first)
        end = self._next if frame.until_stable is None else frame.until_stable
        complete = self._promoted is not None
        return watched(self._reg, frame, tables.metrics, end, timeline[0].time, complete=complete)

    def _ask_for(self, stage: int, now: float, before: tuple[PlannedSlot, ...] = ()) -> None:
        """Slots of a stage; its weights follow when they are ready. before: those of the pre-period."""
        taken = before or self._slots
        new = [slot for slot in self._rungs[stage].slots if slot not in {p.slot for p in taken}]
        planned = assign(self._reg.seed, places(self._setting.nodes), taken, new)
        fresh = planned[len(self._slots) :]
        self._slots = planned
        self._pods = (*self._pods, *slot_pods(fresh, now, self._setting.start_up))
        self._release = replace(self._release.shifting(now), stage=stage)

    def _begin(self, now: float) -> None:
        """Both arms on the stable template for a while, where the design asks for it."""
        if not self._setting.arms.pre_period:
            self._ask_for(0, now)
            return
        self._slots = assign(self._reg.seed, places(self._setting.nodes), (), self._rungs[0].slots)
        self._pods = (*self._pods, *before_pods(self._slots, now, self._setting.start_up))
        self._release = replace(self._release, phase=Phase.PRE_PERIOD, since=now)

    def _shift(self, now: float) -> None:
        """Move the weights once the slots are ready and the newest look was sound."""
        release = self._release
        if self._evidence is not None and self._evidence.validity is not Validity.OK:
            return
        if release.phase is Phase.PRE_PERIOD:
            self._watch(now)
            return
        if release.phase is Phase.PROBING:
            self._switch(now)
            return
        if release.phase is not Phase.SHIFTING or now - release.since < self._setting.start_up:
            return
        change = Change(now, release.stage, self._rungs[release.stage].weights, Phase.SHIFTING)
        self._release = replace(
            release,
            phase=Phase.OBSERVING,
            since=now,
            stage_since=now,
            timeline=(*release.timeline, change),
        )

    def _switch(self, now: float) -> None:
        """The weights of the leg that was drawn for this bin."""
        release, grid, plan = self._release, self._setting.grid, self._setting.probe
        on = drawn_for(plan, self._reg.seed, grid, release.timeline, now) if plan is not None else None
        if on is None:
            return
        weights = self._rungs[release.stage].weights if on else HOME
        if weights != release.timeline[-1].weights:
            change = Change(now, release.stage, weights, Phase.PROBING)
            self._release = replace(release, timeline=(*release.timeline, change))

    def _watch(self, now: float) -> None:
        """Weights up, and when the arms were watched for long enough home again and other pods in."""
        release, weights = self._release, self._rungs[0].weights
        if release.stage_since is None:
            change = Change(now, None, weights, Phase.PRE_PERIOD)
            self._release = replace(release, stage_since=now, timeline=(change,))
        elif now - release.stage_since - release.invalid_seconds >= self._setting.arms.pre_period:
            home = Change(now, None, HOME, Phase.REPLACING)
            self._pods = tuple(replace(p, deleted=now) if stands_before(p) else p for p in self._pods)
            self._release = replace(release, timeline=(*release.timeline, home))
            planned, self._slots = self._slots, ()
            self._ask_for(0, now, planned)

    def _serve(self, index: int) -> None:
        """Serve all bins up to `index` with the weights that were in force."""
        while self._next <= index:
            start = self._setting.grid.start(self._next)
            if self._promoted is None:
                self._pods = self._turnover.until(start, self._pods)
            self._bins.serve(self._next, self._pods, self._weights(start))
            self._next += 1

    def _weights(self, time: float) -> Weights:
        return next((c.weights for c in reversed(self._release.timeline) if c.time <= time), HOME)

    def _look(self, index: int, now: float) -> Decision:
        """One look."""
        timeline = self._release.timeline
        state = current(self._reg, self._remembered(), timeline, index)
        frame = framing(self._reg, self._pods, timeline, index, state.known)
        planned = schedule(self._reg, timeline, now)
        if state.metrics and all(m.settled for m in state.metrics):
            first = min(m.consumed for m in state.metrics) + 1
        else:
            first = history_start(self._reg, frame.t0 if frame.t0 is not None else index + 1)
        tables = self._bins.tables(frame, planned, first, self._pods)
        evidence, after = weigh(self._reg, frame, tables, Look(now, index), state, self._pods)
        self._state = after
        self._evidence = evidence
        self._looks += 1
        self._invalid += evidence.validity is not Validity.OK
        self._placebo |= evidence.contaminated
        self._scatter = evidence.scatter or self._scatter
        for one in evidence.footprints:
            if one.grown:
                self._warned.setdefault(one.name, self._release.stage)
        return decide(situate(self._reg, self._release, evidence, Facts(), now))

    def _remembered(self) -> GateState:
        if not self._encoded:
            return self._state
        data = encode(self._state)
        self._state_bytes = max(self._state_bytes, len(data))
        return decode(self._reg, data)

    def _follow(self, decision: Decision, now: float) -> Ended | None:
        """Do what was decided."""
        self._release = clocked(self._release, decision, now)
        release = self._release
        match decision.act:
            case Act.REVERT:
                return self._ended(End.REVERTED, decision, now)
            case Act.PAUSE:
                self._release = replace(release, phase=Phase.PAUSED, since=now, paused_by=decision.reason)
            case Act.PROBE:
                change = Change(now, release.stage, release.timeline[-1].weights, Phase.PROBING)
                timeline = (*release.timeline, change)
                self._release = replace(
                    release, phase=Phase.PROBING, since=now, shared_since=None, timeline=timeline
                )
            case _ if decision.reason is Reason.PROBE_SETTLED:
                self._release = replace(release, phase=Phase.SHIFTING, since=now - self._setting.start_up)
            case _ if release.phase is Phase.PAUSED and now - release.since >= PATIENCE:
                return self._ended(End.PAUSED, decision, release.since)
            case Act.ADVANCE:
                self._ask_for(release.stage + 1, now)
            case Act.PROMOTE:
                self._promoted = now
                change = Change(now, release.stage, release.timeline[-1].weights, Phase.PROMOTING)
                timeline = (*release.timeline, change)
                self._release = replace(release, phase=Phase.PROMOTING, since=now, timeline=timeline)
            case _ if release.phase is Phase.PROMOTING and now - release.since >= ROLL:
                self._release = replace(release, phase=Phase.BAKING, since=now)
            case _ if release.phase is Phase.BAKING and now - release.since >= self._reg.times.bake:
                return self._ended(End.PROMOTED, decision, self._promoted or now)
        return None

    def _first_weight(self) -> float:
        """When the candidate got traffic; of a release that ended before, when the arms did."""
        timeline = self._release.timeline
        return next((change for change in timeline if change.stage is not None), timeline[0]).time

    def _ended(self, end: End, decision: Decision, now: float) -> Ended:
        evidence = self._evidence
        proven = decision.reason in {Reason.HARM_PROVEN, Reason.NEIGHBOUR_HARM}
        worst = evidence.worst if evidence is not None and proven else None
        metrics = evidence.metrics if evidence is not None else ()
        return Ended(
            end=end,
            seconds=now - self._first_weight(),
            stage=self._release.stage,
            cause=worst.metric if worst is not None else self._release.paused_by or str(decision.reason),
            effect=next((m.effect for m in metrics if m.name == "latency"), float("nan")),
            looks=self._looks,
            invalid=self._invalid,
            placebo=self._placebo,
            promoted=self._promoted is not None,
            state_bytes=self._state_bytes,
            warned=self._warned,
        )
