"""Is memory flat? Told from samples over time, without a model of why it should grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

GROWTH = 0.05
"""Share by which the last quarter may lie above the second: an allocator's breath, no leak in a night."""


@dataclass(frozen=True, slots=True)
class Flat:
    """MiB in each quarter of the time, as medians. The first one fills caches and is not counted."""

    quarters: tuple[float, float, float, float]

    @property
    def growth(self) -> float:
        """Of the last quarter above the second one."""
        return self.quarters[3] / self.quarters[1] - 1.0

    @property
    def ok(self) -> bool:
        """It does not grow beyond what is allowed."""
        return self.growth <= GROWTH


def flat(mib: Sequence[float]) -> Flat:
    """From samples at equal distances, at least eight of them."""
    if len(mib) < 8:
        raise ValueError(f"{len(mib)} samples are too few to tell; give eight or more")
    cut = [round(i * len(mib) / 4) for i in range(5)]
    first, second, third, last = (median(mib[a:b]) for a, b in pairwise(cut))
    return Flat((first, second, third, last))
