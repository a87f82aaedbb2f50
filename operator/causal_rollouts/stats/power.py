"""What a test that is looked at again and again will find, told before it begins.

A look finds a shift when the estimate passes a critical value of that look. So
every path of estimation errors has one smallest shift that it would have found
by then, and what is detectable is a quantile of that over paths: one set of
paths answers for all shifts, all looks and both errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_HALVINGS = 40


def nested_errors(variance: Floats, paths: int, rng: np.random.Generator) -> Floats:
    """Errors of an efficient estimate at looks whose data are nested, [path, look].

    variance: of the estimate at each look (> 0), in any order; the look with less has seen more.
    Cov(e_s, e_t) = Var(e_t) where t has seen all that s has: errors times information are a Brownian
    motion in information. Jennison & Turnbull 2000, section 3.1. Kind: asymptotic; exact for best linear
    unbiased estimates of Gaussian data whose covariance is known.
    """
    order = np.argsort(-variance, kind="stable")
    information = 1.0 / variance[order]
    gained = np.diff(information, prepend=0.0)
    score = np.cumsum(rng.standard_normal((paths, len(variance))) * np.sqrt(gained), axis=1)
    errors = np.empty_like(score)
    errors[:, order] = score / information
    return errors


def partial_errors(errors: Floats, variance: Floats, partial: Floats, rng: np.random.Generator) -> Floats:
    """Errors of a worse estimate of the same shift, from a part of the data, [path, look].

    errors, variance: of the efficient one. partial: variance of the worse one; where it is not worse it is
    the same. An efficient estimate is uncorrelated with what the other adds to it (Hausman 1978), here
    drawn once a path: what pods and nodes are does not change from look to look.
    Kind: asymptotic; that the addition stands still over looks is a model.
    """
    added = np.sqrt(np.maximum(partial - variance, 0.0))
    drawn: Floats = errors + added * rng.standard_normal((len(errors), 1))
    return drawn


def arrival_times(counts: Ints, paths: int, rng: np.random.Generator) -> Floats:
    """Time of the n-th event of one unit-rate Poisson process for each n in counts (> 0), [path, n].

    Kind: exact (increments of gamma laws), so counts of any size cost the same.
    Rényi 1953 for differences of order statistics of exponential laws.
    """
    distinct, where = np.unique(counts, return_inverse=True)
    steps = np.diff(distinct, prepend=0).astype(np.float64)
    times: Floats = np.cumsum(rng.standard_gamma(steps, (paths, len(distinct))), axis=1)
    return times[:, where]


def found_by(caught: Floats) -> Floats:
    """Smallest shift found at a look or before it. caught: smallest one found at it, [path, look].

    Unit of the shift. Kind: exact (arithmetic).
    """
    least: Floats = np.minimum.accumulate(caught, axis=1)
    return least


def detectable(least: Floats, power: float) -> Floats:
    """Shift that a share `power` of the paths has found by each look; inf where none is. least: `found_by`.

    Kind: Monte Carlo of the law the paths were drawn from; the share is off by at most
    sqrt(power (1 - power) / paths) in one standard error.
    """
    # The order statistic, not between two: a mean of a number and infinity is neither.
    at = min(math.ceil(power * len(least)), len(least)) - 1
    found: Floats = np.sort(least, axis=0)[at]
    return found


def crossing(log_e: Callable[[float], float], threshold: float, low: float, high: float) -> float:
    """Where a rising function reaches a threshold in [low, high]: low where it has there, inf where never.

    Kind: numerical, bisection to 1e-6 of its value.
    """
    if log_e(low) >= threshold:
        return low
    if log_e(high) < threshold:
        return math.inf
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if log_e(middle) >= threshold:
            high = middle
        else:
            low = middle
        if high - low <= 1e-6 * max(abs(high), 1e-3):
            break
    return high


def least_count(log_e: Callable[[int], float], threshold: float, low: int, high: int) -> int | None:
    """Fewest events in [low, high] at which a rising function reaches a threshold, None where never.

    Kind: exact, by bisection over integers.
    """
    if log_e(high) < threshold:
        return None
    while low < high:
        middle = (low + high) // 2
        if log_e(middle) >= threshold:
            high = middle
        else:
            low = middle + 1
    return low
