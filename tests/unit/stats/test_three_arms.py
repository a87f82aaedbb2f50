"""The three-arm likelihood against a brute-force sum over the plane of (ratio, offset).

The sum here conditions the other way round: given the offset as seen, the ratio has a
normal law whose mean and variance come from the draw they share.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import log_ndtr, logsumexp
from scipy.stats import norm

from causal_rollouts.stats.blurred_likelihood import BlurredLikelihood
from causal_rollouts.stats.event_odds import LOG_RATIO, LOG_RATIO_WIDE, log_likelihood
from causal_rollouts.stats.three_arms import three_arm_likelihood
from causal_rollouts.stats.variance_cells import CELL_MASS, inflation

DF = 9.0
THETA = np.arange(-2.0, 5.0, 0.02)
OFFSET = np.arange(-2.5, 2.5, 0.03)
WORLDS = [
    # events of treated, control, reference; exposures of the same
    ((12, 4, 60), (3.0, 3.0, 40.0)),
    ((3, 0, 5), (3.0, 3.0, 40.0)),
    ((40, 12, 300), (2.0, 1.0, 8.0)),
    ((0, 4, 20), (1.0, 1.0, 8.0)),
    ((60, 50, 300), (1.0, 1.0, 8.0)),
    ((900, 700, 7000), (1.0, 1.0, 8.0)),
]
DRAWS = [(0.004, 0.004), (0.02, 0.01)]


def three(events, exposure, v_treated, v_control) -> BlurredLikelihood:
    nC, nB, nS = events
    eC, eB, eS = exposure
    pair = log_likelihood(nC, nB, eC / (eC + eB), LOG_RATIO)
    both = log_likelihood(nC + nB, nS, (eC + eB) / (eC + eB + eS), LOG_RATIO_WIDE)
    return three_arm_likelihood(pair, both, eC / eB, v_treated, v_control, DF)


def summed(events, exposure, v_treated, v_control, null, kappa2, sign) -> float:
    nC, nB, nS = events
    eC, eB, eS = exposure
    rho = eC / eB
    mean = np.log((rho * np.exp(THETA) + 1.0) / (rho + 1.0))
    plane = log_likelihood(nC, nB, eC / (eC + eB), THETA)[:, None] + log_likelihood(
        nC + nB, nS, (eC + eB) / (eC + eB + eS), OFFSET[None, :] + mean[:, None]
    )
    beyond, at = [], []
    for cell, k in zip(CELL_MASS, inflation(DF), strict=True):
        vC, vB = v_treated * k, v_control * k
        for part, s2 in ((0.85, 0.01), (0.15, 0.64)):
            v = vC + vB - vB**2 / (s2 + vB)
            x = sign * (THETA[:, None] - null + vB * OFFSET[None, :] / (s2 + vB))
            prior = plane + math.log(cell * part) + norm.logpdf(OFFSET, scale=math.sqrt(s2 + vB))
            at.append(logsumexp(prior + norm.logpdf(x, scale=math.sqrt(v))))
            cut = log_ndtr(x * math.sqrt(kappa2 / (v * (v + kappa2))))
            beyond.append(
                logsumexp(prior + math.log(2.0) + norm.logpdf(x, scale=math.sqrt(v + kappa2)) + cut)
            )
    return float(logsumexp(beyond) - logsumexp(at))


@pytest.mark.parametrize("draws", DRAWS)
@pytest.mark.parametrize("world", WORLDS)
def test_evidence_is_the_sum_over_the_whole_plane(world, draws):
    found = three(*world, *draws)
    harm, margin = math.log(1.25), math.log(1.5)
    assert found.above(harm, 1.0) == pytest.approx(summed(*world, *draws, harm, 1.0, 1.0), abs=0.05)
    assert found.below(margin, 0.49) == pytest.approx(summed(*world, *draws, margin, 0.49, -1.0), abs=0.05)


def test_the_third_arm_sharpens_what_two_small_arms_see():
    pair = log_likelihood(14, 4, 0.5, LOG_RATIO)
    alone = BlurredLikelihood(LOG_RATIO, pair[None, :], 0.008 * inflation(DF))
    assert three((14, 4, 60), (1.0, 1.0, 15.0), 0.004, 0.004).above(0.2, 1.0) > alone.above(0.2, 1.0) + 0.5


def test_cold_pods_of_both_arms_are_no_evidence_against_the_treated():
    warm = three((20, 20, 160), (1.0, 1.0, 8.0), 0.004, 0.004)
    cold = three((60, 60, 160), (1.0, 1.0, 8.0), 0.004, 0.004)
    assert warm.above(0.2, 1.0) < 0.0
    assert cold.above(0.2, 1.0) < 0.0


def test_evidence_stays_finite_where_the_arms_cannot_be_told_by_any_draw():
    assert math.isfinite(three((300_000, 2_000, 20_000), (1.0, 1.0, 8.0), 0.002, 0.002).above(0.2, 1.0))
    assert math.isfinite(three((0, 0, 0), (1.0, 1.0, 8.0), 0.002, 0.002).above(0.2, 1.0))
