"""Estimates against statsmodels, degrees of freedom and the Birge scale against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, t
from statsmodels.regression.linear_model import GLS

from causal_rollouts.stats.mixed_gls import Covariance, News, foreseen, generalised_least_squares, scattered


def problem(seed: int, scale: float = 1.0):
    rng = np.random.default_rng(seed)
    R = 14
    group = rng.integers(0, 5, R)
    X = np.column_stack((np.arange(R) < 6, np.arange(R) >= 6, rng.random(R) < 0.5)).astype(float)
    members = 0.01 * (group[:, None] == group) + 0.02 * np.eye(R)
    drift = 0.03 * (group[:, None] == group) * 0.9 ** np.abs(np.subtract.outer(np.arange(R), np.arange(R)))
    cov = Covariance(rng.uniform(0.01, 0.05, R), members, drift, df_members=12.0, df_drift=7.0)
    V = np.diag(cov.sampling) + members + drift
    y = X @ np.array([1.0, 2.0, 0.3]) + scale * np.linalg.cholesky(V) @ rng.normal(size=R)
    return X, y, cov, V


@pytest.mark.parametrize("seed", range(6))
def test_estimates_are_those_of_statsmodels(seed):
    X, y, cov, V = problem(seed, scale=0.5)
    reference = GLS(y, X, sigma=V).fit(cov_type="fixed scale")
    for column, estimate in enumerate(generalised_least_squares(X, y, cov, (0, 1, 2))):
        assert estimate.value == pytest.approx(reference.params[column], rel=1e-9)
        assert estimate.v_n + estimate.v_e == pytest.approx(reference.normalized_cov_params[column, column])


@pytest.mark.parametrize("seed", range(4))
def test_residuals_that_scatter_too_much_widen_every_estimate(seed):
    X, y, cov, V = problem(seed, scale=4.0)
    fit = GLS(y, X, sigma=V).fit()
    nu = len(y) - X.shape[1]
    birge = fit.scale * nu / chi2.ppf(0.9, nu)
    assert birge > 1
    (estimate,) = generalised_least_squares(X, y, cov, (2,))
    assert estimate.v_n + estimate.v_e == pytest.approx(birge * fit.normalized_cov_params[2, 2])


def test_three_residual_degrees_of_freedom_are_needed_to_widen():
    X, y, cov, _ = problem(0)
    rows = [0, 1, 7, 8, 9]
    small = Covariance(
        cov.sampling[rows], cov.members[np.ix_(rows, rows)], cov.drift[np.ix_(rows, rows)], 12.0, 7.0
    )
    (calm,) = generalised_least_squares(X[rows], 0.0 * y[rows], small, (2,))
    (wild,) = generalised_least_squares(X[rows], 100.0 * y[rows], small, (2,))
    assert wild.v_n == calm.v_n


def test_one_estimated_part_alone_brings_its_own_degrees_of_freedom():
    X, y, cov, _ = problem(1)
    nothing = np.zeros_like(cov.drift)
    (members,) = generalised_least_squares(X, y, Covariance(cov.sampling, cov.members, nothing, 12, 7), (2,))
    (drift,) = generalised_least_squares(X, y, Covariance(cov.sampling, nothing, cov.drift, 12, 7), (2,))
    assert (members.df, drift.df) == pytest.approx((12.0, 7.0))


def test_degrees_of_freedom_match_the_scatter_of_the_variance_itself():
    """Satterthwaite by simulation: components drawn as chi-squared about their values."""
    X, y, cov, _ = problem(2, scale=0.5)
    (estimate,) = generalised_least_squares(X, y, cov, (2,))
    V = np.diag(cov.sampling) + cov.members + cov.drift
    W = np.linalg.inv(V)
    h = np.linalg.solve(X.T @ W @ X, X.T @ W)[2]
    parts = h @ cov.members @ h, h @ cov.drift @ h
    rng = np.random.default_rng(5)
    draws = parts[0] * rng.chisquare(12, 400_000) / 12 + parts[1] * rng.chisquare(7, 400_000) / 7
    assert estimate.df == pytest.approx(2 * draws.mean() ** 2 / draws.var(), rel=0.02)


def test_columns_that_cannot_be_told_apart_are_refused():
    X, y, cov, _ = problem(3)
    X = np.column_stack((X, X[:, 0] + X[:, 1]))
    with pytest.raises(np.linalg.LinAlgError):
        generalised_least_squares(X, y, cov, (3,))


class Pairs:
    """Three new members of each arm beside old ones in pairs; the variance of a member was guessed on df."""

    def __init__(self, sampling: float, df: float) -> None:
        self.old, self.new = 8, 6
        rows = self.old + self.new
        self.cov = Covariance(
            np.full(rows, sampling), np.eye(rows), np.zeros((rows, rows)), df_members=df, df_drift=9.0
        )
        treated = np.r_[np.zeros(self.old + 3), np.ones(3)]
        is_new = np.arange(rows) >= self.old
        self.X = np.column_stack((~is_new, is_new, treated)).astype(float)

    def estimate(self, y: np.ndarray):
        return generalised_least_squares(self.X, y, self.cov, (2,), self.old)[0]

    def scatter(self, y: np.ndarray) -> float:
        return sum(
            float(np.square(half - half.mean()).sum()) for half in (y[self.old :][:3], y[self.old :][3:])
        )


def test_new_members_are_pooled_with_the_guess_as_in_a_t_test():
    pairs = Pairs(sampling=1e-12, df=5.0)
    y = np.r_[np.zeros(8), np.random.default_rng(3).normal(size=6)]
    found = pairs.estimate(y)
    pooled = (5.0 + pairs.scatter(y)) / (5.0 + 4.0)
    assert found.v_e == pytest.approx(pooled * 2 / 3)
    assert found.df == pytest.approx(9.0)


def test_where_chance_covers_the_members_their_scatter_teaches_nothing():
    pairs = Pairs(sampling=1e3, df=5.0)
    rng = np.random.default_rng(4)
    for _ in range(5):
        found = pairs.estimate(20 * rng.normal(size=14))
        assert found.v_e == pytest.approx(2 / 3, rel=0.02)
        assert found.df == pytest.approx(5.0, abs=1e-3)


def test_the_scatter_of_old_members_is_no_news():
    pairs = Pairs(sampling=1e-12, df=5.0)
    y = np.random.default_rng(5).normal(size=14)
    other = np.r_[0.1 * y[:8], y[8:]]
    assert pairs.estimate(other).v_e == pytest.approx(pairs.estimate(y).v_e)
    assert generalised_least_squares(pairs.X, y, pairs.cov, (2,))[0].df == pytest.approx(5.0)


def test_evidence_in_pooled_units_exceeds_its_quantile_as_often_as_it_should():
    """Student's law with 12 + 4 degrees of freedom: the guess is drawn as chi-squared on 12."""
    pairs = Pairs(sampling=1e-12, df=12.0)
    rng = np.random.default_rng(6)
    beyond = 0
    for _ in range(4000):
        y = rng.normal(size=14) / np.sqrt(rng.chisquare(12) / 12)
        y[:8] *= 0.01  # The Birge scale sleeps: what is tested is the pooling.
        found = pairs.estimate(y)
        beyond += found.value / np.sqrt(found.v_n + found.v_e) > t.ppf(0.95, found.df)
    assert 160 <= beyond <= 242


