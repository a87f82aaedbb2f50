"""Evidence of counts against numerical integration over the shift and over the draw."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import halfnorm, norm

from causal_rollouts.stats.blurred_likelihood import BlurredLikelihood
from causal_rollouts.stats.event_odds import LOG_RATIO, STEP, log_likelihood, resolved
from causal_rollouts.stats.variance_cells import CELL_MASS, inflation

FINE = np.arange(-2.0, 5.0, 0.002)
DF = 11.0
CASES = [(6, 1, 0.5, 0.01), (40, 20, 0.5, 0.006), (0, 12, 0.3, 0.02), (900, 700, 0.5, 0.004)]


def blurred(n1, n0, share, variance) -> BlurredLikelihood:
    fine = resolved(log_likelihood(n1, n0, share, LOG_RATIO))
    grid = LOG_RATIO[0] + STEP / fine.shape[1] * np.arange(fine.size)
    return BlurredLikelihood(grid, fine.reshape(1, -1), variance * inflation(DF))


def marginal(n1, n0, share, variance, shift) -> float:
    """Likelihood of a shift, the draw integrated over its spread variance."""
    draw = logsumexp(
        norm.logpdf(FINE[:, None], loc=shift, scale=np.sqrt(variance * inflation(DF))), b=CELL_MASS, axis=1
    )
    return float(logsumexp(log_likelihood(n1, n0, share, FINE) + draw) + math.log(0.002))


def integrated(case, null: float, kappa2: float, direction: float) -> float:
    """Log of the half-normal-weighted likelihood ratio, by quadrature over the distance from the null."""
    base = marginal(*case, null)

    def ratio(d: float) -> float:
        return (
            2.0
            * norm.pdf(d, scale=math.sqrt(kappa2))
            * math.exp(marginal(*case, null + direction * d) - base)
        )

    assert halfnorm.pdf(0.3, scale=1.0) == pytest.approx(2.0 * norm.pdf(0.3))
    limit = 5.0 - null if direction > 0 else null + 2.0
    return math.log(quad(ratio, 0.0, min(limit, 4.0 * math.sqrt(kappa2)), limit=100, epsrel=1e-4)[0])


@pytest.mark.parametrize("case", CASES)
def test_evidence_of_harm_is_the_integral_over_all_harms(case):
    null = math.log(1.25)
    assert blurred(*case).above(null, 1.0) == pytest.approx(integrated(case, null, 1.0, 1.0), abs=0.02)


@pytest.mark.parametrize("case", CASES)
def test_evidence_of_safety_is_the_integral_over_all_smaller_effects(case):
    margin = math.log(1.5)
    assert blurred(*case).below(margin, 0.49) == pytest.approx(integrated(case, margin, 0.49, -1.0), abs=0.02)


@pytest.mark.parametrize("scale", [1, 4, 20, 120])
def test_where_a_sharp_peak_lies_between_two_grid_points_does_not_matter(scale):
    """Evidence moves smoothly with the data, however many events there are."""
    shares = np.linspace(0.45, 0.55, 41)
    found = [blurred(700 * scale, 400 * scale, s, 0.004).above(math.log(1.25), 1.0) for s in shares]
    assert np.abs(np.diff(found, 3)).max() < 0.02


@pytest.mark.parametrize("case", CASES)
def test_the_interval_ends_where_the_two_sided_evidence_reaches_its_limit(case):
    lower, upper = blurred(*case).interval(1.0, math.log(20.0))
    wide = np.sqrt(case[3] * inflation(DF) + 1.0)
    for end in (lower, upper):
        if not math.isfinite(end):
            continue
        far = logsumexp(norm.logpdf(FINE[:, None], loc=end, scale=wide), b=CELL_MASS, axis=1)
        alternative = logsumexp(log_likelihood(*case[:3], FINE) + far) + math.log(0.002)
        assert alternative - marginal(*case, end) == pytest.approx(math.log(20.0), abs=0.1)
    assert lower < upper


def test_no_events_leave_everything_possible():
    assert blurred(0, 0, 0.5, 0.01).interval(1.0, math.log(20.0)) == (-math.inf, math.inf)
    assert blurred(0, 0, 0.5, 0.01).above(math.log(1.25), 1.0) == pytest.approx(0.0, abs=1e-3)


def test_overwhelming_harm_gives_finite_evidence():
    log_e = blurred(2_000_000, 20_000, 0.5, 0.0025).above(math.log(1.25), 1.0)
    assert math.isfinite(log_e)
    assert log_e > 100.0
