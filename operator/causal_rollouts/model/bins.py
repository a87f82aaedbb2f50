"""Time is cut into epoch-aligned bins, each consumed exactly once.

Alignment to the epoch, not to the release, makes a replay, a restart and a
second copy of the operator cut at the same instants.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grid:
    """Bins of `width` seconds; a bin is final `delay` seconds after its end."""

    width: float
    delay: float
    scrape: float

    def index(self, time: float) -> int:
        """Bin that contains `time`: [i * width, (i + 1) * width)."""
        return math.floor(time / self.width)

    def after(self, time: float) -> int:
        """First bin that begins at or after `time`."""
        return math.ceil(time / self.width)

    def start(self, index: int) -> float:
        """First instant of a bin."""
        return index * self.width

    def end(self, index: int) -> float:
        """First instant after a bin."""
        return (index + 1) * self.width

    def last_final(self, now: float) -> int:
        """Newest bin whose samples have all had time to arrive."""
        return math.floor((now - self.delay) / self.width) - 1

    def last_look(self, now: float) -> int:
        """Newest bin at which the gate looks: every second one, epoch-aligned, so that all look alike."""
        last = self.last_final(now)
        return last if last % 2 else last - 1

    def final_at(self, index: int) -> float:
        """When a bin becomes final."""
        return self.end(index) + self.delay
