"""Thresholds that a careful user would set, where a rule of another tool asks for one.

The tools leave the number to the user and their examples are fixed ones (99%
success, 500 ms), which fit no service in particular. So it is taken from what
the service itself did in the hour before, with the margin that our gate has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum

from causal_rollouts.analysis.peers.traffic import Signal
from causal_rollouts.analysis.peers.watched import Watched
from causal_rollouts.model.metrics import Margins


class Ground(StrEnum):
    """What of the past the margin is put on.

    usual: the value over the whole past of the stable fleet.
    worst: the highest value that as many stable pods as there are canaries had in one interval of the past.
    """

    USUAL = "usual"
    WORST = "worst"


def limits(watched: Watched, ground: Ground, interval: float) -> Mapping[Signal, float]:
    """Highest value of each signal that is still taken for good; inf where the past says nothing."""
    return {
        signal: _allowed(_past(watched, signal, ground, watched.bins(interval)), watched.margins[signal])
        for signal in Signal
    }


def _past(watched: Watched, signal: Signal, ground: Ground, step: int) -> float:
    if ground is Ground.USUAL:
        found = watched.past.read(signal, 0, len(watched.past))
        return math.inf if found is None or math.isnan(found) else found
    values = watched.alike.series(signal, 0, len(watched.alike), step)
    return float(values.max()) if values.size else math.inf


def _allowed(value: float, margins: Margins) -> float:
    return max(value * (1.0 + margins.revert_above), value + margins.revert_above_points)
