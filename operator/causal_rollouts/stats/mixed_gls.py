"""One effect out of few averages that share groups, drift and their own chance.

Each row is a weighted mean with a known sampling variance; what rows share is
a covariance whose components were estimated elsewhere, each on few degrees of
freedom, so the estimate's variance comes back in two parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.stats.variance_cells import chi2_quantile

Floats = NDArray[np.float64]

_DF_LOW, _DF_HIGH = 2.0, 60.0
_BIRGE_QUANTILE = 0.9
_BIRGE_MIN_NU = 3
_RANK_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Covariance:
    """Parts of the covariance of the rows.

    sampling: its diagonal, known. members: what estimated on df_members degrees of freedom (levels of
    members and groups). drift: what estimated on df_drift (their drift over time).
    """

    sampling: Floats
    members: Floats
    drift: Floats
    df_members: float
    df_drift: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """One coefficient: v_n known and v_e estimated variance, the latter on df degrees of freedom."""

    value: float
    v_n: float
    v_e: float
    df: float


@dataclass(frozen=True, slots=True)
class News:
    """What members that no component was learned from say of the estimated variance.

    ratio: theirs by the one believed. df: degrees of freedom that this rests on.
    """

    ratio: float
    df: float


def generalised_least_squares(
    X: Floats,
    y: Floats,
    cov: Covariance,
    wanted: tuple[int, ...],
    settled: int | None = None,
    known: News | None = None,
) -> tuple[Estimate, ...]:
    """Estimates of the columns `wanted` of X by GLS, degrees of freedom after Satterthwaite.

    settled: the first so many rows are of members that the components were learned from. How the others
    scatter about the fit is news of the estimated variance, pooled with it; None: all are settled.
    known: such news from earlier problems with members of the same kind, pooled with it as well.

    Both variances are scaled by the Birge ratio when the residuals scatter more than the .9-quantile
    of what the covariance predicts: an understated component shows there first.
    X [rows, columns], y [rows]. `beta = (X' V^-1 X)^-1 X' V^-1 y` (Aitken 1935); degrees of freedom
    `v_e^2 / (v_p^2/df_p + v_g^2/df_g)` (Satterthwaite 1946); ratio of Birge 1932. Kind: asymptotic;
    exact for Gaussian rows of known covariance.

    Raises:
        numpy.linalg.LinAlgError: X has not full column rank.
    """
    root, A, b = _whitened(X, y, cov)
    Q, R = np.linalg.qr(A)
    pivots = np.abs(np.diagonal(R))
    if pivots.min() <= _RANK_TOLERANCE * pivots.max():
        raise np.linalg.LinAlgError("the design cannot tell its columns apart")
    beta = np.linalg.solve(R, Q.T @ b)
    residual = b - A @ beta
    nu = X.shape[0] - X.shape[1]
    birge = 1.0
    if nu >= _BIRGE_MIN_NU:
        birge = max(1.0, float(residual @ residual) / chi2_quantile(_BIRGE_QUANTILE, float(nu)))
    H = np.linalg.solve(root.T, Q @ np.linalg.solve(R.T, np.eye(X.shape[1])[:, list(wanted)]))
    form = _scatter(A, b, float(residual @ residual), len(y) if settled is None else settled)
    found = (_estimate(float(beta[k]), H[:, i], cov) for i, k in enumerate(wanted))
    return tuple(_widened(_pooled(e, _news(e, *form), known), birge) for e in found)


def scattered(X: Floats, y: Floats, cov: Covariance, effect: int, settled: int) -> News | None:
    """How widely the rows from `settled` on scatter where no effect is: news for later problems.

    X, y, cov as in `generalised_least_squares`; the columns from `effect` on are known to be without effect
    and left out, so what they would have taken up counts as scatter. The estimated part of the variance is
    that of the effect's estimate. None where nothing is left over. Kind: model, chi-square under Gaussian
    rows with the covariance believed.

    Raises:
        numpy.linalg.LinAlgError: X has not full column rank.
    """
    (estimate,) = generalised_least_squares(X, y, cov, (effect,))
    _, A, b = _whitened(X[:, :effect], y, cov)
    Q, _ = np.linalg.qr(A)
    residual = b - Q @ (Q.T @ b)
    return _news(estimate, *_scatter(A, b, float(residual @ residual), settled))


def _whitened(X: Floats, y: Floats, cov: Covariance) -> tuple[Floats, Floats, Floats]:
    """(Cholesky root of the covariance, X and y in units of it)."""
    V = cov.members + cov.drift
    V[np.diag_indices_from(V)] += cov.sampling
    root = np.asarray(np.linalg.cholesky(V), dtype=np.float64)
    whitened = np.asarray(np.linalg.solve(root, np.column_stack((X, y))), dtype=np.float64)
    return root, whitened[:, :-1], whitened[:, -1]


def foreseen(X: Floats, cov: Covariance, wanted: tuple[int, ...], settled: int) -> tuple[Estimate, ...]:
    """Estimates of 0 with the variances to expect before anything was observed, for planning.

    As `generalised_least_squares` where rows scatter just as the covariance predicts: what the rows from
    `settled` on will say of the estimated variance then leaves it as it is, on more degrees of freedom.
    X, cov, wanted as there. Kind: model, as what it foresees.

    Raises:
        numpy.linalg.LinAlgError: X has not full column rank.
    """
    found = generalised_least_squares(X, np.zeros(len(X)), cov, wanted)
    nu = X.shape[0] - X.shape[1] - (settled - int(np.linalg.matrix_rank(X[:settled])) if settled else 0)
    return tuple(_pooled(estimate, _news(estimate, float(nu), nu), None) for estimate in found)


def _scatter(A: Floats, b: Floats, form: float, settled: int) -> tuple[float, int]:
    """(quadratic form, degrees of freedom) that the rows from `settled` on add to the whitened residuals.

    The leading rows of a problem whitened by its Cholesky root are those rows' own problem, whitened.
    """
    top = A[:settled]
    top = top[:, np.abs(top).max(axis=0, initial=0.0) > 0.0]
    Q, R = np.linalg.qr(top)
    pivots = np.abs(np.diagonal(R))
    Q = Q[:, pivots > _RANK_TOLERANCE * pivots.max(initial=0.0)]
    left = b[:settled] - Q @ (Q.T @ b[:settled])
    added = len(b) - A.shape[1] - (settled - Q.shape[1])
    return max(0.0, form - float(left @ left)), added


def _news(e: Estimate, form: float, nu: int) -> News | None:
    """What a form on nu degrees of freedom says of the estimated variance of an estimate.

    Of a form whose expectation is part known and part estimated, only the part counts: a variance of 2/nu
    of the whole is one of 2/(nu part^2) of the estimated.
    """
    if nu <= 0 or e.v_e <= 0.0:
        return None
    part = e.v_e / (e.v_n + e.v_e)
    return News(ratio=max(0.0, 1.0 + (form / nu - 1.0) / part), df=nu * part**2)


def _pooled(e: Estimate, own: News | None, known: News | None) -> Estimate:
    """The estimate with its estimated variance pooled with what was heard of it."""
    heard = [news for news in (own, known) if news is not None]
    if not heard or e.v_e <= 0.0:
        return e
    df = sum(news.df for news in heard)
    v_e = e.v_e * (e.df + sum(news.df * news.ratio for news in heard)) / (e.df + df)
    return Estimate(e.value, e.v_n, v_e, min(e.df + df, _DF_HIGH))


def _widened(e: Estimate, birge: float) -> Estimate:
    return Estimate(e.value, birge * e.v_n, birge * e.v_e, e.df)


def _estimate(value: float, h: Floats, cov: Covariance) -> Estimate:
    v_n = float(np.square(h) @ cov.sampling)
    v_members = max(0.0, float(h @ cov.members @ h))
    v_drift = max(0.0, float(h @ cov.drift @ h))
    v_e = v_members + v_drift
    spread = v_members**2 / cov.df_members + v_drift**2 / cov.df_drift
    df = _DF_HIGH if spread <= 0.0 else min(max(v_e**2 / spread, _DF_LOW), _DF_HIGH)
    return Estimate(value, v_n, v_e, df)
