"""One coefficient of a regression on few independent units, with variances that do not flatter it.

Each unit gives one number, so what is correlated within it has been summed up before.
Units that share a place are a cluster: the cluster-robust variances come with the
small-sample corrections that a design of three against three needs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_HALF = 0.5 - 1e-9
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Coefficient:
    """An estimate and its standard errors, in the unit of y.

    cr0, cr1: White, and times G/(G-1). cr2: unbiased under equal variances; of two means, Welch's.
    cr3: about the jackknife's. df: of cr2, Bell and McCaffrey. pooled, df_pooled: of equal, independent rows.
    nan: not estimable, cr2 and cr3 where a cluster is alone in its cell. units: clusters; single: of one row.
    robust: no cluster weighs half or more of its own fit, so cr2 is to be trusted by itself.
    """

    estimate: float
    cr0: float
    cr1: float
    cr2: float
    cr3: float
    df: float
    pooled: float
    df_pooled: float
    units: int
    single: bool
    robust: bool

    @property
    def se(self) -> float:
        """cr2; where few units make it reject too often, the pooled one (Donald and Lang 2007).

        Rows that share a cluster are not independent, so there the larger of the two, and nan without cr2.
        """
        if self.robust:
            return self.cr2
        return self.pooled if self.single else float(np.maximum(self.cr2, self.pooled))

    @property
    def freedom(self) -> float:
        """Degrees of freedom of `se`."""
        if self.robust:
            return self.df
        return self.df_pooled if self.single else float(np.minimum(self.df, self.df_pooled))

    def half_width(self, confidence: float) -> float:
        """Half of the two-sided t interval; nan where nothing varies, which proves no precision."""
        return half_width(self.se, self.freedom, confidence)

    def p_above(self, null: float = 0.0) -> float:
        """One-sided p of `coefficient <= null`; nan where nothing varies."""
        if not self.se > 0.0:
            return math.nan
        return float(stdtr(self.freedom, -(self.estimate - null) / self.se))


def half_width(se: float, df: float, confidence: float) -> float:
    """Half of a two-sided t interval; nan where se is not above zero, which proves no precision.

    In the unit of se. Kind: exact for normal estimates, else asymptotic (Student 1908).
    """
    return float(stdtrit(df, 0.5 + confidence / 2.0)) * se if se > 0.0 else math.nan


def coefficient(X: Floats, y: Floats, column: int, cluster: Ints | None = None) -> Coefficient:
    """Ordinary least squares on few independent clusters: the coefficient of one column.

    X [rows, columns] of full column rank, y [rows]; cluster [rows], each row its own without it. Asymptotic
    in clusters; with independent Gaussian rows of equal variance `pooled` is exact. cr0: Liang, Zeger 1986.
    cr2, cr3 and df: Bell and McCaffrey 2002 (restated by Pustejovsky and Tipton 2018) with the identity as
    working covariance: cr2^2 = sum_g (c_g' (I - H_gg)^-1/2 e_g)^2, df = (sum l)^2/sum l^2 of its spectrum l.

    Raises:
        numpy.linalg.LinAlgError: X has not full column rank.
    """
    rows, columns = X.shape
    Q, R = np.linalg.qr(X)
    pivots = np.abs(np.diagonal(R))
    if rows < columns or pivots.min() <= _TOLERANCE * pivots.max():
        raise np.linalg.LinAlgError("the design cannot tell its columns apart")
    c = Q @ np.linalg.solve(R.T, np.eye(columns)[:, column])
    M = np.eye(rows) - Q @ Q.T
    e = M @ y
    free = rows - columns
    owner = np.arange(rows) if cluster is None else cluster
    groups = [np.flatnonzero(owner == g) for g in np.unique(owner)]
    G = len(groups)
    cr0 = math.sqrt(sum(float(c[g] @ e[g]) ** 2 for g in groups))
    cr2, cr3, df, least = _corrected(M, c, e, groups)
    return Coefficient(
        estimate=float(c @ y),
        cr0=cr0,
        cr1=cr0 * math.sqrt(G / (G - 1)) if G > 1 else math.nan,
        cr2=cr2,
        cr3=cr3,
        df=df,
        pooled=math.sqrt(float(e @ e) / free * float(c @ c)) if free > 0 else math.nan,
        df_pooled=float(free),
        units=G,
        single=rows == G,
        robust=least > 1.0 - _HALF,
    )


def _corrected(M: Floats, c: Floats, e: Floats, groups: list[Ints]) -> tuple[float, float, float, float]:
    """(cr2, cr3, df, what the heaviest cluster leaves to be fitted by others); nan where that is nothing.

    What a cluster fits of its own and the coefficient does not use (a stratum inside it) does no harm.
    """
    cr2 = cr3 = 0.0
    least = 1.0
    columns = []
    for g in groups:
        left, V = np.linalg.eigh(M[np.ix_(g, g)])
        u, free = V.T @ c[g], left > _TOLERANCE
        if np.abs(u[~free]).max(initial=0.0) > _TOLERANCE * np.abs(c).max():
            return math.nan, math.nan, math.nan, 0.0
        V, u, left = V[:, free], u[free], left[free]
        least = min(least, float(left.min(initial=1.0)))
        a = V @ (u / np.sqrt(left))
        cr2 += float(a @ e[g]) ** 2
        cr3 += float((V @ (u / left)) @ e[g]) ** 2
        columns.append(M[:, g] @ a)
    B = np.column_stack(columns)
    spread = B.T @ B
    df = float(np.trace(spread)) ** 2 / float(np.sum(np.square(spread)))
    return math.sqrt(cr2), math.sqrt(cr3), df, least
