"""What everybody would see at full treatment, from what everybody saw at smaller shares of it.

The mean over all units is a polynomial of the share where each unit minds only so many others; a line
is the least that lets units mind each other at all, and the most that the first shares can carry.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.stats.serial_regression import SerialFit, serial_regression

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def extrapolation_weights(shares: Sequence[float]) -> Floats:
    """Weights h of means, sum(h mean) being the mean at share 1 less that at 0 on a polynomial through them.

    shares: distinct, 0 to 1; h in their order. h_k = l_k(1) - l_k(0), l Lagrange's: Cortez, Eichhorn and Yu
    2022, theorem 1. The noise of independent means grows by sqrt(sum h^2). Kind: exact (arithmetic).
    """
    p = np.array(shares, dtype=np.float64)
    h = np.empty(len(p))
    for k in range(len(p)):
        others = np.delete(p, k)
        h[k] = (np.prod(1.0 - others) - np.prod(-others)) / np.prod(p[k] - others)
    return h


def total_effect(y: Floats, share: Floats, at: Ints, reference: Floats | None = None) -> SerialFit | None:
    """Mean at share 1 less at share 0 along a line; None where the share never moved.

    y, share, at [times]: mean of all units, share treated, whole steps of time. reference [times]: of a
    series that treatment cannot reach and that drifts alike; it is subtracted. Two shares give Cortez,
    Eichhorn and Yu 2022 at degree 1; more a weighted line. Model: linear in the share, and what is left of
    drift is stationary with one memory.
    """
    left = y if reference is None else y - reference
    return serial_regression(left, np.column_stack((share, np.ones(len(y)))), at)
