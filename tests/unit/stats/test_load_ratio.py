"""The ratio of two rates: another package's interval, and what a look at the estimate alone would do."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from causal_rollouts.stats.load_ratio import rate_ratio
from tests.calibration.test_closed_loop_calibration import most


@pytest.mark.parametrize(("x", "e", "y", "f"), [(120, 30.0, 100, 20.0), (0, 4.0, 7, 4.0), (9, 1.0, 0, 3.0)])
def test_its_interval_is_the_exact_binomial_one_of_scipy(x, e, y, f):
    found = rate_ratio(x, e, y, f, 0.95)
    share = binomtest(x, x + y).proportion_ci(0.95, method="exact")
    for mine, theirs in ((found.lower, share.low), (found.upper, share.high)):
        assert mine == pytest.approx(math.inf if theirs == 1.0 else theirs / (1 - theirs) * f / e)


def test_nothing_counted_says_nothing():
    found = rate_ratio(0, 1.0, 0, 1.0)
    assert math.isnan(found.ratio)
    assert not found.beyond(0.05)


def test_equal_loads_are_hardly_ever_shown_to_differ_and_estimates_alone_would_be():
    rng = np.random.default_rng(5)
    runs, nominal = 2000, 0.01
    x, y = rng.poisson(300.0, (2, runs))
    found = [rate_ratio(int(a), 10.0, int(b), 10.0) for a, b in zip(x, y, strict=True)]
    naive = sum(max(one.ratio, 1 / one.ratio) > 1.05 for one in found)
    ours = sum(one.beyond(0.05) for one in found)
    assert naive > 2 * nominal * runs
    assert ours <= most(runs, nominal, 0.001)


def test_at_the_bound_it_errs_as_often_as_it_says():
    rng = np.random.default_rng(6)
    runs = 2000
    x, y = rng.poisson(2100.0, runs), rng.poisson(2000.0, runs)
    ours = sum(rate_ratio(int(a), 1.0, int(b), 1.0).beyond(0.05) for a, b in zip(x, y, strict=True))
    assert ours <= most(runs, 0.01, 0.001)


def test_a_fifth_more_is_shown_after_a_few_thousand_requests():
    assert rate_ratio(3600, 1.0, 3000, 1.0).beyond(0.05)
    assert rate_ratio(3000, 1.0, 3600, 1.0).beyond(0.05)
