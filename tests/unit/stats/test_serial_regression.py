"""A regression on a series that remembers: statsmodels' with the same covariance, and its size."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.linalg import toeplitz
from scipy.signal import lfilter

from causal_rollouts.stats.serial_regression import serial_regression
from tests.calibration.test_closed_loop_calibration import most


def wander(rng, runs, T, phi):
    e = rng.standard_normal((runs, T))
    e[:, 0] /= np.sqrt(1 - phi * phi)
    return lfilter([1.0], [1.0, -phi], e, axis=1)


@pytest.mark.parametrize("phi", [0.0, 0.6, 0.95])
def test_with_a_known_memory_it_is_the_gls_of_statsmodels(phi):
    rng = np.random.default_rng(3)
    y, x = wander(rng, 2, 80, 0.9)
    X = np.column_stack((x, np.ones(80)))
    found = serial_regression(y, X, np.arange(80), rho=phi)
    fit = sm.GLS(y, X, sigma=toeplitz(phi ** np.arange(80))).fit()
    assert found.estimate == pytest.approx(fit.params[0], rel=1e-9)
    assert found.se == pytest.approx(fit.bse[0], rel=1e-9)


def test_bins_that_are_missing_are_gaps_in_time_and_not_neighbours():
    rng = np.random.default_rng(4)
    y, x = wander(rng, 2, 90, 0.8)
    at = np.delete(np.arange(90), [5, 6, 7, 40, 41])
    X = np.column_stack((x[at], np.ones(len(at))))
    found = serial_regression(y[at], X, at, rho=0.8)
    fit = sm.GLS(y[at], X, sigma=0.8 ** np.abs(at[:, None] - at[None, :])).fit()
    assert found.estimate == pytest.approx(fit.params[0], rel=1e-9)
    assert found.se == pytest.approx(fit.bse[0], rel=1e-9)


def test_the_memory_is_found_about_right():
    rng = np.random.default_rng(5)
    X = np.ones((240, 1))
    found = [serial_regression(y, X, np.arange(240)).rho for y in wander(rng, 40, 240, 0.8)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("phi", [0.6, 0.9])
def test_what_wanders_is_not_taken_for_an_effect_as_least_squares_takes_it(phi):
    runs, T, nominal = 80, 240, 0.05
    rng = np.random.default_rng(6)
    naive = ours = 0
    for y, x in zip(wander(rng, runs, T, phi), wander(rng, runs, T, 0.95), strict=True):
        X = np.column_stack((x, np.ones(T)))
        found = serial_regression(y, X, np.arange(T))
        ours += abs(found.estimate) > found.half_width(0.95)
        naive += sm.OLS(y, X).fit().pvalues[0] < nominal
    assert naive > 2 * nominal * runs
    assert ours <= most(runs, nominal, 0.001)


def test_a_series_that_cannot_tell_gives_none():
    assert serial_regression(np.ones(3), np.ones((3, 2)), np.arange(3)) is None
    flat = np.column_stack((np.ones(50), np.ones(50)))
    assert serial_regression(np.arange(50.0), flat, np.arange(50)) is None
