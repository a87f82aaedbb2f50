"""Evidence against numeric integration and published values; nothing here repeats the closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import halfnorm, norm

from causal_rollouts.stats.mixtures import (
    cut_normal_log_e,
    interval_half_width,
    one_sided_log_e,
    two_sided_log_e,
)
from causal_rollouts.stats.variance_cells import CELL_MASS, spread

CELLS = len(CELL_MASS)
SPREADS = [np.full(CELLS, 0.0004), spread(0.0001, 0.0005, 5.0), spread(0.0, 0.002, 40.0)]


def null_density(x: float, v: np.ndarray) -> float:
    return math.exp(log_null_density(x, v))


def log_null_density(x: float, v: np.ndarray) -> float:
    return float(logsumexp(norm.logpdf(x, scale=np.sqrt(v)), b=CELL_MASS))


def integrated(x: float, v: np.ndarray, prior, low: float, high: float) -> float:
    """Log of the prior-weighted likelihood ratio, by quadrature over the shift."""
    points = sorted(p for p in (x, x / 2, 0.0) if low < p < high)
    top, _ = quad(lambda d: prior(d) * null_density(x - d, v), low, high, points=points, limit=400)
    return math.log(top / null_density(x, v))


@pytest.mark.parametrize("v", SPREADS)
@pytest.mark.parametrize("x", [-0.05, 0.0, 0.03, 0.12])
def test_one_sided_evidence_is_the_integral_over_its_half_normal_prior(v, x):
    expected = integrated(x, v, lambda d: halfnorm.pdf(d, scale=0.15), 0.0, 1.2)
    assert one_sided_log_e(x, v, 0.15**2) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("v", SPREADS)
@pytest.mark.parametrize("x", [-0.15, -0.02, 0.0, 0.05, 0.1])
def test_cut_evidence_is_the_integral_over_its_cut_prior(v, x):
    centre, sd = 0.095, 0.03
    above = norm.sf(0.0, centre, sd)
    expected = integrated(x, v, lambda d: norm.pdf(d, centre, sd) / above, 0.0, 0.4)
    assert cut_normal_log_e(x, v, sd**2, centre) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("v", SPREADS)
@pytest.mark.parametrize("x", [-0.1, 0.0, 0.04])
def test_two_sided_evidence_is_the_integral_over_its_normal_prior(v, x):
    expected = integrated(x, v, lambda d: norm.pdf(d, scale=0.05), -0.5, 0.5)
    assert two_sided_log_e(x, v, 0.05**2) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("v", SPREADS)
@pytest.mark.parametrize(
    "log_e",
    [
        lambda x, v: one_sided_log_e(x, v, 0.15**2),
        lambda x, v: cut_normal_log_e(x, v, 0.03**2, 0.095),
        lambda x, v: two_sided_log_e(x, v, 0.05**2),
    ],
)
def test_evidence_is_worth_one_on_average_when_the_null_holds(v, log_e):
    reach = 9.0 * math.sqrt(v.max() + 0.15**2)
    mean, _ = quad(
        lambda x: math.exp(log_e(x, v) + log_null_density(x, v)),
        -reach,
        reach,
        points=[-0.05, 0.0, 0.05],
        limit=800,
    )
    assert mean == pytest.approx(1.0, abs=2e-3)


def test_published_normal_mixture_values_are_met():
    """The confseq test suite: s = 10 after v = 100, tuned at v = 100, alpha .05; as estimate s/v."""
    v = np.full(CELLS, 0.01)
    rho_two, rho_one = 12.60056, 100.0 / (2 * math.log(10) + math.log1p(2 * math.log(10)))
    assert two_sided_log_e(0.1, v, 1 / rho_two) == pytest.approx(-0.6510052, abs=1e-6)
    assert one_sided_log_e(0.1, v, 1 / rho_one) == pytest.approx(-0.06502391, abs=1e-6)
    assert interval_half_width(v, ((1.0, 1 / rho_two),), math.log(20)) == pytest.approx(0.3035209, abs=1e-6)


def test_great_harm_never_reads_as_safety():
    v = spread(0.0005, 0.002, 8.0)
    evidence = [cut_normal_log_e(0.095 - harm, v, 0.03**2, 0.095) for harm in (0.12, 0.22, 0.4, 0.7)]
    assert max(evidence) < 0.0


@given(st.floats(1e-7, 1e-2), st.floats(1e-7, 1e-1), st.floats(2.0, 60.0), st.floats(0.01, 3.0))
def test_the_interval_holds_exactly_what_the_mixture_does_not_refute(v_n, v_e, df, factor):
    v, kappa2, limit = spread(v_n, v_e, df), 0.15**2, math.log(20)
    half = interval_half_width(v, ((1.0, kappa2),), limit)
    assert two_sided_log_e(half * (1 - 1e-4), v, kappa2) < limit
    assert two_sided_log_e(half * (1 + 1e-3), v, kappa2) >= limit * (1 - 1e-6)
    if factor > 1.001:
        assert two_sided_log_e(half * factor, v, kappa2) >= limit * (1 - 1e-6)
