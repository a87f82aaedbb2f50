"""A release as it would be designed today: its slots, its schedule, and bins in which nothing happens.

The gate's engines are fed with them, so what a design can show is computed by
the code that will judge it and by no second one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from causal_rollouts.analysis.past import Past, bins_of
from causal_rollouts.analysis.replay import LOOK
from causal_rollouts.decision.allocation import Rung, allocate
from causal_rollouts.evidence.frame import CountBins, Floats, FootprintBins, Frame, HistogramBins, RestartBins
from causal_rollouts.evidence.framing import Known, framing, history_start
from causal_rollouts.evidence.tables import Bins, columns, requests
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.assignment import assign, block_of
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.release import PlannedSlot
from causal_rollouts.model.traffic import Change

BEFORE = 1.0
"""Seconds by which a slot is ready before its stage begins."""


@dataclass(frozen=True, slots=True)
class Glance:
    """A look of a stage: its bin, seconds since the stage began, and whether its minimum time has passed."""

    stage: int
    bin: int
    age: float
    ripe: bool


@dataclass(frozen=True, slots=True)
class Design:
    """The release so far: stages that have begun, with slots and changes. past: of the stable pods."""

    reg: Registration
    past: Past
    rungs: tuple[Rung, ...]
    stable: tuple[Pod, ...]
    slots: tuple[PlannedSlot, ...] = ()
    pods: tuple[Pod, ...] = ()
    timeline: tuple[Change, ...] = ()

    @classmethod
    def of(cls, reg: Registration, past: Past) -> Self:
        """Before the first stage; the fleet is what is there at the end of the past."""
        units = {unit.id for unit in past.frame(reg).units}
        stable = tuple(pod for pod in past.pods if pod.slot in units)
        return cls(reg, past, allocate(reg.stages, reg.arms, len(stable)), stable)

    @property
    def t0(self) -> int:
        """First bin of the first stage."""
        return self.past.last + 1

    @property
    def nodes(self) -> dict[str, str]:
        """Nodes that carry stable pods, with their blocks; the scheduler may know more."""
        return {pod.node: block_of(pod.zone, pod.machine) for pod in self.stable}

    def risen(self, begin: int) -> Self:
        """The next stage begins in this bin."""
        stage = len(self.timeline)
        there = {planned.slot for planned in self.slots}
        new = [slot for slot in self.rungs[stage].slots if slot not in there]
        planned = assign(self.reg.seed, self.nodes, self.slots, new)
        ready = self.past.grid.start(begin) - BEFORE
        fresh = tuple(
            Pod(f"{p.slot.id}-0", f"{p.slot.id}-0", p.slot.arm, p.slot.id, p.node, "", ready, ready)
            for p in planned[len(self.slots) :]
        )
        change = Change(self.past.grid.start(begin), stage, self.rungs[stage].weights, Phase.OBSERVING)
        return replace(self, slots=planned, pods=(*self.pods, *fresh), timeline=(*self.timeline, change))

    def frame(self, now: int) -> Frame:
        """As the gate would see it after bin `now`."""
        return framing(self.reg, (*self.stable, *self.pods), self.timeline, now, Known())

    def history(self, metric: str) -> Bins:
        """The pre-period of a metric that a release beginning now would be fitted on."""
        frame = self.past.frame(self.reg)
        first = max(history_start(self.reg, self.t0), self.past.first)
        table = self.past.played(metric, [(unit, unit.id) for unit in frame.units], first, frame)
        if table.bins is None:
            raise ValueError(f"metrics[{metric}]: has no bins; a past that was checked has them")
        return columns(table.bins, first, self.t0)

    def watched(self, history: HistogramBins) -> tuple[Frame, HistogramBins]:
        """Frame and past as after a pre-period that ends now, in which the arms served their share."""
        long = bins_of(self.reg.arms.pre_period, self.past.grid)
        begin = max(self.t0 - long, history.first)
        twins = self.risen(begin)
        frame = replace(twins.frame(self.past.last), t0=self.t0, before=(begin, self.t0))
        quiet = twins.quiet(history, frame, begin, 1.0)
        if not isinstance(quiet, HistogramBins):
            raise TypeError("quiet bins of a histogram are a histogram")
        slots = [i for i, unit in enumerate(quiet.ids) if unit not in set(history.ids)]
        counts = np.zeros((len(slots), *history.counts.shape[1:]))
        counts[:, begin - history.first :] = quiet.counts[slots]
        unseen = np.zeros(counts.shape[:2], dtype=np.bool_)
        return frame, replace(
            history,
            ids=(*history.ids, *(quiet.ids[i] for i in slots)),
            counts=np.concatenate((history.counts, counts)),
            lost=np.concatenate((history.lost, unseen)),
        )

    def glances(self, most: int) -> tuple[Glance, ...]:
        """About so many looks of the newest stage, denser at its begin, with the first ripe and the last."""
        grid, begin = self.past.grid, self.timeline[-1].time
        stage = self.reg.stages[len(self.timeline) - 1]
        first = grid.index(begin) + self.reg.times.warm_up + LOOK
        last = grid.index(begin) + bins_of(stage.max_duration, grid) + LOOK
        looks = range(first | 1, last + 1, LOOK)
        ages = np.array([grid.final_at(at) - begin for at in looks])
        end = int(np.argmax(ages >= stage.max_duration))
        ripe = min(int(np.argmax(ages >= stage.min_duration)), end)
        spread = np.geomspace(1.0, end + 1.0, max(most - 1, 2)).round().astype(int) - 1
        chosen = sorted({*spread.tolist(), ripe, end})
        number = len(self.timeline) - 1
        return tuple(
            Glance(number, looks[i], float(ages[i]), ripe=bool(ages[i] >= stage.min_duration)) for i in chosen
        )

    def quiet(self, history: Bins, frame: Frame, first: int, canary: float, over: float = 0.0) -> Bins:
        """Bins [first, frame.now] in which every unit serves its share as the past did.

        canary: its events relative to the past; of a histogram, requests over `over` seconds.
        """
        length = frame.now + 1 - first
        ids = tuple(unit.id for unit in frame.units)
        amount = np.repeat(self._served(frame, _per_bin(history))[:, None], length, axis=1)
        factor = np.array([canary if unit.arm is Arm.CANARY else 1.0 for unit in frame.units])
        unseen = np.zeros(amount.shape, dtype=np.bool_)
        match history:
            case HistogramBins():
                shown = _shape(history, factor, over)
                return HistogramBins(
                    ids, first, history.edges, amount[:, :, None] * shown[:, None, :], unseen
                )
            case CountBins():
                # Half an event more, as the gate's own rate has it: a service without errors has one too.
                rate = (float(history.events.sum()) + 0.5) / max(float(history.exposure.sum()), 1.0)
                return CountBins(ids, first, amount * rate * factor[:, None], amount, unseen)
            case RestartBins():
                seconds = np.full(amount.shape, self.past.grid.width)
                return RestartBins(ids, first, np.zeros(amount.shape), seconds)
            case FootprintBins():
                raise TypeError("a footprint takes no part in a plan")

    def _served(self, frame: Frame, requests_of_all: float) -> Floats:
        """Requests of each unit in a bin."""
        weights = self.timeline[-1].weights
        number = {arm: sum(unit.arm is arm for unit in frame.units) for arm in Arm}
        return np.array([requests_of_all * weights.share(u.arm) / number[u.arm] for u in frame.units])


def _shape(history: HistogramBins, factor: Floats, over: float) -> Floats:
    """Share of requests in each bucket, [unit, bucket]; those over an edge times the unit's factor."""
    shown = history.counts.sum(axis=(0, 1))
    shown = shown / shown.sum()
    beyond = (
        np.append(history.edges, np.inf) > over * (1.0 + 1e-9) if over > 0 else np.zeros(len(shown), bool)
    )
    slow = shown[beyond].sum()
    rest = (1.0 - factor * slow) / (1.0 - slow) if slow < 1.0 else np.zeros_like(factor)
    shape: Floats = shown * np.where(beyond, factor[:, None], rest[:, None])
    return shape


def _per_bin(history: Bins) -> float:
    """Requests of the whole service in a bin, what was lost filled up with what the others had."""
    amount = requests(history)
    seen = amount > 0
    return float(amount[seen].mean() * len(amount)) if seen.any() else 0.0


def arms_at(frame: Frame) -> tuple[int, int, int, int]:
    """(canary slots, baseline slots, nodes with stable pods and no canary, stable pods on these)."""
    arms = [unit.arm for unit in frame.units]
    pure = {unit.node for unit in frame.units if unit.arm is Arm.STABLE} - set(frame.exposed)
    controls = sum(unit.arm is Arm.STABLE and unit.node in pure for unit in frame.units)
    return arms.count(Arm.CANARY), arms.count(Arm.BASELINE), len(pure), controls
