"""Does a pod of one arm serve as much as a pod of the other?

Two Poisson counts with their exposures: given the sum, the one is binomial, so what can be said of
the ratio of rates is exact and needs no estimate of a common rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from causal_rollouts.stats.binomial import clopper_pearson


@dataclass(frozen=True, slots=True)
class RateRatio:
    """(x/e) / (y/f) and its interval; nan while both counts are zero."""

    ratio: float
    lower: float
    upper: float

    def beyond(self, slack: float) -> bool:
        """Shown to be further from 1 than `slack`, either way: more than 1 + slack, or its inverse."""
        return self.lower > 1.0 + slack or self.upper < 1.0 / (1.0 + slack)


def rate_ratio(x: int, e: float, y: int, f: float, level: float = 0.99) -> RateRatio:
    """Ratio of two Poisson rates, and its interval at `level` given x + y.

    x, y: counts; e, f: their exposures (> 0). Conditional binomial: Przyborowski and Wilenski 1940; its
    quantiles: Clopper and Pearson 1934. Kind: exact for independent requests; a look, not over all looks.
    """
    if x + y <= 0:
        return RateRatio(math.nan, 0.0, math.inf)
    low, high = clopper_pearson(x, x + y, level)
    return RateRatio(_odds(x / (x + y), f / e), _odds(low, f / e), _odds(high, f / e))


def _odds(share: float, scale: float) -> float:
    return math.inf if share >= 1.0 else scale * share / (1.0 - share)
