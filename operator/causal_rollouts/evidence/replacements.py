"""Pods that took another's place in a slot: cold again, whatever the slot has shown so far.

A slot is one unit however many pods it had, and its own start is waited for. A
pod that comes later (a drained node, an eviction) starts as cold as the first,
and on one side only: counted at once, it would pass for the release.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.evidence.frame import Frame
from causal_rollouts.evidence.levels import NEVER
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.bins import Grid

Starts = tuple[tuple[int, int], ...]
"""(row of the unit, bin in which a later pod of it became ready)."""


def later_starts(grid: Grid, pods: Iterable[Pod], frame: Frame) -> Starts:
    """Of the slots of a frame."""
    row = {unit.id: i for i, unit in enumerate(frame.units) if unit.arm is not Arm.STABLE}
    ready = [(row[pod.slot], grid.index(pod.ready)) for pod in pods if pod.slot in row and pod.ready]
    return tuple((i, at) for i, at in ready if at > frame.units[i].ready)


def expected(starts: Starts, frame: Frame, first: int) -> NDArray[np.bool_]:
    """[unit, bin] from `first` to `frame.now`: where a unit should be measured.

    Once it is warm, and a stable pod until it goes; a slot never goes.
    """
    bins = np.arange(first, frame.now + 1)
    warm = np.array([unit.ready + frame.warm_up for unit in frame.units], dtype=np.int64)
    gone = np.array([NEVER if u.gone is None else u.gone for u in frame.units], dtype=np.int64)
    here: NDArray[np.bool_] = (bins >= warm[:, None]) & (bins < gone[:, None])
    return here & ~cold(starts, frame, first)


def cold(starts: Starts, frame: Frame, first: int) -> NDArray[np.bool_]:
    """[unit, bin] from `first` to `frame.now`: in which a later pod is not warm yet."""
    out = np.zeros((len(frame.units), frame.now - first + 1), dtype=np.bool_)
    for i, at in starts:
        out[i, max(at - first, 0) : max(at + frame.warm_up - first, 0)] = True
    return out
