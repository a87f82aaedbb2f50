"""Few pods watched long: what looks like thousands of measurements are ten."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy.stats import norm

from causal_rollouts.stats.change_scores import change_scores, contrast
from causal_rollouts.stats.few_units import coefficient
from tests.calibration.pitfalls.watching import Watched, watch
from tests.unit.evidence.latency_world import Fleet, autoregression

pytestmark = pytest.mark.slow

RUNS, PRE, POST = 1000, 60, 60
AFTER = np.arange(PRE + POST) >= PRE


@cache
def panels(units: int) -> np.ndarray:
    """[run, unit, bin]: lasting levels and AR(1) noise of .8 about a common path."""
    rng = np.random.default_rng([201, units])
    y = autoregression(rng, RUNS * units, PRE + POST, 0.8, 1.0).reshape(RUNS, units, -1)
    common = autoregression(rng, RUNS, PRE + POST, 0.8, 1.0)[:, None, :]
    return y + common + rng.standard_normal((RUNS, units, 1))


def scores(y: np.ndarray) -> np.ndarray:
    return y[:, :, AFTER].mean(axis=2) - y[:, :, ~AFTER].mean(axis=2)


@cache
def ours(units: int, treated: int) -> np.ndarray:
    """Whether the two-sided 95% interval of our contrast misses zero."""
    on, w = np.arange(units) < treated, np.ones((units, PRE + POST))
    found = [contrast(change_scores(y, w, AFTER), on) for y in panels(units)]
    return np.array([abs(one.estimate) > one.half_width(0.95) for one in found])


def cr1(d: np.ndarray, treated: int) -> tuple[np.ndarray, np.ndarray]:
    """(difference of means, its clustered error) of change scores on the last axis."""
    n, n1 = d.shape[-1], treated
    first, second = d[..., :n1], d[..., n1:]
    gap = first.mean(axis=-1) - second.mean(axis=-1)
    variance = first.var(axis=-1) / n1 + second.var(axis=-1) / (n - n1)
    return gap, np.sqrt(variance * n / (n - 1))


def test_two_way_fixed_effects_with_an_error_per_bin(exposes):
    """Ordinary least squares takes 1,200 correlated bins of ten pods for 1,200 independent ones."""
    y = panels(10)
    within = y - y.mean(axis=2, keepdims=True) - y.mean(axis=1, keepdims=True)
    within = within + y.mean(axis=(1, 2), keepdims=True)
    D = np.where(np.arange(10) < 5, 0.5, -0.5)[:, None] * np.where(AFTER, 0.5, -0.5)[None, :]
    tau = (within * D).sum(axis=(1, 2)) / np.square(D).sum()
    left = np.square(within - tau[:, None, None] * D).sum(axis=(1, 2))
    se = np.sqrt(left / (10 * 120 - 10 - 120) / np.square(D).sum())
    exposes("6: error per bin, 5 against 5", np.abs(tau) > norm.isf(0.025) * se, ours(10, 5))


@pytest.mark.parametrize("treated", [1, 2])
def test_clustered_errors_with_few_treated_pods(exposes, treated):
    units = 10 + treated
    gap, se = cr1(scores(panels(units)), treated)
    naive = np.abs(gap) > norm.isf(0.025) * se
    exposes(f"7: CR1, {treated} against 10", naive, ours(units, treated))


def test_two_workloads_as_clusters_have_no_error_at_all():
    """One number each: the residuals are zero, the naive error is zero, and everything is significant."""
    rng = np.random.default_rng(202)
    X = np.array([[1.0, 1.0], [0.0, 1.0]])
    for _ in range(50):
        found = coefficient(X, rng.standard_normal(2), 0)
        assert found.cr0 < 1e-12 < abs(found.estimate)
        assert math.isnan(found.half_width(0.95))
        assert math.isnan(found.p_above())


def wild(d: np.ndarray, treated: int, rng: np.random.Generator) -> np.ndarray:
    """p of the wild cluster bootstrap of each row: null imposed, Webb's six points."""
    six = np.sqrt([0.5, 1.0, 1.5])
    v = rng.choice(np.concatenate((-six, six)), (len(d), 199, d.shape[1]))
    mean = d.mean(axis=1, keepdims=True)
    gap, se = cr1(mean[:, None, :] + v * (d - mean)[:, None, :], treated)
    seen, own = cr1(d, treated)
    return (1 + np.sum(np.abs(gap / se) >= np.abs(seen / own)[:, None], axis=1)) / 200


def test_a_wild_bootstrap_with_two_treated_pods_finds_little():
    """A draw that keeps both treated residuals repeats the finding itself, so p can hardly be small."""
    rng, on = np.random.default_rng(203), np.arange(12) < 2
    nothing = scores(panels(12))[:400]
    harmed = nothing + 2.0 * nothing[:, ~on].std() * on
    assert np.mean(wild(nothing, 2, rng) < 0.05) < 0.02
    naive = np.mean(wild(harmed, 2, rng) < 0.05)
    found = [contrast(one, on) for one in harmed]
    caught = np.mean([abs(one.estimate) > one.half_width(0.95) for one in found])
    assert naive < 0.25, naive
    assert caught > 0.8, caught


@cache
def lottery(sd: float) -> Watched:
    quiet = {"stable": 18, "grows": (4,), "stage_bins": 40, "node_sd": 0.0, "drift_sd": 0.0, "step_sd": 0.005}
    return watch(204, 200, Fleet(**quiet, pod_sd=sd))


@pytest.mark.parametrize("sd", [0.03, 0.10])
def test_requests_of_four_pods_taken_for_independent_ones(exposes, sd):
    """Thousands of requests a bin, of pods that were dealt their speed once."""
    seen = lottery(sd)
    n = seen.canary.shape[1] * seen.canary.shape[2] * seen.fleet.requests
    z = seen.contrast.mean(axis=1) / np.sqrt(2.0 * seen.fleet.request_sd**2 / n)
    exposes(f"5: requests as units, pods differ by {sd:g}", z > norm.isf(0.05), seen.fired(0.05))
