"""Quantiles against scipy.stats, which the product itself is too light to import."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import chi2, norm, t

from causal_rollouts.stats.logspace import log_normal_cdf, log_normal_density, log_sum_exp
from causal_rollouts.stats.variance_cells import (
    CELL_MASS,
    CELL_QUANTILE,
    chi2_quantile,
    inflation,
    spread,
)


@pytest.mark.parametrize("df", [2.0, 3.7, 9.0, 60.0])
def test_quantiles_are_those_of_chi_squared(df):
    assert inflation(df) == pytest.approx(df / chi2.ppf(CELL_QUANTILE, df), rel=1e-10)
    assert chi2_quantile(0.2, df) == pytest.approx(chi2.ppf(0.2, df), rel=1e-10)


def test_cells_share_out_all_probability():
    assert CELL_MASS.sum() == pytest.approx(1.0)
    assert len(CELL_MASS) == 11


@pytest.mark.parametrize("df", [4.0, 10.0, 30.0])
@pytest.mark.parametrize("tail", [0.05, 0.01, 0.001])
def test_the_spread_makes_a_gaussian_into_a_student(df, tail):
    """Eleven cells are a coarse Student: tails right within a fifth, down to one in a thousand."""
    v = spread(0.0, 1.0, df)
    beyond = 2.0 * float(CELL_MASS @ norm.sf(t.isf(tail / 2.0, df), scale=np.sqrt(v)))
    assert beyond == pytest.approx(tail, rel=0.2)


def test_sums_of_logs_survive_underflow():
    values = np.array([-2000.0, -2001.0, -math.inf])
    assert log_sum_exp(values) == pytest.approx(logsumexp(values))
    assert log_sum_exp(np.array([-math.inf])) == -math.inf
    assert log_sum_exp(np.array([])) == -math.inf


def test_log_densities_are_those_of_the_normal():
    v = np.array([0.5, 2.0])
    assert log_normal_density(1.5, v) == pytest.approx(norm.logpdf(1.5, scale=np.sqrt(v)))
    assert log_normal_cdf(-40.0) == pytest.approx(norm.logcdf(-40.0))
