"""How much of a mean's scatter is sampling, read from means alone.

Where single observations are never seen, only their mean and number, the part
that shrinks with the number is told from the part that does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDS = 4


def sampling_variance(y: Floats, n: Floats) -> float:
    """Variance of one observation; 0 where numbers never differ, so that nothing can be told.

    y, n [units, steps]: mean of n observations, n = 0 where missing. Least squares of squared steps
    `(y_t - y_{t-1})^2` on `1/n_t + 1/n_{t-1}`, reweighted by the fitted square as squares of normals ask;
    its slope is the variance sought when the rest of the noise does not depend on n (variance function
    estimation: Davidian and Carroll 1987). Cut to at least 0 and to at most what would explain all of the
    scatter. Kind: model.
    """
    both = (n[:, 1:] > 0) & (n[:, :-1] > 0)
    if not both.any():
        return 0.0
    square = np.square(y[:, 1:] - y[:, :-1])[both]
    x = 1.0 / n[:, 1:][both] + 1.0 / n[:, :-1][both]
    if float(np.ptp(x)) <= 1e-6 * float(x.max()):
        return 0.0
    most = float(square.mean() / x.mean())
    slope, weight = 0.0, np.ones_like(x)
    for _ in range(_ROUNDS):
        centre, level = np.average(x, weights=weight), np.average(square, weights=weight)
        within = float((weight * np.square(x - centre)).sum())
        slope = float((weight * (x - centre) * (square - level)).sum()) / within
        slope = min(max(slope, 0.0), most)
        fitted = np.maximum(level + slope * (x - centre), 0.01 * level)
        if level <= 0.0:
            return 0.0
        weight = 1.0 / np.square(fitted)
    return slope
