"""ville: the same Gaussian mixtures, written for streams."""

from __future__ import annotations

import math

import numpy as np
import pytest
import ville
from ville.sequential import MSPRT

from causal_rollouts.stats.mixtures import interval_half_width, one_sided_log_e, two_sided_log_e
from causal_rollouts.stats.variance_cells import CELL_MASS

ORACLE = "ville 0.1"


def known(v):
    """A variance that is known: the same in every cell."""
    return np.full(len(CELL_MASS), v)


@pytest.mark.parametrize("seed", range(3))
def test_the_two_sided_mixture_is_the_mixture_sprt(agree, seed):
    rng = np.random.default_rng(seed)
    x, sigma, tau = 0.3 + 1.7 * rng.standard_normal(40), 1.7, 0.4
    theirs = MSPRT(theta0=0.1, sigma=sigma, tau=tau)._process(x)
    for t in (1, 5, 40):
        estimate, v = float(x[:t].mean()) - 0.1, sigma**2 / t
        agree("two_sided_log_e", ORACLE, two_sided_log_e(estimate, known(v), tau**2), theirs[t - 1])


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize("v", [10.0, 100.0, 700.0])
def test_on_its_boundary_our_evidence_is_one_over_alpha(agree, v, alpha):
    """Their process is a sum of intrinsic time v; our estimate is sum/v with variance 1/v."""
    rho = 12.6
    one = float(ville.normal_mixture(v, alpha, rho, one_sided=True))
    agree("one_sided_log_e", ORACLE, one_sided_log_e(one / v, known(1 / v), 1 / rho), -math.log(alpha))
    two = float(ville.normal_mixture(v, alpha, rho))
    half = interval_half_width(known(1 / v), ((1.0, 1 / rho),), -math.log(alpha))
    agree("interval_half_width", ORACLE, half * v, two, within=2e-4)
