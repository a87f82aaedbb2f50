"""Who stands where, as arrays: the same for every window of a look."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress, groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.evidence.frame import Frame
from causal_rollouts.evidence.levels import NEVER, ContinuousState, slot_begin
from causal_rollouts.model.arms import Arm

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Layout:
    """The frame in arrays, stable units and then slots; the same for every window of a look.

    names: of nodes. units: stable units and slots, the latter twice where they had a pre-period.
    exposure: per node. odd: of a stable unit, by its place on its node, with those that are gone.
    cohort: of a slot, the latest first bin of those that started with it.
    """

    names: tuple[str, ...]
    units: int
    exposure: Ints
    stable: Ints
    odd: Ints
    node: Ints
    canary: Bools
    begin: Ints
    cohort: Ints
    rows: Ints
    end: int
    stable_end: int
    excluded: frozenset[int]

    @property
    def nodes(self) -> int:
        """How many nodes."""
        return len(self.names)

    @classmethod
    def of(cls, state: ContinuousState, frame: Frame, t0: int) -> Layout:
        """Units that the state knows; a stable pod gone before un-pause, which replaces all, is left out."""
        place = {unit: i for i, unit in enumerate((*state.stable, *state.slots))}
        S = len(state.stable)
        born = sorted((u for u in frame.units if place.get(u.id, S) < S), key=lambda u: (u.node, u.id))
        parity = [i % 2 for _, group in groupby(born, key=lambda u: u.node) for i, _ in enumerate(group)]
        until = NEVER if frame.until_stable is None else frame.until_stable
        # `until` is the first whole bin after the un-pause: the one before may have lost pods already.
        stayed = [u.gone is None or u.gone >= until - 1 for u in born]
        odd = list(compress(parity, stayed))
        stable = list(compress(born, stayed))
        slots = [u for u in frame.units if place.get(u.id, -1) >= S]
        names = sorted({u.node for u in (*stable, *slots)})
        number = {name: j for j, name in enumerate(names)}
        begin = np.array([slot_begin(u, t0, frame.warm_up) for u in slots], dtype=np.int64)
        return cls(
            names=tuple(names),
            units=len(stable) + len(slots) * (1 if state.past is None else 2),
            exposure=np.array([frame.exposed.get(name, NEVER) for name in names], dtype=np.int64),
            stable=np.array([place[u.id] for u in stable], dtype=np.int64),
            odd=np.array(odd, dtype=np.int64),
            node=np.array([number[u.node] for u in (*stable, *slots)], dtype=np.int64),
            canary=np.array([u.arm is Arm.CANARY for u in slots], dtype=np.bool_),
            begin=begin,
            cohort=_cohorts(begin, frame.warm_up),
            rows=np.array([place[u.id] for u in slots], dtype=np.int64),
            end=state.next_bin,
            stable_end=min(state.next_bin, until),
            excluded=frame.excluded,
        )


def _cohorts(begin: Ints, warm_up: int) -> Ints:
    """Pods of one rise become ready some bins apart: starts no further apart than warm-up are one."""
    cohort = begin.copy()
    order = np.argsort(-begin, kind="stable")
    for later, earlier in pairwise(order):
        if begin[later] - begin[earlier] <= warm_up:
            cohort[earlier] = cohort[later]
    return cohort
