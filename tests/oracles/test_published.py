"""Numbers out of papers, package tests and read-me files; nobody here computed them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import beta

from causal_rollouts.stats.change_scores import change_scores, contrast
from causal_rollouts.stats.event_odds import LOG_RATIO, STEP, log_likelihood
from causal_rollouts.stats.exposure_classes import exposure
from causal_rollouts.stats.mixtures import interval_half_width, one_sided_log_e, two_sided_log_e
from causal_rollouts.stats.sensitivity import e_value
from causal_rollouts.stats.variance_cells import CELL_MASS

V = np.full(len(CELL_MASS), 0.01)
SCORES, TREATED = np.array([1.0, 2.0, 4.0, 0.0, 1.0, 1.0, 3.0]), np.arange(7) < 3


def test_confseq_normal_mixtures(agree):
    """Its unit tests: s = 10 after v = 100, tuned at v = 100 for alpha .05."""
    L = 2 * math.log(20)
    two, one = 100 / (L + math.log1p(L)), 100 / (L - 2 * math.log(2) + math.log1p(L - 2 * math.log(2)))
    assert two == pytest.approx(12.60056, abs=5e-6)
    agree("two_sided_log_e", "confseq", two_sided_log_e(0.1, V, 1 / two), -0.6510052, 5e-8)
    agree("one_sided_log_e", "confseq", one_sided_log_e(0.1, V, 1 / one), -0.06502391, 5e-9)
    half = interval_half_width(V, ((1.0, 1 / two),), math.log(20))
    agree("interval_half_width", "confseq", 100 * half, 30.35209, 5e-5)
    agree("one_sided_log_e", "confseq bound", one_sided_log_e(0.2766071, V, 1 / one), math.log(20), 1e-6)


def test_cluster_robust_errors_of_seven_change_scores(agree):
    """pyfixest without small-sample factors, and Welch."""
    found = contrast(SCORES, TREATED)
    agree("contrast", "pyfixest (published)", found.estimate, 13 / 12)
    agree("contrast: cr0", "pyfixest (published)", found.cr0, 0.902991, 5e-7)
    agree("contrast: cr2", "Welch (published)", found.cr2, 1.083333, 5e-7)
    agree("contrast: cr3", "pyfixest (published)", found.cr3, 1.301708, 5e-7)


def test_degrees_of_freedom_of_clubsandwich(agree):
    d = np.random.default_rng(0).standard_normal(13)
    agree("contrast: df", "clubSandwich", contrast(d, np.arange(13) < 4).df, 5.827586, 5e-7)


@pytest.mark.parametrize(("ratio", "published"), [(1.5, 2.3660), (3.9, 7.2630)])
def test_e_values(agree, ratio, published):
    agree("e_value", "VanderWeele and Ding 2017", e_value(ratio), published, 5e-5)


def test_the_two_by_two_toy(agree):
    """diff-diff's tests: treated 11.5 to 15.5, control 9.5 to 10.5."""
    y = np.array([[10.5, 14.5], [12.5, 16.5], [9.0, 10.0], [10.0, 11.0]])
    d = change_scores(y, np.ones_like(y), np.array([False, True]))
    agree("change_scores, contrast", "2x2 toy", contrast(d, np.arange(4) < 2).estimate, 3.0)


def test_card_and_krueger(agree):
    """Full-time employment of fast food: New Jersey 20.44 to 21.03, Pennsylvania 23.33 to 21.17."""
    y = np.array([[20.44, 21.03], [23.33, 21.17]])
    d = change_scores(y, np.ones_like(y), np.array([False, True]))
    agree(
        "change_scores, contrast",
        "Card and Krueger 1994",
        contrast(d, np.array([True, False])).estimate,
        2.76,
        0.011,
    )


def test_butts_proposition_two_one(agree):
    """The naive contrast is short by the share of touched controls."""
    node, treated = np.repeat(np.arange(10), 4), np.isin(np.arange(40), [0, 4, 8, 12])
    touched = node < 4
    d = 1.0 * treated + 0.5 * (~treated & touched)
    flat = np.zeros(40, dtype=np.int64)
    agree("contrast", "Butts 2021, prop. 2.1", contrast(d, treated).estimate, 1 - 0.5 * 12 / 36)
    agree("exposure: total", "Butts 2021, prop. 2.1", exposure(d, treated, touched, flat).total.estimate, 1.0)


def bayes_factor(treated: float, control: float, share: float, a: float, b: float) -> float:
    """Log of our likelihood averaged over a beta prior of the treated side's part of the events."""
    part = share * np.exp(LOG_RATIO) / (share * np.exp(LOG_RATIO) + 1.0 - share)
    prior = beta.pdf(part, a, b) * part * (1.0 - part) * STEP
    return float(np.log(prior @ np.exp(log_likelihood(treated, control, share, LOG_RATIO))))


@pytest.mark.parametrize(
    ("counts", "published"), [((60, 40), 0.658892), ((120, 80), 2.132641), ((1000, 1100), 0.726637)]
)
def test_lindon_and_malek_of_two_outcomes(agree, counts, published):
    """Dirichlet prior of weight 100 about equal shares; our grid is fine enough for 2,100 events."""
    found = bayes_factor(*counts, 0.5, 50.0, 50.0)
    agree("log_likelihood, summed over a beta prior", "Lindon and Malek 2022", found, published, 1e-6)


def test_confseq_beta_binomial_mixture(agree):
    """Its unit test: sum 10 after v = 100 of steps of .8 and -.2, tuned at v = 100 for alpha .05."""
    up, down, L = 0.8, 0.2, 2 * math.log(20)
    r = 100 / (L + math.log1p(L)) - up * down
    steps, total = 100 / (up * down), 10
    rises = (total + down * steps) / (up + down)
    found = bayes_factor(rises, steps - rises, down, r / up, r / down)
    agree("log_likelihood, summed over a beta prior", "confseq", found, -0.6941012, 5e-8)