def test_half_of_a_form_is_held_against_the_half_that_was_guessed():
    pairs = Pairs(sampling=1.0, df=5.0)
    y = np.r_[np.zeros(8), 1.3 * np.random.default_rng(3).normal(size=6)]
    found = pairs.estimate(y)
    scale = 1.0 + (pairs.scatter(y) / 2.0 / 4.0 - 1.0) / 0.5
    assert scale > 0.2
    assert found.v_e == pytest.approx(2 / 3 * (5.0 + 1.0 * scale) / 6.0)
    assert found.df == pytest.approx(6.0)


def test_without_an_effect_both_arms_scatter_about_one_mean():
    pairs = Pairs(sampling=1e-12, df=5.0)
    y = np.r_[np.zeros(8), np.random.default_rng(3).normal(size=6)]
    news = scattered(pairs.X, y, pairs.cov, 2, pairs.old)
    assert news is not None
    assert news.ratio == pytest.approx(np.var(y[8:], ddof=1))
    assert news.df == pytest.approx(5.0)


def test_what_scatters_twice_as_widely_is_found_on_average_whatever_chance_adds():
    pairs = Pairs(sampling=0.5, df=5.0)
    rng = np.random.default_rng(11)
    sd = np.r_[np.full(8, np.sqrt(1.5)), np.full(6, np.sqrt(0.5 + 4.0))]
    found = [scattered(pairs.X, sd * rng.normal(size=14), pairs.cov, 2, pairs.old) for _ in range(3000)]
    # The part of the variance that is estimated is two thirds: 5 df of the whole are 2.2 of it.
    assert {round(news.df, 6) for news in found} == {round(5.0 * (2 / 3) ** 2, 6)}
    assert np.mean([news.ratio for news in found]) == pytest.approx(4.0, abs=0.15)


