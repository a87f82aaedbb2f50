"""Evidence that may be looked at every tick: likelihood ratios of Gaussian mixtures.

Each is a log e-value of an estimate, asymptotic: valid when the estimate is
Gaussian with a variance spread over the cells of `variance_cells`. Both
hypotheses carry the same spread. Robbins 1970; Howard et al. 2021.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.stats.logspace import log_normal_cdf, log_normal_density, log_sum_exp
from causal_rollouts.stats.variance_cells import CELL_LOG_MASS

Floats = NDArray[np.float64]

Scales = tuple[tuple[float, float], ...]
"""A prior of several scales: (mass, variance), masses summing to one."""

_INTERVAL_STEPS = 192


def one_sided_log_e(x: float, v: Floats, kappa2: float) -> float:
    """Log e-value of `shift > 0` against `shift <= 0`, half-normal prior.

    x: estimate minus null. v: its variance in each cell (> 0). kappa2: prior variance.
    v [cells]. The density ratio `2 N(x; 0, v + kappa2) Phi(x sqrt(kappa2 / (v (v + kappa2)))) / N(x; 0,
    v)`, averaged over cells on both sides: Robbins 1970; the one-sided normal mixture of Howard et al.
    2021. Kind: asymptotic.
    """
    wide = v + kappa2
    alternative = (
        math.log(2.0) + log_normal_density(x, wide) + log_normal_cdf(x * np.sqrt(kappa2 / (v * wide)))
    )
    return _log_ratio(alternative, log_normal_density(x, v))


def scaled_one_sided_log_e(x: float, v: Floats, scales: Scales) -> float:
    """As `one_sided_log_e`, averaged over priors of several scales.

    An average of e-values is an e-value. One narrow scale calls a great effect improbable, and where the
    variance itself is in doubt the null then explains it better than the alternative.
    x, v as there. Mixtures of mixtures: Robbins 1970. Kind: asymptotic.
    """
    return log_sum_exp(np.array([math.log(mass) + one_sided_log_e(x, v, kappa2) for mass, kappa2 in scales]))


def cut_normal_log_e(x: float, v: Floats, kappa2: float, centre: float) -> float:
    """Log e-value of `shift > 0` against `shift <= 0`, normal prior about `centre` cut at zero.

    Without the cut the prior reaches below zero, and an estimate far on the wrong
    side is explained better by that tail than by zero: great harm would read as safety.
    x: margin minus estimate. v [cells]. kappa2, centre: variance and mean of the prior before the cut.
    Density ratio as of `one_sided_log_e` with that prior (Robbins 1970). Kind: asymptotic.
    """
    wide = v + kappa2
    posterior = (centre * v + x * kappa2) / np.sqrt(v * kappa2 * wide)
    alternative = (
        log_normal_density(x - centre, wide)
        + log_normal_cdf(posterior)
        - log_normal_cdf(centre / math.sqrt(kappa2))
    )
    return _log_ratio(alternative, log_normal_density(x, v))


def two_sided_log_e(x: float, v: Floats, kappa2: float) -> float:
    """Log e-value of `shift != 0` against `shift = 0`, normal prior about zero.

    x, v, kappa2 as of `one_sided_log_e`. `N(x; 0, v + kappa2) / N(x; 0, v)`: Robbins 1970; the
    two-sided normal mixture of Howard et al. 2021. Kind: asymptotic.
    """
    return _log_ratio(log_normal_density(x, v + kappa2), log_normal_density(x, v))


def interval_half_width(v: Floats, scales: Scales, log_limit: float) -> float:
    """Half width of the interval of shifts that the two-sided mixture does not refute at `log_limit`.

    scales: as in `scaled_one_sided_log_e`, normal priors about zero.

    The ratio depends on the distance alone; the outermost distance below the limit is taken, so a dent
    in a mixture of very unequal variances cannot cut the interval short.
    v [cells]; in the unit of the estimate. The set of shifts with an e-value below the limit is a
    confidence sequence of level `1 - exp(-log_limit)` (Ville 1939; Howard et al. 2021). Kind:
    asymptotic.
    """
    widest = max(kappa2 for _, kappa2 in scales)
    reach = math.sqrt(2.0 * (log_limit + math.log1p(widest / float(v.min()))) + 4.0)
    near, far = 0.0, reach * math.sqrt(float(v.max()) + widest)
    wide = np.concatenate([v + kappa2 for _, kappa2 in scales])
    log_mass = np.concatenate([CELL_LOG_MASS + math.log(mass) for mass, _ in scales])

    def log_e(x: Floats) -> Floats:
        return _log_mixture(x, wide, log_mass) - _log_mixture(x, v, CELL_LOG_MASS)

    while log_e(np.array([far]))[0] < log_limit:
        near, far = far, 2.0 * far
    for _ in range(3):
        distance = np.linspace(near, far, _INTERVAL_STEPS)
        inside = int(np.flatnonzero(log_e(distance) < log_limit)[-1])
        near, far = float(distance[inside]), float(distance[inside + 1])
    return near


def _log_mixture(x: Floats, variance: Floats, log_mass: Floats) -> Floats:
    """Log density of a mixture of centred normals at each x."""
    log_p = log_mass[:, None] + log_normal_density(x, variance[:, None])
    top = log_p.max(axis=0)
    density: Floats = top + np.log(np.exp(log_p - top).sum(axis=0))
    return density


def _log_ratio(alternative: Floats, null: Floats) -> float:
    return log_sum_exp(CELL_LOG_MASS + alternative) - log_sum_exp(CELL_LOG_MASS + null)
