"""Moments of counts against loops over their definitions and against worlds that were made to have them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import gamma

from causal_rollouts.stats.count_moments import (
    block_dispersion,
    common_expectation,
    group_drift,
    group_variance,
    member_variance,
    shrunk_factors,
)


def counts(rng, *, members=200, groups=40, mean=400.0, member_sd=0.0, group_sd=0.0):
    group = np.arange(members) % groups
    log = rng.normal(0, group_sd, groups)[group] + rng.normal(0, member_sd, members)
    expected = mean * rng.uniform(0.5, 1.5, members)
    return rng.poisson(expected * np.exp(log)).astype(float), expected, group


def test_the_members_variance_is_the_moment_it_is_defined_as():
    observed, expected, group = counts(np.random.default_rng(5), members=9, groups=3, member_sd=0.3)
    top = bottom = square = 0.0
    for i in range(9):
        same = group == group[i]
        M, N = expected[same].sum(), observed[same].sum()
        u = expected[i] * N / M
        chance = u * (1 - expected[i] / M)
        top += (observed[i] - u) ** 2 - chance
        bottom += u * chance
        square += u**2
    own = (math.sqrt(2 * square) / bottom + math.sqrt(2 / 6) * abs(top / bottom)) ** -2
    shrunk = (own * top / bottom + 0.02 / 0.02**2) / (own + 1 / 0.02**2)
    assert member_variance(observed, expected, group) == pytest.approx(shrunk, rel=1e-9)


@pytest.mark.parametrize("sd", [0.05, 0.15, 0.3])
def test_how_much_pods_differ_is_found_again(sd):
    found = [
        member_variance(*counts(np.random.default_rng([1, r]), member_sd=sd, group_sd=0.2)) for r in range(20)
    ]
    assert np.mean(found) == pytest.approx(sd**2, rel=0.35)


def test_few_events_leave_the_prior():
    observed, expected, group = counts(np.random.default_rng(2), members=8, groups=3, mean=2.0)
    assert member_variance(observed, expected, group) == pytest.approx(0.02, abs=0.01)
    assert member_variance(np.zeros(5), np.zeros(5), np.arange(5)) == 0.02


def test_how_much_nodes_differ_is_found_again():
    found = []
    for r in range(20):
        observed, expected, group = counts(np.random.default_rng([3, r]), member_sd=0.1, group_sd=0.25)
        by = [np.bincount(group, weights=v) for v in (observed, expected)]
        found.append(group_variance(*by, np.bincount(group).astype(float), 0.01))
    assert np.mean(found) == pytest.approx(0.25**2, rel=0.35)


def test_a_node_without_many_events_is_pulled_to_the_common_rate():
    observed, expected = np.array([3.0, 3000.0]), np.array([1.0, 1000.0])
    log_factor, left = shrunk_factors(observed, expected, np.array([2.0, 2.0]), 0.0, 0.01)
    assert 0.0 < log_factor[0] < 0.05
    assert log_factor[1] == pytest.approx(math.log(3100 / 1100))
    posterior = gamma(a=100 + 3000, scale=1 / (100 + 1000))
    assert math.exp(log_factor[1]) == pytest.approx(posterior.mean())
    assert left[1] == pytest.approx(posterior.var() / posterior.mean() ** 2)


def test_what_its_few_pods_draw_makes_of_a_node_is_not_believed_to_last():
    loose, _ = shrunk_factors(np.array([3000.0]), np.array([1000.0]), np.array([2.0]), 0.2, 0.01)
    assert loose[0] < 0.2


def test_expected_events_follow_the_common_rate_and_each_units_factor():
    observed = np.array([[2.0, 6.0], [1.0, 3.0]])
    expected = common_expectation(observed, np.full((2, 2), 50.0))
    np.testing.assert_allclose(expected, observed)


def drifting(rng, sd: float, phi: float = 0.95):
    steps, nodes, per = 120, 12, 4
    level = np.zeros((nodes, steps))
    for t in range(steps):
        before = level[:, t - 1] if t else rng.normal(0, sd, nodes)
        level[:, t] = phi * before + rng.normal(0, sd * math.sqrt(1 - phi**2), nodes)
    group = np.repeat(np.arange(nodes), per)
    exposure = np.full((nodes * per, steps), 100.0)
    observed = rng.poisson(0.1 * exposure * np.exp(level[group])).astype(float)
    return observed, exposure, group


def test_drift_of_nodes_is_seen_and_its_absence_too():
    seen, none = [], []
    for r in range(12):
        observed, exposure, group = drifting(np.random.default_rng([4, r]), 0.3)
        seen.append(group_drift(observed, common_expectation(observed, exposure), group))
        observed, exposure, group = drifting(np.random.default_rng([5, r]), 0.0)
        none.append(group_drift(observed, common_expectation(observed, exposure), group))
    assert np.mean(seen) == pytest.approx(0.09, rel=0.4)
    assert np.mean(none) < 0.003


def test_bursts_make_fewer_independent_events():
    rng = np.random.default_rng(6)
    exposure = np.full((20, 120), 100.0)
    steady = rng.poisson(0.02 * exposure).astype(float)
    bursts = 5.0 * rng.poisson(0.004 * exposure)
    assert block_dispersion(steady, exposure) == pytest.approx(1.0, abs=0.12)
    assert block_dispersion(bursts, exposure) == pytest.approx(5.0, rel=0.25)
    assert block_dispersion(bursts[:, :9], exposure[:, :9]) == 1.0
    assert block_dispersion(np.zeros((20, 120)), exposure) == 1.0
