"""Blocks of an event study, counted from the first stage so that none straddles it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.opinion import Span
from causal_rollouts.stats.change_scores import levels
from causal_rollouts.stats.event_study import Moment

Floats = NDArray[np.float64]

MINUTES = 5.0
"""Of a block: longer than drift is remembered, short enough to show when something began."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """t0: column of the first stage. length: columns of a block. bin: minutes of a column."""

    t0: int
    length: int
    bin: float

    @classmethod
    def of(cls, t0: int, bin_minutes: float, minutes: float = MINUTES) -> Blocks:
        """Blocks of about so many minutes."""
        return cls(t0, max(1, math.ceil(minutes / bin_minutes)), bin_minutes)

    @property
    def before(self) -> int:
        """Whole blocks before the first stage."""
        return self.t0 // self.length

    def means(self, y: Floats, w: Floats) -> Floats:
        """Weighted means, [units, blocks]; what does not fill a block at either end is left out."""
        first = self.t0 % self.length
        count = (y.shape[1] - first) // self.length
        edges = [slice(first + self.length * k, first + self.length * (k + 1)) for k in range(count)]
        found: Floats = np.column_stack([levels(y[:, at], w[:, at]) for at in edges]) if count else y[:, :0]
        return found

    def spans(self, moments: Sequence[Moment]) -> tuple[Span, ...]:
        """Moments with their minutes from the first stage."""
        minutes = self.length * self.bin
        found = []
        for m in moments:
            begin = (m.block - self.before) * minutes
            e = m.theta.estimate
            found.append(Span(begin, begin + minutes, e, e - m.half, e + m.half, e - m.band, e + m.band))
        return tuple(found)
