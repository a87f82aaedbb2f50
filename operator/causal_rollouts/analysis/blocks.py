"""Blocks of an event study, counted from the first stage so that none straddles it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.opinion import Span
from causal_rollouts.analysis.panel import Panel
from causal_rollouts.stats.change_scores import levels
from causal_rollouts.stats.event_study import Moment

Floats = NDArray[np.float64]

MINUTES = 5.0
"""Of a block: longer than drift is remembered, short enough to show when something began."""


def before(panel: Panel) -> int:
    """Whole blocks before the first stage."""
    return panel.t0 // _length(panel)


def blocks(y: Floats, w: Floats, panel: Panel) -> Floats:
    """Weighted means, [units, blocks]; what does not fill a block at either end is left out."""
    length = _length(panel)
    first = panel.t0 % length
    count = (y.shape[1] - first) // length
    edges = [slice(first + length * k, first + length * (k + 1)) for k in range(count)]
    found: Floats = np.column_stack([levels(y[:, at], w[:, at]) for at in edges]) if count else y[:, :0]
    return found


def spans(moments: Sequence[Moment], panel: Panel) -> tuple[Span, ...]:
    """Moments with their minutes from the first stage."""
    minutes = _length(panel) * panel.bin
    found = []
    for m in moments:
        begin = (m.block - before(panel)) * minutes
        e = m.theta.estimate
        found.append(Span(begin, begin + minutes, e, e - m.half, e + m.half, e - m.band, e + m.band))
    return tuple(found)


def _length(panel: Panel) -> int:
    return max(1, math.ceil(MINUTES / panel.bin))
