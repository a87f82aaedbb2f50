"""Likelihood of a rate ratio against scipy's binomial and against plain evaluation between grid points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom

from causal_rollouts.stats.event_odds import (
    LOG_RATIO,
    LOG_RATIO_WIDE,
    STEP,
    log_likelihood,
    peak,
    resolved,
)

EVENTS = st.integers(0, 400)
SHARE = st.floats(0.01, 0.99)


def by_scipy(n1: int, n0: int, share: float, theta: np.ndarray) -> np.ndarray:
    """Binomial log probability of n1 treated events among all, less that at theta = 0."""
    odds = share / (1.0 - share) * np.exp(theta)
    return binom.logpmf(n1, n1 + n0, odds / (1.0 + odds)) - binom.logpmf(n1, n1 + n0, share)


@given(EVENTS, EVENTS, SHARE)
def test_the_likelihood_of_a_ratio_is_the_binomial_of_the_events(n1, n0, share):
    np.testing.assert_allclose(
        log_likelihood(n1, n0, share, LOG_RATIO), by_scipy(n1, n0, share, LOG_RATIO), atol=1e-6
    )


def test_a_bin_without_control_exposure_says_nothing():
    assert np.abs(log_likelihood(7, 0, 1.0, LOG_RATIO)).max() < 1e-9


@pytest.mark.parametrize("scale", [1, 30, 1000])
def test_points_between_those_of_the_grid_follow_the_likelihood(scale):
    fine = resolved(log_likelihood(9 * scale, 4 * scale, 0.4, LOG_RATIO))
    columns = fine.shape[1]
    assert columns == {1: 1, 30: 1, 1000: 4}[scale]
    theta = LOG_RATIO[0] + STEP / columns * np.arange(fine.size)
    exact = log_likelihood(9 * scale, 4 * scale, 0.4, theta)
    assert np.abs(fine.ravel() - exact)[exact > exact.max() - 50].max() < 0.01


@given(st.integers(1, 300), st.integers(1, 300), st.floats(0.2, 0.8))
def test_the_peak_is_the_most_likely_ratio(n1, n0, share):
    best = minimize_scalar(
        lambda t: -float(log_likelihood(n1, n0, share, np.array([t]))[0]), bounds=(-4, 7), method="bounded"
    ).x
    found = peak(LOG_RATIO_WIDE, log_likelihood(n1, n0, share, LOG_RATIO_WIDE))
    if -3.9 < best < 6.9:
        assert found == pytest.approx(best, abs=0.01)
