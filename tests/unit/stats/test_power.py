"""Power of repeated looks, against closed forms and published boundaries."""

import math

import numpy as np
import pytest
from scipy.stats import nbinom, norm, poisson

from causal_rollouts.stats.power import (
    arrival_times,
    crossing,
    detectable,
    found_by,
    least_count,
    nested_errors,
    partial_errors,
)

PATHS = 40_000


def rng(seed=5):
    return np.random.default_rng(seed)


def test_errors_of_nested_looks_have_the_canonical_covariance():
    variance = np.array([4.0, 1.0, 2.0])
    errors = nested_errors(variance, PATHS, rng())
    later = np.minimum.outer(variance, variance)
    assert np.cov(errors.T) == pytest.approx(later, abs=0.1)


@pytest.mark.parametrize(("looks", "boundary"), [(1, 1.960), (2, 2.178), (5, 2.413), (10, 2.555)])
def test_pocock_boundaries_keep_their_published_level(looks, boundary):
    """Jennison & Turnbull 2000, table 2.1, alpha .05."""
    variance = 1.0 / np.arange(1, looks + 1)
    z = nested_errors(variance, PATHS, rng()) / np.sqrt(variance)
    crossed = (np.abs(z).max(axis=1) >= boundary).mean()
    assert crossed == pytest.approx(0.05, abs=3.3 * math.sqrt(0.05 * 0.95 / PATHS))


def test_one_look_detects_what_the_textbook_says():
    variance = np.array([0.04])
    least = found_by(0.3 - nested_errors(variance, PATHS, rng()))
    assert detectable(least, 0.5) == pytest.approx([0.3], abs=0.01)
    assert detectable(least, 0.95) == pytest.approx([0.3 + norm.ppf(0.95) * 0.2], abs=0.01)


def test_a_second_look_never_finds_less():
    least = found_by(0.3 - nested_errors(np.array([0.04, 0.02]), 1000, rng()))
    assert (np.diff(least, axis=1) <= 0).all()
    assert (np.diff(detectable(least, 0.8)) <= 0).all()


def test_what_no_path_finds_is_infinite_and_what_half_find_has_no_95_percent():
    caught = np.where(np.arange(10)[:, None] < 6, 1.0, np.inf)
    assert detectable(caught, 0.5) == [1.0]
    assert np.isinf(detectable(caught, 0.95)).all()


def test_an_estimate_from_a_part_is_worse_by_what_it_lacks():
    variance, partial = np.array([2.0, 1.0]), np.array([5.0, 1.0])
    errors = nested_errors(variance, PATHS, rng())
    worse = partial_errors(errors, variance, partial, rng(6))
    assert worse.var(axis=0) == pytest.approx(partial, rel=0.03)
    covariance = (worse * errors).mean(axis=0)
    assert covariance == pytest.approx(variance, rel=0.05)


def test_arrivals_count_as_poisson_and_belong_to_one_process():
    counts = np.array([7, 2, 7, 400])
    times = arrival_times(counts, PATHS, rng())
    assert (times[:, 0] == times[:, 2]).all()
    assert (times[:, 1] < times[:, 0]).all()
    assert (times[:, 0] <= 5.0).mean() == pytest.approx(poisson.sf(6, 5.0), abs=0.01)
    assert (times[:, 3] <= 390.0).mean() == pytest.approx(poisson.sf(399, 390.0), abs=0.01)


def test_a_gamma_rate_makes_arrivals_negative_binomial():
    k = 3.0
    factor = rng(8).gamma(k, 1.0 / k, PATHS)
    times = arrival_times(np.array([12]), PATHS, rng())[:, 0]
    assert (times <= 6.0 * factor).mean() == pytest.approx(nbinom.sf(11, k, k / (k + 6.0)), abs=0.01)


def test_a_crossing_is_found_where_there_is_one():
    assert crossing(lambda x: x**3, 8.0, 0.0, 5.0) == pytest.approx(2.0, abs=1e-5)
    assert crossing(lambda x: x, -1.0, 0.0, 5.0) == 0.0
    assert crossing(lambda x: x, 6.0, 0.0, 5.0) == math.inf


def test_the_fewest_events_are_found_exactly():
    assert least_count(lambda n: n * 0.5, 4.0, 0, 1000) == 8
    assert least_count(lambda n: n * 0.5, -1.0, 0, 1000) == 0
    assert least_count(lambda n: 1.0, 2.0, 0, 1000) is None
