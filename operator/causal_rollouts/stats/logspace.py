"""Sums of tiny numbers, without the second it takes to import scipy.stats.

Evidence is a ratio of mixtures whose terms underflow long before their ratio
does, so everything here stays in logs.
"""

from __future__ import annotations

import math
from typing import overload

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

Floats = NDArray[np.float64]

_LOG_2PI = math.log(2.0 * math.pi)


def log_sum_exp(values: Floats) -> float:
    """log(sum(exp(values))); -inf of an empty or vanishing sum.

    values of any shape, in nats. Kind: numerical, to rounding.
    """
    top = float(values.max(initial=-math.inf))
    if not math.isfinite(top):
        return top
    return top + math.log(float(np.exp(values - top).sum()))


def log_normal_density(x: float | Floats, variance: Floats) -> Floats:
    """Log density of N(0, variance) at x, elementwise.

    x a number or of the shape of variance (> 0). Kind: exact.
    """
    density: Floats = -0.5 * (_LOG_2PI + np.log(variance) + np.square(x) / variance)
    return density


@overload
def log_normal_cdf(x: float) -> float: ...
@overload
def log_normal_cdf(x: Floats) -> Floats: ...
def log_normal_cdf(x: float | Floats) -> float | Floats:
    """Log of Phi(x), exact far into the lower tail.

    x of any shape. Kind: numerical (scipy.special.log_ndtr), relative error near 1e-15.
    """
    return log_ndtr(x)  # type: ignore[no-any-return]
