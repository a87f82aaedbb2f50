"""Difference-in-differences of few units watched long: one number a unit, then two means.

Summing a unit's time up to one change takes its autocorrelation out of the test
(Bertrand, Duflo and Mullainathan 2004, section IV.D). In a balanced panel the contrast is
the coefficient of two-way fixed effects.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.stats.few_units import Coefficient, coefficient

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def levels(y: Floats, w: Floats) -> Floats:
    """Weighted mean of each unit over its times; nan where it has no weight.

    y, w [units, times]; w = 0 where y is no measurement. In the unit of y.
    Kind: exact (arithmetic).
    """
    total = w.sum(axis=1)
    found: Floats = np.divide(
        (w * np.where(w > 0, y, 0.0)).sum(axis=1), total, out=np.full(len(y), np.nan), where=total > 0
    )
    return found


def change_scores(y: Floats, w: Floats, after: Bools) -> Floats:
    """d_i = mean of unit i after less mean before, each weighted; nan where either has no weight.

    y, w [units, times], after [times]. Identical to dropping the unit effect of the two-way model.
    Bertrand, Duflo and Mullainathan 2004, section IV.D.
    """
    change: Floats = levels(y[:, after], w[:, after]) - levels(y[:, ~after], w[:, ~after])
    return change


def contrast(
    d: Floats, treated: Bools, stratum: Ints | None = None, cluster: Ints | None = None
) -> Coefficient | None:
    """Mean of d over treated less over control units, within strata; None where no stratum has both.

    d, treated, stratum, cluster [units]; nan scores and strata of one kind only are left out. Strata weigh
    as in least squares, n1 n0/(n1 + n0). Without strata and clusters cr2 is Welch's. Asymptotic in units; the
    causal reading needs parallel trends of the scores, or that treatment was drawn at random.
    Bertrand, Duflo and Mullainathan 2004, section IV.D; Welch 1947.
    """
    groups = np.zeros(len(d), dtype=np.int64) if stratum is None else stratum
    used = np.isfinite(d)
    for g in np.unique(groups):
        mine = used & (groups == g)
        if not (treated[mine].any() and (~treated[mine]).any()):
            used &= groups != g
    if not used.any():
        return None
    X = np.column_stack((treated[used].astype(np.float64), indicators(groups[used])))
    return coefficient(X, d[used], 0, None if cluster is None else cluster[used])


def indicators(groups: Ints) -> Floats:
    """One column a group, 1 for its members.

    groups [units]; [units, groups]. Kind: exact (arithmetic).
    """
    found: Floats = (groups[:, None] == np.unique(groups)[None, :]).astype(np.float64)
    return found
