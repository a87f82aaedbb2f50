"""An effect with its interval against its margins, in one line of text."""

from __future__ import annotations

import math
from dataclasses import dataclass

WIDE = 25
"""Characters; odd, so that no change is in the middle."""

BEYOND = 1.6
"""How far the axis reaches beyond the wider margin."""


@dataclass(frozen=True, slots=True)
class Bar:
    """All are log ratios. effect, lower and upper may be nan or infinite; harm and safe are the margins."""

    effect: float
    lower: float
    upper: float
    harm: float
    safe: float

    def drawn(self, *, signs: bool) -> str:
        """`|` is no change, `!` the harm margin, `:` the safe one; what is off the axis ends in an arrow.

        signs: the interval is drawn with signs beyond ASCII.
        """
        line, point = ("─", "●") if signs else ("-", "o")
        cells = [" "] * WIDE
        low, high = self._cell(self.lower), self._cell(self.upper)
        if not math.isnan(self.lower) and not math.isnan(self.upper):
            cells[low : high + 1] = line * (high + 1 - low)
        for value, mark in ((0.0, "|"), (self.safe, ":"), (self.harm, "!")):
            cells[self._cell(value)] = mark
        if not math.isnan(self.effect):
            cells[self._cell(self.effect)] = point
        if self.lower < -self._reach:
            cells[0] = "<"
        if self.upper > self._reach:
            cells[-1] = ">"
        return f"[{''.join(cells)}]"

    @property
    def _reach(self) -> float:
        return BEYOND * max(self.harm, self.safe, 0.01)

    def _cell(self, value: float) -> int:
        if math.isnan(value):
            return 0
        share = (max(-self._reach, min(self._reach, value)) / self._reach + 1.0) / 2.0
        return round(share * (WIDE - 1))
