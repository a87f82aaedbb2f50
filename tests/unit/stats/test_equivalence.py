"""The pooled t interval inside a bound, against scipy's two-sample test and by its error rate."""

import math

import numpy as np
import pytest
from scipy.stats import binom, t, ttest_ind

from causal_rollouts.stats.equivalence import weighted_drift


def test_two_groups_of_equal_size_are_scipys_pooled_interval_but_for_the_spread_about_one_mean():
    rng = np.random.default_rng(1)
    x, y = rng.normal(0.0, 1.0, 5), rng.normal(0.3, 1.0, 5)
    dose = np.concatenate((np.full(5, 0.2), np.full(5, -0.2)))
    found = weighted_drift(np.concatenate((x, y)), dose)
    told = ttest_ind(x, y, equal_var=True)
    assert found.theta == pytest.approx(x.mean() - y.mean(), abs=1e-12)
    # Spread about the common mean holds the difference itself: the identity of two estimates of one variance.
    whole = np.concatenate((x, y))
    se = whole.std(ddof=1) * math.sqrt(2 / 5)
    within = (x.mean() - y.mean()) / told.statistic
    between = (x.mean() - y.mean()) ** 2 * 2.5
    assert 9 * whole.var(ddof=1) == pytest.approx(8 * (within / math.sqrt(2 / 5)) ** 2 + between)
    assert found.reach == pytest.approx(abs(found.theta) + t.ppf(0.95, 9) * se)


def test_a_drift_at_the_bound_passes_at_most_once_in_twenty():
    rng = np.random.default_rng(2)
    dose = np.array([0.5, 0.5, -0.5, -0.5, 0.0, 0.0])
    bound, runs = 0.1, 2000
    change = rng.normal(0.0, 0.03, (runs, 6)) + bound * np.array([0.5, 0.5, -0.5, -0.5, 0.0, 0.0])
    passed = sum(weighted_drift(one, dose).reach <= bound for one in change)
    assert passed <= binom.ppf(0.999, runs, 0.05)


def test_arms_on_the_same_nodes_cannot_drift_apart():
    found = weighted_drift(np.array([0.3, -0.2, 0.1]), np.zeros(3))
    assert (found.theta, found.reach, found.covered) == (0.0, 0.0, 1.0)


def test_too_few_known_groups_say_nothing():
    found = weighted_drift(np.array([0.1, math.nan, 0.2]), np.array([0.5, -1.0, 0.5]))
    assert found.df == 0
    assert math.isnan(found.reach)
    assert found.covered == pytest.approx(0.5)


def test_different_lengths_are_refused():
    with pytest.raises(ValueError, match="give one of each a group"):
        weighted_drift(np.zeros(2), np.zeros(3))
