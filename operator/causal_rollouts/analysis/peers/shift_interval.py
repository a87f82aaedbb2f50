"""By how much one sample lies above another: the estimate of Hodges and Lehmann with its interval.

Hodges & Lehmann 1963; the interval inverts the test of Mann & Whitney 1947 in
its normal approximation with continuity correction and correction for ties, as
in Bauer 1972. Asymptotic, for independent observations: time series are not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from causal_rollouts.analysis.peers.traffic import Floats


@dataclass(frozen=True, slots=True)
class Shift:
    """Location of x above y, in their unit."""

    estimate: float
    lower: float
    upper: float


def shift_interval(x: Floats, y: Floats, level: float) -> Shift:
    """x: [m], y: [n], at least one each. level: two-sided confidence."""
    differences = np.sort(np.subtract.outer(x, y), axis=None)
    pairs, total = differences.size, x.size + y.size
    # Ties between the samples dissolve under a shift; those inside a sample stay.
    tied = 0.0 if np.ptp(x) == np.ptp(y) == 0.0 else _tied(x) + _tied(y)
    sd = math.sqrt(pairs / 12.0 * (total + 1.0 - tied / (total * (total - 1.0))))
    needed = math.ceil(pairs / 2.0 + 0.5 + float(ndtri((1.0 + level) / 2.0)) * sd)
    reached = min(needed, pairs)
    return Shift(
        float(np.median(differences)),
        float(differences[pairs - reached]),
        float(differences[reached - 1]),
    )


def _tied(values: Floats) -> float:
    times = np.unique(values, return_counts=True)[1].astype(np.float64)
    return float((times**3 - times).sum())
