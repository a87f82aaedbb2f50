"""Which units count in a bin, and what they bring.

The rules are the design's: warm slots only, a canary only with a baseline slot
of its own start, blackouts for everybody, stable pods until promotion replaces
them. One place, so that every count asks the same question of the same units.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from causal_rollouts.evidence.count_history import CountHistory
from causal_rollouts.evidence.frame import Floats, Frame, Unit
from causal_rollouts.model.arms import Arm


@dataclass(frozen=True, slots=True)
class Table:
    """events and exposure [unit, bin], 0 where lost; bins from `first`."""

    ids: tuple[str, ...]
    first: int
    events: Floats
    exposure: Floats

    @property
    def end(self) -> int:
        """First bin after the table."""
        return self.first + int(self.events.shape[1])


@dataclass(frozen=True, slots=True)
class Side:
    """Units of one side in one bin that had exposure, in the order of their names."""

    units: tuple[Unit, ...]
    events: Floats
    exposure: Floats

    def scaled(self, history: CountHistory) -> Floats:
        """Exposure as the nodes' known factors make it."""
        if not self.units:
            return self.exposure
        factor: Floats = self.exposure * np.exp([history.node(unit.node)[0] for unit in self.units])
        return factor


def new_bins(next_bin: int, frame: Frame, table: Table) -> Iterator[int]:
    """Bins of the table that were not consumed before, up to `frame.now`, oldest first."""
    return iter(range(max(next_bin, table.first), min(frame.now + 1, table.end)))


def counts_in(frame: Frame, at: int) -> bool:
    """Whether a bin is in a stage and in no blackout."""
    return frame.t0 is not None and at >= frame.t0 and at not in frame.excluded


class Eligible:
    """Who counts in a bin: warm slots, and a canary only if a baseline slot started with it."""

    def __init__(self, frame: Frame, table: Table) -> None:
        row = {name: i for i, name in enumerate(table.ids)}
        t0 = frame.t0 if frame.t0 is not None else frame.now + 1
        self._frame, self._table, self._row = frame, table, row
        self._units = {
            arm: sorted((u for u in frame.units if u.arm is arm and u.id in row), key=lambda u: u.id)
            for arm in Arm
        }
        self._begin = {u.id: max(u.ready, t0) + frame.warm_up for u in frame.units if u.arm is not Arm.STABLE}
        self._partner = self._partners()

    def canary(self, at: int) -> Side:
        """Warm canary slots with a warm baseline slot of their own start."""
        return self._side(
            at,
            (
                u
                for u in self._units[Arm.CANARY]
                if max(self._begin[u.id], self._partner.get(u.id, at + 1)) <= at
            ),
        )

    def baseline(self, at: int, *, pure: bool) -> Side:
        """Warm baseline slots; where asked and possible only those away from every canary."""
        warm = [u for u in self._units[Arm.BASELINE] if self._begin[u.id] <= at]
        apart = [u for u in warm if self._frame.exposed.get(u.node, at + 1) > at]
        side = self._side(at, apart if pure else warm)
        return side if side.units or not pure else self._side(at, warm)

    def stable(self, at: int) -> Side:
        """Stable pods with a past; none once promotion replaces them."""
        if self._frame.until_stable is not None and at >= self._frame.until_stable:
            return self._side(at, ())
        return self._side(at, (u for u in self._units[Arm.STABLE] if u.ready + self._frame.warm_up <= at))

    def _partners(self) -> dict[str, int]:
        """First bin of a canary's earliest baseline slot; slots of one rise start within one warm-up."""
        near = self._frame.warm_up
        found = {}
        for canary in self._units[Arm.CANARY]:
            own = self._begin[canary.id]
            starts = [self._begin[u.id] for u in self._units[Arm.BASELINE]]
            mates = [start for start in starts if abs(start - own) <= near]
            if mates:
                found[canary.id] = min(mates)
        return found

    def _side(self, at: int, units: Iterable[Unit]) -> Side:
        column = at - self._table.first
        taken = [(u, self._row[u.id]) for u in units]
        exposure = self._table.exposure[[i for _, i in taken], column]
        seen = exposure > 0
        kept = [pair for pair, is_seen in zip(taken, seen.tolist(), strict=True) if is_seen]
        events = self._table.events[[i for _, i in kept], column]
        return Side(tuple(u for u, _ in kept), events, exposure[seen])
