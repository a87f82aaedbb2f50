"""One coefficient of a regression on few independent units, with variances that do not flatter it.

Each unit gives one number, so what is correlated within it has been summed up before,
and clusters are single rows: the cluster-robust variances are those of White with the
small-sample corrections that a design of three against three needs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

Floats = NDArray[np.float64]

_HALF = 0.5 - 1e-9
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Coefficient:
    """An estimate and its standard errors, in the unit of y.

    cr0, cr1: White, and times G/(G-1). cr2: unbiased under equal variances; of two means, Welch's.
    cr3: about the jackknife's. df: of cr2, Bell and McCaffrey. pooled, df_pooled: of equal variances.
    nan: not estimable, cr2 and cr3 where a unit is alone in its cell. units: rows.
    robust: no unit weighs half or more of its own fit, so cr2 is to be trusted; else take `pooled`.
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
    robust: bool

    @property
    def se(self) -> float:
        """cr2, or the pooled one where few rows make cr2 reject too often (Donald and Lang 2007)."""
        return self.cr2 if self.robust else self.pooled

    @property
    def freedom(self) -> float:
        """Degrees of freedom of `se`."""
        return self.df if self.robust else self.df_pooled

    def half_width(self, confidence: float) -> float:
        """Half of the two-sided t interval; nan where nothing varies, which proves no precision."""
        if not self.se > 0.0:
            return math.nan
        return float(stdtrit(self.freedom, 0.5 + confidence / 2.0)) * self.se

    def p_above(self, null: float = 0.0) -> float:
        """One-sided p of `coefficient <= null`; nan where nothing varies."""
        if not self.se > 0.0:
            return math.nan
        return float(stdtr(self.freedom, -(self.estimate - null) / self.se))


def coefficient(X: Floats, y: Floats, column: int) -> Coefficient:
    """Ordinary least squares on independent rows: the coefficient of one column.

    X [rows, columns] of full column rank, y [rows]. Asymptotic in rows; with Gaussian rows of equal variance
    `pooled` is exact. cr0: White 1980. cr2, cr3 and df: Bell and McCaffrey 2002 (restated by Pustejovsky and
    Tipton 2018), every cluster one row, identity as working covariance:
    cr2^2 = sum c_i^2 e_i^2/(1 - h_i), df = tr(MD)^2/tr(MDMD) with D = diag(c_i^2/(1 - h_i)).

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
    keep = np.diagonal(M).copy()
    e = M @ y
    free = rows - columns
    s2 = float(e @ e) / free if free > 0 else math.nan
    weight = np.square(c)
    cr0 = math.sqrt(float(weight @ np.square(e)))
    cr2 = cr3 = df = math.nan
    if keep.min() > _TOLERANCE:
        cr2 = math.sqrt(float(weight @ (np.square(e) / keep)))
        cr3 = math.sqrt(float(weight @ np.square(e / keep)))
        D = M * (weight / keep)
        df = float(np.trace(D)) ** 2 / float(np.sum(D * D.T))
    return Coefficient(
        estimate=float(c @ y),
        cr0=cr0,
        cr1=cr0 * math.sqrt(rows / (rows - 1)) if rows > 1 else math.nan,
        cr2=cr2,
        cr3=cr3,
        df=df,
        pooled=math.sqrt(s2 * float(weight.sum())),
        df_pooled=float(free),
        units=rows,
        robust=bool(keep.min() > 1.0 - _HALF),
    )
