"""Canary events against baseline events, window by window, in a few hundred numbers.

Only sums are kept: one likelihood on a grid, and what each slot and node took of
the exposure, for the blur. Bins are taken one by one and in a fixed order of
units, so a look that was missed and made up later leaves the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.evidence.count_history import CountHistory
from causal_rollouts.evidence.eligible import Side
from causal_rollouts.evidence.frame import Floats, Frame, Unit
from causal_rollouts.model.arms import Arm
from causal_rollouts.stats.event_odds import LOG_RATIO, log_likelihood
from causal_rollouts.stats.window_covariance import window_correlation

Singles = NDArray[np.float32]

UNKNOWN_PHI = 0.98
"""Persistence of node drift where no latency metric shows it."""

_LEAST_BLUR = 0.05**2


@dataclass(frozen=True, slots=True)
class CountWindow:
    """Sums of one window. log_l: on LOG_RATIO.

    slots: exposure of each slot. nodes: exposure of the canary and of the control on each.
    totals: events and exposure of the canary, events and exposure of the control.
    """

    start: int
    log_l: Singles
    slots: Singles
    nodes: Singles
    totals: Floats


@dataclass(frozen=True, slots=True)
class Counts:
    """All windows of one comparison; bins below `next_bin` are consumed. Names in sorted order."""

    slots: tuple[str, ...]
    nodes: tuple[str, ...]
    next_bin: int
    windows: tuple[CountWindow, ...]


@dataclass(frozen=True, slots=True)
class Blur:
    """Variance of the log ratio that the draw of pods and the state of nodes make.

    control: what the draw of the control's pods has in it.
    """

    total: float
    control: float


def begin_counts(end: int) -> Counts:
    """Nothing seen; bins before `end` are history."""
    return Counts((), (), end, ())


def add_bin(
    counts: Counts, history: CountHistory, starts: Iterable[int], canary: Side, control: Side
) -> Counts:
    """One bin more in the window of each start; new windows, slots and nodes find their place."""
    counts = _with_places(counts, starts, (*canary.units, *control.units))
    e1, e0 = canary.scaled(history), control.scaled(history)
    treated, untreated = math.fsum(e1.tolist()), math.fsum(e0.tolist())
    if treated <= 0.0 or untreated <= 0.0:
        return counts
    n1, n0 = math.fsum(canary.events.tolist()), math.fsum(control.events.tolist())
    log_l = log_likelihood(n1, n0, treated / (treated + untreated), LOG_RATIO) / history.dispersion
    both = [unit.id for side in (canary, control) for unit in side.units]
    slots = _by_place(counts.slots, both, np.concatenate((e1, e0)))
    nodes = np.stack(
        (
            _by_place(counts.nodes, [unit.node for unit in canary.units], e1),
            _by_place(counts.nodes, [unit.node for unit in control.units], e0),
        )
    )
    exposure = [math.fsum(side.exposure.tolist()) for side in (canary, control)]
    totals = np.array([n1, exposure[0], n0, exposure[1]])
    due = set(starts)
    return replace(
        counts,
        windows=tuple(
            CountWindow(
                w.start,
                (w.log_l + log_l).astype(np.float32),
                (w.slots + slots).astype(np.float32),
                (w.nodes + nodes).astype(np.float32),
                w.totals + totals,
            )
            if w.start in due
            else w
            for w in counts.windows
        ),
    )


def blur(counts: Counts, window: CountWindow, frame: Frame, history: CountHistory, phi: float) -> Blur:
    """What pods and nodes alone may do to the ratio of this window up to the bins consumed."""
    arm = {unit.id: unit.arm for unit in frame.units}
    canary = np.array([arm.get(name) is Arm.CANARY for name in counts.slots], dtype=np.bool_)
    a, b = _shares(window.slots[canary]), _shares(window.slots[~canary])
    A, B = _shares(window.nodes[0]), _shares(window.nodes[1])
    span = window_correlation(phi, np.array([window.start]), np.array([counts.next_bin]))[0, 0]
    control = history.v_pod * float(b @ b)
    total = history.v_pod * float(a @ a) + control
    total += float(np.square(A - B) @ (history.variances(counts.nodes) + history.v_drift * span))
    return Blur(max(total, _LEAST_BLUR), control)


def _by_place(places: tuple[str, ...], names: list[str], values: Floats) -> Floats:
    """Sums of the values of each name, in the order of the places."""
    place = {name: i for i, name in enumerate(places)}
    sums = np.bincount([place[name] for name in names], weights=values, minlength=len(places))
    return sums.astype(np.float64)


def _shares(exposure: Singles) -> Floats:
    wide = exposure.astype(np.float64)
    total = float(wide.sum())
    return wide / total if total > 0.0 else wide


def _with_places(counts: Counts, starts: Iterable[int], units: tuple[Unit, ...]) -> Counts:
    slots = tuple(sorted({*counts.slots, *(u.id for u in units)}))
    nodes = tuple(sorted({*counts.nodes, *(u.node for u in units)}))
    known = {w.start for w in counts.windows}
    new = sorted(set(starts) - known)
    if slots == counts.slots and nodes == counts.nodes and not new:
        return counts
    slot_at = [slots.index(name) for name in counts.slots]
    node_at = [nodes.index(name) for name in counts.nodes]
    windows = []
    for w in counts.windows:
        slot_sums = np.zeros(len(slots), np.float32)
        node_sums = np.zeros((2, len(nodes)), np.float32)
        slot_sums[slot_at] = w.slots
        node_sums[:, node_at] = w.nodes
        windows.append(replace(w, slots=slot_sums, nodes=node_sums))
    windows += [
        CountWindow(
            start,
            np.zeros(len(LOG_RATIO), np.float32),
            np.zeros(len(slots), np.float32),
            np.zeros((2, len(nodes)), np.float32),
            np.zeros(4),
        )
        for start in new
    ]
    return replace(counts, slots=slots, nodes=nodes, windows=tuple(windows))
