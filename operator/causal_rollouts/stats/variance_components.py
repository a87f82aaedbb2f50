"""Where the noise of a fleet comes from, learned once from its own past.

Units sit in groups and are watched over steps of time. What differs between
units for ever, between groups for ever, drifts within a group, or is gone by
the next step costs a comparison of fresh units very different amounts.
Moments, not likelihood: one pass of linear algebra, nothing to converge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.stats.variance_cells import chi2_quantile
from causal_rollouts.stats.window_covariance import second_integral

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDS = 4
_FIRST_A = 1e-4
_FLOOR_A = 1e-5
_CLIP = 4.0
_BLOCKS = (10, 20)
_KAP_UNKNOWN = 1.5
_PHI_CAP = 0.98
_FLOOR_GAM = 1e-7
_TINY = 1e-8
_FEW_DF = 4
_UNKNOWN_VARIANCE = 1.0


@dataclass(frozen=True, slots=True)
class Components:
    """Variance of a step's mean of n observations: a + s2/n; of sums of it over time: kap times that.

    sig_p2: between units of a group, on df_p degrees of freedom. sig_n2: between groups.
    gam, phi: variance and lag-one correlation of a group's drift, on df_g. units: how many were seen.
    """

    s2: float
    a: float
    kap: float
    gam: float
    phi: float
    df_g: float
    sig_p2: float
    df_p: float
    sig_n2: float
    units: int


def fit_components(y: Floats, n: Floats, s2: float, group: Ints) -> tuple[Components, Floats]:
    """Components and the level of each unit, centred to mean 0.

    y: mean of unit x step, n: its number of observations, 0 where missing; each unit has some.
    s2: variance of one observation. group: index of each unit's group, 0..J-1, none empty.
    Henderson's method of fitting constants (Henderson 1953, method III) for levels; autocovariances at
    lags 0 to 3 for the drift. Kind: model, moments.
    """
    groups = int(group.max(initial=-1)) + 1
    member = (group[None, :] == np.arange(groups)[:, None]).astype(np.float64)
    a = _FIRST_A
    w = np.zeros_like(n)
    for _ in range(2):
        w = weights(n, a, s2)
        levels, residual = _two_way(y, w)
        series, within, present = _split(residual, w, member, group)
        a = _white_variance(within, present, n, s2)
    w = weights(n, a, s2)
    levels, residual = _two_way(y, w)
    series, within, present = _split(residual, w, member, group)
    kap = _long_run_factor(within, np.where(present, w, 0.0))
    gam, phi, df_g = _drift(series, member @ w)
    sig_p2, df_p, sig_n2 = _between(levels, kap / w.sum(axis=1), member, group)
    fitted = Components(s2, a, kap, gam, phi, df_g, sig_p2, df_p, sig_n2, units=len(group))
    return fitted, levels - (levels.mean() if len(levels) else 0.0)


def weights(n: Floats, a: float, s2: float) -> Floats:
    """Inverse variance of a step's mean; 0 where nothing was observed.

    n of any shape. Precision `1 / (a + s2 / n)` of a step's mean, 0 where n is 0. Kind: exact for the
    model.
    """
    w: Floats = np.divide(n, a * n + s2, out=np.zeros_like(n), where=n > 0)
    return w


def _two_way(y: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Level of each unit after the common path, and what neither explains."""
    levels = np.zeros(len(y))
    per_step = np.maximum(w.sum(axis=0), _TINY)
    per_unit = np.maximum(w.sum(axis=1), _TINY)
    path = np.zeros(y.shape[1])
    for _ in range(_ROUNDS):
        path = (w * (y - levels[:, None])).sum(axis=0) / per_step
        levels = (w * (y - path)).sum(axis=1) / per_unit
    residual: Floats = np.where(w > 0, y - levels[:, None] - path, 0.0)
    return levels, residual


