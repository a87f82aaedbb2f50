"""Poisson evidence: its mean under the null is computed exactly, its size against quadrature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import halfnorm, poisson

from causal_rollouts.stats.rare_events import shortfall_log_e, surplus_log_e

N = np.arange(0, 6000)


def mean(log_e, true: float, null: float) -> float:
    return float(np.exp(poisson.logpmf(N, true) + [log_e(float(n), null) for n in N]).sum())


@pytest.mark.parametrize("expected", [0.05, 0.5, 3.0])
def test_chance_alone_does_not_grow_evidence_of_a_surplus(expected):
    assert mean(surplus_log_e, expected, expected) == pytest.approx(1.0, abs=1e-3)
    assert mean(surplus_log_e, 0.7 * expected, expected) < 1.0


@pytest.mark.parametrize("expected", [0.05, 0.5, 3.0, 20.0])
def test_chance_alone_does_not_grow_evidence_of_a_shortfall(expected):
    assert mean(shortfall_log_e, expected, expected) == pytest.approx(1.0, abs=1e-6)
    assert mean(shortfall_log_e, 1.3 * expected, expected) < 1.0


@pytest.mark.parametrize(("n", "expected"), [(3, 0.1), (1, 0.02), (8, 2.0), (0, 1.0)])
def test_a_surplus_is_weighed_over_all_rate_ratios(n, expected):
    whole, _ = quad(
        lambda x: halfnorm.pdf(x, scale=2.0) * math.exp(n * x - math.expm1(x) * expected), 0.0, 7.0, limit=200
    )
    assert surplus_log_e(n, expected) == pytest.approx(math.log(whole), abs=0.02)


def test_three_restarts_of_three_pods_within_ten_minutes_are_enough():
    threshold = math.log(100.0) - math.log(0.10)
    assert surplus_log_e(3, 0.1 * 3 * 10 / 60) >= threshold
    assert surplus_log_e(2, 0.1 * 3 * 10 / 60) < threshold
