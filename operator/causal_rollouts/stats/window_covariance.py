"""How alike two averages of one drifting level are.

The long-run shortcut (long-run variance over length) overstates a short window
tenfold at phi .97; this is the exact mean of phi^|u-v| over both windows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def second_integral(phi: float, longest: int) -> Floats:
    """H(0..longest) of an AR(1) with unit variance.

    H is even with H(0) = 0, H(1) = 1/2 and H(d+1) = 2 H(d) - H(d-1) + phi^d, so that its mixed
    second difference over two windows is the sum of phi^|u-v| over them. Closed form, 0 <= phi < 1.
    [longest + 1]. Derived by summing the geometric series twice. Kind: exact.
    """
    d = np.arange(longest + 1, dtype=np.float64)
    table: Floats = (d - phi * (1.0 - phi**d) / (1.0 - phi)) / (1.0 - phi) - d / 2.0
    return table


def window_correlation(phi: float, begin: Ints, end: Ints) -> Floats:
    """Matrix of the covariance of window means of a unit AR(1), windows [begin, end) in whole steps.

    begin, end [windows], whole steps; [windows, windows]. `sum_{u, v} phi^|u - v| / (l_r l_s)` from H
    by inclusion and exclusion. Kind: exact.
    """
    table = second_integral(phi, int(end.max() - begin.min()))
    apart = np.abs(begin[:, None] - end[None, :])
    total = table[apart] + table[apart.T]
    total -= table[np.abs(begin[:, None] - begin[None, :])]
    total -= table[np.abs(end[:, None] - end[None, :])]
    length = (end - begin).astype(np.float64)
    correlation: Floats = total / np.multiply.outer(length, length)
    return correlation