def _split(
    residual: Floats, w: Floats, member: Floats, group: Ints
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Group series (nan where empty), the rest inside groups, and where that rest means something.

    The rest is clipped, and blown up for the group mean it lost, by the units present in that step.
    """
    total = member @ w
    with np.errstate(invalid="ignore", divide="ignore"):
        series: Floats = (member @ (w * residual)) / total
    company = (member @ (w > 0))[group]
    present = (w > 0) & (company >= 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        limit = _CLIP / np.sqrt(w)
        within = np.clip(residual - series[group], -limit, limit) * np.sqrt(company / (company - 1.0))
    return series, np.where(present, within, 0.0), present


def _white_variance(within: Floats, present: NDArray[np.bool_], n: Floats, s2: float) -> float:
    if not present.any():
        return _FIRST_A
    sampling = s2 * float(np.mean(1.0 / n[present]))
    return max(_FLOOR_A, float(np.mean(np.square(within[present]))) - sampling)


def _long_run_factor(within: Floats, w: Floats) -> float:
    """How much more a sum over time scatters than independent steps would, at least 1."""
    factors = []
    for length in _BLOCKS:
        blocks = w.shape[1] // length
        if blocks < 2:
            continue
        shape = (len(w), blocks, length)
        weight = w[:, : blocks * length].reshape(shape).sum(axis=2)
        total = (w * within)[:, : blocks * length].reshape(shape).sum(axis=2)
        seen = weight > 0
        if seen.any():
            scatter = float(np.mean(np.square(total[seen]) / weight[seen]))
            factors.append(scatter / (1.0 - 1.0 / blocks))
    return max(1.0, *factors) if factors else _KAP_UNKNOWN


def _drift(series: Floats, weight: Floats) -> tuple[float, float, float]:
    """(variance, lag-one correlation, degrees of freedom) of the drift of groups.

    The variance is raised twice: for what removing a finite past's mean hides of a slow drift, and to
    the value that an estimate on so few degrees of freedom could have come from.
    """
    J, P = series.shape
    if J < 2 or P < 2:
        return _FLOOR_GAM, 0.0, 3.0
    seen = weight > 0
    filled = np.where(seen, series, 0.0)
    # The common path took one group's worth of every step away.
    g = [_lag_product(filled, seen, k) * J / (J - 1) for k in range(4)]
    # Without this the sampling noise at lag 0 would halve the apparent memory.
    g[0] -= float(np.mean(1.0 / weight[seen]))
    phi = max(_ratio(g[1], g[0]), _ratio(g[2] + g[3], g[1] + g[2]))
    phi = min(max(phi, 0.0), _PHI_CAP)
    phi = min(phi + (1.0 + 3.0 * phi) / P, _PHI_CAP)
    kept = 2.0 * float(second_integral(phi, P)[P]) / P**2
    gam = max(g[0], g[1] / max(phi, 0.3), 0.0) / max(1.0 - kept, 0.2)
    df = max(3.0, J * P * (1.0 - phi) / (1.0 + phi))
    return max(gam * df / chi2_quantile(0.2, df), _FLOOR_GAM), phi, df


def _lag_product(series: Floats, seen: NDArray[np.bool_], lag: int) -> float:
    P = series.shape[1]
    if lag >= P:
        return 0.0
    both = seen[:, : P - lag] & seen[:, lag:]
    product = series[:, : P - lag] * series[:, lag:]
    return float(product[both].mean()) if both.any() else 0.0


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > _TINY else 0.0


def _between(levels: Floats, noise: Floats, member: Floats, group: Ints) -> tuple[float, float, float]:
    """(variance between units, its degrees of freedom, variance between groups)."""
    if len(levels) < 2:
        return _UNKNOWN_VARIANCE, 1.0, _TINY
    size = member.sum(axis=1)
    total = float(levels.var(ddof=1))
    df = float((size - 1.0).sum())
    if df < _FEW_DF:
        # Too few pairs to tell units from groups: all of it is charged to every fresh unit.
        return total, float(len(levels) - 1), _TINY
    centred = levels - ((member @ levels) / size)[group]
    raw = float(np.square(centred).sum()) / df
    sig_p2 = max(raw - float(noise[size[group] >= 2].mean()), 0.1 * raw)
    return sig_p2, df, 2.0 * max(total - sig_p2, sig_p2 / 4.0)
