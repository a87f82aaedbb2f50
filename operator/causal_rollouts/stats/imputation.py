"""The effect on units that were treated at different times, without taking treated ones as controls.

Two-way fixed effects would compare the late with the early and call the difference of their
ages an effect. Here the untreated cells alone say what would have been.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Imputed:
    """att: mean effect over the treated cells that could be imputed, in the unit of y; nan without any.

    se: clustered. cells: treated ones used; lost: those without a unit or a time that was ever seen
    untreated. treated, control: clusters with, and without, a used treated cell.
    """

    att: float
    se: float
    cells: int
    lost: int
    treated: int
    control: int


def impute(y: Floats, start: Floats, cluster: Ints) -> Imputed:
    """Borusyak, Jaravel and Spiess 2024: fit mu_i + lambda_t on untreated cells, average what exceeds it.

    y [units, times], nan where not measured; start [units]: first treated time, inf for never; cluster
    [units]. Every treated cell weighs the same. Variance: their theorem 3, sum over clusters of
    (sum v_it e_it)^2, with one mean effect (eq. 8) for all treated cells, the coarsest partition.
    Asymptotic in clusters, under parallel trends and no anticipation.
    """
    unit, time = np.nonzero(np.isfinite(y))
    value = y[unit, time]
    on = time >= start[unit]
    on, keep = _estimable(unit, time, on)
    lost = int(np.sum((time >= start[unit]) & ~keep))
    unit, time, value, on = unit[keep], time[keep], value[keep], on[keep]
    n1 = int(on.sum())
    if n1 == 0:
        return Imputed(math.nan, math.nan, 0, lost, 0, 0)
    X = _effects(unit, time)
    A, B = X[~on], X[on]
    G = np.linalg.pinv(A.T @ A, hermitian=True)
    beta = G @ (A.T @ value[~on])
    residual = value - X @ beta
    att = float(residual[on].mean())
    v = np.empty(len(value))
    v[on] = 1.0 / n1
    v[~on] = -A @ (G @ (B.T @ v[on]))
    residual[on] -= _mean_effect(unit[on], residual[on])
    which = cluster[unit]
    sums = np.bincount(which, weights=v * residual)
    hit = np.unique(which[on])
    return Imputed(att, math.sqrt(float(sums @ sums)), n1, lost, len(hit), len(np.unique(which)) - len(hit))


def _estimable(unit: Ints, time: Ints, on: Bools) -> tuple[Bools, Bools]:
    """(treated, kept): treated cells need their unit and their time among the untreated, in one piece."""
    known = np.isin(unit, unit[~on]) & np.isin(time, time[~on])
    return on, ~on | known


def _mean_effect(unit: Ints, tau: Floats) -> float:
    """Eq. 8 of the paper: the common effect that exaggerates the variance least, cells of equal weight."""
    cells, sums = np.bincount(unit), np.bincount(unit, weights=tau)
    return float(cells @ sums) / float(cells @ cells)


def _effects(unit: Ints, time: Ints) -> Floats:
    """Indicators of units and of times."""
    units, times = np.unique(unit), np.unique(time)
    found: Floats = np.hstack((unit[:, None] == units[None, :], time[:, None] == times[None, :])).astype(
        np.float64
    )
    return found
