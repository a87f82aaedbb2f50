"""Counts against a rate that is known beforehand, where both sides together have too few events."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.stats.logspace import log_sum_exp

Floats = NDArray[np.float64]

_LOG_RATIO: Floats = 0.05 + 0.1 * np.arange(70, dtype=np.float64)
_PRIOR_VARIANCE = 4.0

_LOG_PRIOR: Floats = -0.5 * np.square(_LOG_RATIO) / _PRIOR_VARIANCE
_LOG_PRIOR -= log_sum_exp(_LOG_PRIOR)

_MORE: Floats = np.exp(_LOG_RATIO) - 1.0
_LESS: Floats = 1.0 - np.exp(-_LOG_RATIO)


def surplus_log_e(events: float, expected: float) -> float:
    """Log e-value of a rate above the null, mixture over rate ratios (log half-normal, sd 2).

    expected: what the null rate gives over the exposure so far. The null may be set anew each step
    from what was known before it. Exact when counts are Poisson at or below it.
    events, expected >= 0. `sum_k p_k exp(x r_k - mu (e^{r_k} - 1))`: a mixture of Poisson likelihood
    ratios, a supermartingale under the null (Robbins 1970; Shafer 2021 for e-values as bets).
    """
    return log_sum_exp(_LOG_PRIOR + events * _LOG_RATIO - expected * _MORE)


def shortfall_log_e(events: float, expected: float) -> float:
    """The same of a rate below the null; exact when counts are Poisson at or above it.

    events, expected >= 0. `sum_k p_k exp(-x r_k + mu (1 - e^{-r_k}))` (Robbins 1970).
    """
    return log_sum_exp(_LOG_PRIOR - events * _LOG_RATIO + expected * _LESS)
