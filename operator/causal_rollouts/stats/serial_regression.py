"""A line through a series that remembers: what moves with what, when neighbours in time are not independent.

Ordinary least squares would take each bin of a slow wander for a new witness. Here the errors are an
AR(1) process whose memory is estimated, corrected for being underestimated in short series, and used
for the estimate as well as for its error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.stats.few_units import half_width

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDS = 20
_MEMORY_AT_MOST = 0.97
_LEAST_FREE = 3.0


@dataclass(frozen=True, slots=True)
class SerialFit:
    """One coefficient: estimate and se in units of y per x; df; rho: memory of the errors per step."""

    estimate: float
    se: float
    df: float
    rho: float

    def half_width(self, confidence: float) -> float:
        """Half of the two-sided t interval; nan where nothing varies."""
        return half_width(self.se, self.df, confidence)


def serial_regression(
    y: Floats, X: Floats, at: Ints, column: int = 0, rho: float | None = None
) -> SerialFit | None:
    """Feasible generalised least squares with AR(1) errors; None where the series cannot tell.

    y [times], X [times, columns], at [times]: rising whole steps, gaps allowed. rho: of the errors, where it
    is known. Prais and Winsten 1954, iterated; rho corrected to rho + (1 + 3 rho)/T (Kendall 1954), from 0 to
    .97; df: (T - columns)(1 - rho)/(1 + rho), as many as independent errors would leave.
    Asymptotic in the length of the series.
    """
    T, columns = X.shape
    if columns + 2 >= T or np.linalg.matrix_rank(X) < columns:
        return None
    gap = np.diff(at)
    memory = _memory(y, X, gap) if rho is None else rho
    Z, z = _whitened(X, gap, memory), _whitened(y[:, None], gap, memory)[:, 0]
    inverse = np.linalg.inv(Z.T @ Z)
    beta = inverse @ (Z.T @ z)
    e = z - Z @ beta
    scale = float(e @ e) / (T - columns)
    df = max((T - columns) * (1.0 - memory) / (1.0 + memory), _LEAST_FREE)
    se = math.sqrt(scale * float(inverse[column, column]))
    return SerialFit(float(beta[column]), se, df, memory)


def _memory(y: Floats, X: Floats, gap: Ints) -> float:
    """Of the residuals, from neighbours without a gap; corrected once, at the end."""
    rho, near, T = 0.0, gap == 1, len(y)
    for _ in range(_ROUNDS):
        Z, z = _whitened(X, gap, rho), _whitened(y[:, None], gap, rho)[:, 0]
        e = y - X @ np.linalg.lstsq(Z, z, rcond=None)[0]
        power = float(e[:-1][near] @ e[:-1][near])
        new = float(e[1:][near] @ e[:-1][near]) / power if power > 0 else 0.0
        new = float(np.clip(new, 0.0, _MEMORY_AT_MOST))
        if abs(new - rho) < 1e-10:
            break
        rho = new
    return float(np.clip(rho + (1.0 + 3.0 * rho) / T, 0.0, _MEMORY_AT_MOST))


def _whitened(X: Floats, gap: Ints, rho: float) -> Floats:
    """Rows less what the row before tells of them, scaled to equal variance."""
    tells = rho ** gap.astype(np.float64)
    first = X[:1] * math.sqrt(1.0 - rho * rho)
    # The innovation over a gap has variance (1 - rho^2g) of the stationary one, one step (1 - rho^2).
    scale = np.sqrt((1.0 - rho * rho) / (1.0 - tells * tells))
    rest = (X[1:] - tells[:, None] * X[:-1]) * scale[:, None]
    found: Floats = np.vstack((first, rest))
    return found
