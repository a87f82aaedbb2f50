"""Regression on few units: identities that hold by hand, and rejection rates that the corrections promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_ind

from causal_rollouts.stats.change_scores import change_scores, contrast, levels
from causal_rollouts.stats.few_units import coefficient


def arms(n1, n0, seed=0, sd=1.0):
    rng = np.random.default_rng(seed)
    d = np.concatenate((sd * rng.standard_normal(n1), rng.standard_normal(n0)))
    return d, np.arange(n1 + n0) < n1


@pytest.mark.parametrize(("n1", "n0"), [(3, 3), (5, 5), (4, 9), (3, 12)])
def test_without_strata_it_is_welch_by_the_textbook(n1, n0):
    d, treated = arms(n1, n0)
    found = contrast(d, treated)
    S1, S0 = np.var(d[treated]) * n1, np.var(d[~treated]) * n0
    assert found.estimate == pytest.approx(d[treated].mean() - d[~treated].mean(), abs=1e-14)
    assert found.cr0 == pytest.approx(math.sqrt(S1 / n1**2 + S0 / n0**2), rel=1e-12)
    assert found.cr1 == pytest.approx(found.cr0 * math.sqrt((n1 + n0) / (n1 + n0 - 1)), rel=1e-12)
    assert found.cr2 == pytest.approx(math.sqrt(S1 / (n1 * (n1 - 1)) + S0 / (n0 * (n0 - 1))), rel=1e-12)
    assert found.cr3 == pytest.approx(math.sqrt(S1 / (n1 - 1) ** 2 + S0 / (n0 - 1) ** 2), rel=1e-12)
    assert found.estimate / found.cr2 == pytest.approx(ttest_ind(d[treated], d[~treated], equal_var=False)[0])
    m = n1 + n0
    bell = m**2 * (n0 - 1) * (n1 - 1) / (n0**2 * (n0 - 1) + n1**2 * (n1 - 1))
    assert found.df == pytest.approx(bell, rel=1e-12)


def test_two_units_in_an_arm_fall_back_on_the_pooled_variance():
    d, treated = arms(2, 10)
    found = contrast(d, treated)
    pooled = ttest_ind(d[treated], d[~treated], alternative="greater")
    assert not found.robust
    assert found.freedom == 10
    assert found.p_above() == pytest.approx(pooled.pvalue, abs=1e-12)
    interval = ttest_ind(d[treated], d[~treated]).confidence_interval(0.95)
    assert found.estimate + found.half_width(0.95) == pytest.approx(interval.high, abs=1e-10)


def test_a_unit_alone_has_no_variance_of_its_own():
    found = contrast(*arms(1, 10))
    assert math.isnan(found.cr2)
    assert math.isnan(found.df)
    assert found.se == found.pooled > 0


def test_nothing_varying_proves_no_precision():
    found = contrast(np.ones(8), np.arange(8) < 4)
    assert found.estimate == pytest.approx(0.0, abs=1e-14)
    flat = coefficient(np.ones((4, 1)), np.zeros(4), 0)
    assert math.isnan(flat.p_above())
    assert math.isnan(flat.half_width(0.95))


def test_strata_are_compared_within_and_weighed_as_by_least_squares():
    d, treated = arms(5, 6, seed=3)
    stratum = np.array([0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1])
    far = d + 100.0 * stratum
    found = contrast(far, treated, stratum)
    parts = []
    for g, n1, n0 in ((0, 3, 3), (1, 2, 3)):
        mine = stratum == g
        parts.append((n1 * n0 / (n1 + n0), far[mine & treated].mean() - far[mine & ~treated].mean()))
    assert found.estimate == pytest.approx(sum(w * e for w, e in parts) / sum(w for w, _ in parts), rel=1e-10)


def test_a_stratum_of_one_kind_and_missing_scores_enter_nothing():
    d, treated = arms(4, 4)
    more = np.concatenate((d, [50.0, np.nan]))
    found = contrast(more, np.append(treated, [True, False]), np.array([0] * 8 + [1, 1]))
    assert found == contrast(d, treated, np.zeros(8, dtype=np.int64))
    assert contrast(d, np.ones(8, dtype=bool)) is None
    assert contrast(np.full(8, np.nan), treated) is None


def test_a_design_that_cannot_tell_is_refused():
    with pytest.raises(np.linalg.LinAlgError):
        coefficient(np.ones((5, 2)), np.arange(5.0), 0)


def test_change_scores_take_every_constant_of_a_unit_and_of_time_away():
    rng = np.random.default_rng(5)
    after = np.arange(40) >= 25
    shock, unit = rng.standard_normal(40), rng.standard_normal(7)
    y = unit[:, None] + shock[None, :]
    d = change_scores(y, np.ones_like(y), after)
    assert d == pytest.approx(np.full(7, d[0]), abs=1e-12)
    holes = np.where(rng.random(y.shape) < 0.2, 0.0, 1.0)
    holes[0, after] = 0.0
    d = change_scores(np.where(holes > 0, y, np.nan), holes, after)
    assert np.isnan(d[0])
    assert np.isfinite(d[1:]).all()


def test_levels_weigh_by_what_was_seen():
    y, w = np.array([[1.0, 3.0, np.nan]]), np.array([[3.0, 1.0, 0.0]])
    assert levels(y, w) == pytest.approx([1.5])


@pytest.mark.parametrize(("n1", "n0"), [(2, 2), (3, 3), (5, 5), (2, 10)])
def test_a_true_null_is_rejected_as_often_as_said(n1, n0):
    """AR(1) .8, 60 bins before and after: a test on bins rejects half of the time."""
    rng = np.random.default_rng(11)
    n, T, P, runs = n1 + n0, 120, 60, 600
    after = np.arange(T) >= P
    treated = np.arange(n) < n1
    ours = naive = 0
    for _ in range(runs):
        y = np.zeros((n, T))
        y[:, 0] = rng.standard_normal(n) / 0.6
        for t in range(1, T):
            y[:, t] = 0.8 * y[:, t - 1] + rng.standard_normal(n)
        d = change_scores(y, np.ones_like(y), after)
        found = contrast(d, treated)
        ours += abs(found.estimate) > found.half_width(0.95)
        se = math.sqrt(np.var(y) * (1 / n1 + 1 / n0) * 2 / P)
        naive += abs(found.estimate) > student.ppf(0.975, n * T) * se
    bound = 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert ours / runs <= bound
    assert naive / runs > 2 * bound


def test_units_that_share_a_place_are_not_independent():
    """Two slots a node, both alike: as sure as one slot a node, not as two."""
    d, treated = arms(5, 5)
    twice, both = np.repeat(d, 2), np.repeat(treated, 2)
    node = np.repeat(np.arange(10), 2)
    once, clustered = contrast(d, treated), contrast(twice, both, None, node)
    assert (clustered.units, clustered.single) == (10, False)
    for field in ("estimate", "cr0", "cr2", "cr3", "df"):
        assert getattr(clustered, field) == pytest.approx(getattr(once, field), rel=1e-9)
    assert contrast(twice, both).se < 0.8 * once.se


def test_an_arm_on_one_node_has_no_interval():
    d, treated = arms(3, 3)
    alone = contrast(d, treated, None, np.array([0, 0, 0, 1, 2, 3]))
    assert math.isnan(alone.se)
    assert math.isnan(alone.half_width(0.95))


def test_few_heavy_clusters_take_the_larger_error_and_the_fewer_degrees():
    d, treated = arms(4, 4, seed=8)
    found = contrast(d, treated, None, np.array([0, 0, 0, 1, 2, 2, 3, 3]))
    assert not found.robust
    assert found.se == max(found.cr2, found.pooled)
    assert found.freedom == min(found.df, found.df_pooled)


def test_pairs_on_the_same_node_are_the_paired_test():
    """Strata that lie inside a cluster take all of its own level away, and that costs nothing."""
    rng = np.random.default_rng(4)
    node, treated = np.repeat(np.arange(6), 2), np.tile([True, False], 6)
    d = 10.0 * rng.standard_normal(6)[node] + rng.standard_normal(12)
    found = contrast(d, treated, node, node)
    pairs = d[treated] - d[~treated]
    assert found.estimate == pytest.approx(pairs.mean(), abs=1e-12)
    assert found.cr2 == pytest.approx(pairs.std(ddof=1) / math.sqrt(6), rel=1e-9)
    assert found.df == pytest.approx(5.0, rel=1e-9)
