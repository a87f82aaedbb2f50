"""Which units count in a bin, and what they bring.

The rules are the design's: warm slots only, a canary only with a baseline slot
of its own start, blackouts for everybody, stable pods until promotion replaces
them. One place, so that every count asks the same question of the same units.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress

import numpy as np

from causal_rollouts.evidence.count_history import CountHistory
from causal_rollouts.evidence.frame import Floats, Frame, Unit
from causal_rollouts.evidence.levels import NEVER, Bools, Ints
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
        factor: Floats = self.exposure * np.exp(history.log_factors(unit.node for unit in self.units))
        return factor


def new_bins(next_bin: int, frame: Frame, table: Table) -> range:
    """Bins of the table that were not consumed before, up to `frame.now`, oldest first."""
    return range(max(next_bin, table.first), min(frame.now + 1, table.end))


def counts_in(frame: Frame, at: int) -> bool:
    """Whether a bin is in a stage and in no blackout."""
    return frame.t0 is not None and at >= frame.t0 and at not in frame.excluded


@dataclass(frozen=True, slots=True)
class _Members:
    """Units of one arm in the order of their names: row in the table, first bin that counts."""

    units: tuple[Unit, ...]
    rows: Ints
    begin: Ints

    @classmethod
    def of(cls, units: list[Unit], table: Table, not_before: int, warm_up: int) -> _Members:
        """Those that the table knows."""
        row = {name: i for i, name in enumerate(table.ids)}
        known = sorted((unit for unit in units if unit.id in row), key=lambda unit: unit.id)
        ready = np.array([unit.ready for unit in known], dtype=np.int64)
        return cls(
            units=tuple(known),
            rows=np.array([row[unit.id] for unit in known], dtype=np.int64),
            begin=np.maximum(ready, not_before) + warm_up,
        )


class Eligible:
    """Who counts in a bin: warm slots, and a canary only if a baseline slot started with it."""

    def __init__(self, frame: Frame, table: Table) -> None:
        self._frame, self._table = frame, table
        t0 = frame.t0 if frame.t0 is not None else frame.now + 1
        self._stable, self._baseline, self._canary = (
            _Members.of([u for u in frame.units if u.arm is arm], table, since, frame.warm_up)
            for arm, since in ((Arm.STABLE, -NEVER), (Arm.BASELINE, t0), (Arm.CANARY, t0))
        )
        self._exposure = np.array(
            [frame.exposed.get(unit.node, NEVER) for unit in self._baseline.units], dtype=np.int64
        )
        # Slots of one rise start within one warm-up; a canary waits for the first baseline slot of its own.
        starts = self._baseline.begin[None, :]
        near = np.abs(starts - self._canary.begin[:, None]) <= frame.warm_up
        self._partner = np.where(near, starts, NEVER).min(axis=1, initial=NEVER)

    def canary(self, at: int) -> Side:
        """Warm canary slots with a warm baseline slot of their own start."""
        return self._side(at, self._canary, (self._canary.begin <= at) & (self._partner <= at))

    def baseline(self, at: int, *, pure: bool) -> Side:
        """Warm baseline slots; where asked and possible only those away from every canary."""
        warm = self._baseline.begin <= at
        side = self._side(at, self._baseline, warm & (self._exposure > at) if pure else warm)
        return side if side.units or not pure else self._side(at, self._baseline, warm)

    def stable(self, at: int) -> Side:
        """Stable pods with a past; none once promotion replaces them."""
        until = self._frame.until_stable
        here = (self._stable.begin <= at) & (until is None or at < until)
        return self._side(at, self._stable, here)

    def _side(self, at: int, members: _Members, chosen: Bools) -> Side:
        column = at - self._table.first
        chosen = chosen & (self._table.exposure[members.rows, column] > 0)
        rows = members.rows[chosen]
        return Side(
            units=tuple(compress(members.units, chosen.tolist())),
            events=self._table.events[rows, column],
            exposure=self._table.exposure[rows, column],
        )