def test_old_members_alone_are_no_news():
    pairs = Pairs(sampling=1.0, df=5.0)
    old = slice(0, 8)
    cov = Covariance(np.ones(8), np.eye(8), np.zeros((8, 8)), df_members=5.0, df_drift=9.0)
    X = np.column_stack((np.ones(8), np.arange(8) % 2)).astype(float)
    assert scattered(X, np.arange(8.0), cov, 1, 8) is None
    assert pairs.estimate(np.zeros(14)).df > generalised_least_squares(X, np.zeros(8), cov, (1,))[0].df
    assert old.stop == pairs.old


def test_earlier_news_count_by_their_degrees_of_freedom_beside_the_guess_and_their_own_scatter():
    pairs = Pairs(sampling=1e-12, df=5.0)
    y = np.r_[np.zeros(8), np.random.default_rng(3).normal(size=6)]
    told = News(ratio=4.0, df=10.0)
    (found,) = generalised_least_squares(pairs.X, y, pairs.cov, (2,), pairs.old, told)
    pooled = (5.0 + pairs.scatter(y) + 10.0 * 4.0) / (5.0 + 4.0 + 10.0)
    assert found.v_e == pytest.approx(pooled * 2 / 3)
    assert found.df == pytest.approx(19.0)
    (alone,) = generalised_least_squares(pairs.X, y, pairs.cov, (2,), None, told)
    assert alone.v_e == pytest.approx((5.0 + 40.0) / 15.0 * 2 / 3)
    assert alone.value == pairs.estimate(y).value == found.value


def test_what_is_foreseen_is_what_comes_on_average_and_the_degrees_of_freedom_of_every_look():
    X, _, cov, V = problem(1)
    rng = np.random.default_rng(9)
    root = np.linalg.cholesky(V)
    (plan,) = foreseen(X, cov, (2,), settled=8)
    looks = [
        generalised_least_squares(X, root @ rng.normal(size=len(X)), cov, (2,), settled=8)[0]
        for _ in range(2000)
    ]
    assert {round(one.df, 9) for one in looks} == {round(plan.df, 9)}
    assert plan.df > generalised_least_squares(X, np.zeros(len(X)), cov, (2,))[0].df
    assert plan.v_n + plan.v_e == pytest.approx(np.linalg.inv(X.T @ np.linalg.solve(V, X))[2, 2])
    # The Birge ratio only ever widens.
    seen = np.mean([one.v_n + one.v_e for one in looks])
    assert plan.v_n + plan.v_e <= seen <= 1.25 * (plan.v_n + plan.v_e)
