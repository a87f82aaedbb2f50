"""Effects of staggered starts, against a brute-force fit and a truth that two-way effects miss."""

from __future__ import annotations

import math

import numpy as np
import pytest

from causal_rollouts.stats.imputation import impute

NEVER = math.inf


def world(seed=0, units=12, times=30, warm=True, noise=0.1):
    """Cohorts at 10 and 20 and never; effect 1, with a warm-up 2 exp(-k/8) on top."""
    rng = np.random.default_rng(seed)
    start = np.array([10.0] * 4 + [20.0] * 4 + [NEVER] * (units - 8))
    age = np.arange(times)[None, :] - start[:, None]
    effect = np.where(age >= 0, 1.0 + (2.0 * np.exp(-np.maximum(age, 0) / 8.0) if warm else 0.0), 0.0)
    effect[np.isneginf(age)] = 0.0
    y = rng.standard_normal(units)[:, None] + rng.standard_normal(times)[None, :] + effect
    return y + noise * rng.standard_normal((units, times)), start, effect


def test_a_noiseless_world_gives_the_mean_effect_exactly():
    y, start, effect = world(noise=0.0)
    found = impute(y, start, np.arange(12))
    assert found.att == pytest.approx(effect[effect > 0].mean(), abs=1e-10)
    assert (found.cells, found.lost, found.treated, found.control) == (120, 0, 8, 4)


def test_two_way_fixed_effects_would_have_been_wrong_here():
    y, start, effect = world(noise=0.0)
    on = (np.arange(30)[None, :] >= start[:, None]).astype(float)
    demean = lambda a: a - a.mean(0, keepdims=True) - a.mean(1, keepdims=True) + a.mean()  # noqa: E731
    twoway = (demean(on) * y).sum() / (demean(on) * on).sum()
    truth = effect[effect > 0].mean()
    assert abs(twoway - truth) > 0.1
    assert impute(y, start, np.arange(12)).att == pytest.approx(truth, abs=1e-10)


def test_gaps_change_nothing_but_the_cells():
    y, start, _ = world(warm=False, noise=0.0)
    y[3, 12:15] = np.nan
    y[9, 5] = np.nan
    found = impute(y, start, np.arange(12))
    assert found.att == pytest.approx(1.0, abs=1e-10)
    assert found.cells == 117


def test_the_error_is_the_clustered_sum_of_the_weighted_residuals():
    """Against the estimator written as a linear map of y, found by trying every unit vector."""
    y, start, _ = world(seed=4, units=9, times=8)
    start = np.array([4.0] * 4 + [6.0] * 2 + [NEVER] * 3)
    cluster = np.array([0, 0, 1, 1, 2, 2, 3, 4, 4])
    found = impute(y, start, cluster)
    v = np.zeros_like(y)
    for i in range(9):
        for t in range(8):
            unit = np.zeros_like(y)
            unit[i, t] = 1.0
            v[i, t] = impute(unit, start, cluster).att
    assert found.att == pytest.approx(float((v * y).sum()), abs=1e-10)
    on = np.arange(8)[None, :] >= start[:, None]
    rows, cols = np.nonzero(~on)
    X = np.hstack((rows[:, None] == np.arange(9), cols[:, None] == np.arange(8))).astype(float)
    beta = np.linalg.lstsq(X, y[~on], rcond=None)[0]
    e = y - beta[:9, None] - beta[None, 9:]
    n, total = on.sum(1), (e * on).sum(1)
    e[on] -= (n @ total) / (n @ n)
    sums = [(v * e)[cluster == c].sum() for c in range(5)]
    assert found.se == pytest.approx(math.sqrt(float(np.square(sums).sum())), rel=1e-9)


def test_what_was_never_seen_untreated_is_lost_and_said():
    y, start, _ = world()
    start[0] = 0.0
    found = impute(y, start, np.arange(12))
    assert found.lost == 30
    everybody = np.full(12, 10.0)
    none = impute(y, everybody, np.arange(12))
    assert (none.cells, none.lost) == (0, 240)
    assert math.isnan(none.att)


def test_the_interval_covers_with_a_dozen_clusters():
    covered = 0
    for seed in range(100):
        y, start, _ = world(seed, units=24, warm=False, noise=1.0)
        found = impute(y, start, np.arange(24))
        covered += abs(found.att - 1.0) <= 2.1 * found.se
    assert covered / 100 >= 0.9
