"""A likelihood that saw only a sample of units: both hypotheses are blurred by that draw.

Without the blur a fine sample of events proves that these few units differ, which
nobody asked; with a plugged-in variance it does so whenever the estimate is low.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.stats.event_odds import peak
from causal_rollouts.stats.logspace import log_normal_cdf, log_normal_density, log_sum_exp
from causal_rollouts.stats.variance_cells import CELL_LOG_MASS, CELL_MASS

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BlurredLikelihood:
    """Likelihood of a shift that differs from the wanted one by N(0, variance) of the draw.

    grid: even. log_l: one row for all cells of the variance, or one for each. variance: per cell (> 0).
    """

    grid: Floats
    log_l: Floats
    variance: Floats

    def above(self, null: float, kappa2: float) -> float:
        """Log e-value of `shift > null` against `shift <= null`, half-normal prior beyond it."""
        return self._one_sided(self.grid - null, kappa2)

    def below(self, margin: float, kappa2: float) -> float:
        """Log e-value of `shift < margin` against `shift >= margin`."""
        return self._one_sided(margin - self.grid, kappa2)

    def interval(self, kappa2: float, log_limit: float) -> tuple[float, float]:
        """All shifts that a two-sided mixture (normal prior) does not refute; infinite past the grid."""
        log_e = self._two_sided(kappa2)
        inside = np.flatnonzero(log_e < log_limit)
        if not len(inside):
            best = float(self.grid[int(log_e.argmin())])
            return best, best
        first, last = int(inside[0]), int(inside[-1])
        step = float(self.grid[1] - self.grid[0])
        lower, upper = -math.inf, math.inf
        if first > 0:
            lower = float(self.grid[first]) - step * _reached(log_e[first], log_e[first - 1], log_limit)
        if last < len(log_e) - 1:
            upper = float(self.grid[last]) + step * _reached(log_e[last], log_e[last + 1], log_limit)
        return lower, upper

    def mode(self) -> float:
        """The most likely shift, cells of the variance averaged."""
        average: Floats = np.logaddexp.reduce(self.log_l + CELL_LOG_MASS[:, None], axis=0)
        return peak(self.grid, average)

    def _one_sided(self, x: Floats, kappa2: float) -> float:
        narrow = self.variance[:, None]
        wide = narrow + kappa2
        log_l = self.log_l + CELL_LOG_MASS[:, None]
        cut = log_normal_cdf(x * np.sqrt(kappa2 / (narrow * wide)))
        alternative = math.log(2.0) + log_sum_exp(log_l + log_normal_density(x, wide) + cut)
        return alternative - log_sum_exp(log_l + log_normal_density(x, narrow))

    def _two_sided(self, kappa2: float) -> Floats:
        # One convolution serves every null at once. What lies 16 digits under the peak is refuted anyhow.
        n = len(self.grid)
        distance = self.grid - self.grid[0]
        narrow, wide = self.variance[:, None], self.variance[:, None] + kappa2
        size = 1 << (3 * n).bit_length()
        weight = np.fft.rfft(np.exp(self.log_l - self.log_l.max()), size)
        sums = []
        for variance in (wide, narrow):
            half = CELL_MASS[:, None] * np.exp(log_normal_density(distance, variance))
            if len(weight) == 1:
                half = half.sum(axis=0, keepdims=True)
            kernel = np.concatenate((half[:, :0:-1], half), axis=1)
            product = (weight * np.fft.rfft(kernel, size)).sum(axis=0)
            sums.append(np.maximum(np.fft.irfft(product, size)[n - 1 : 2 * n - 1], 1e-300))
        log_e: Floats = np.log(sums[0]) - np.log(sums[1])
        return log_e


def _reached(inside: float, outside: float, limit: float) -> float:
    """Part of the step from a point under the limit to one above it."""
    return min(max(float((limit - inside) / (outside - inside)), 0.0), 1.0)
