"""Looking again and again with a test that was made for one look, at bins that remember each other."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm

from causal_rollouts.evidence.continuous import HARM_CREDIT
from tests.calibration.pitfalls.watching import Watched, critical, running_mean, running_sd, watch
from tests.unit.evidence.latency_world import Fleet

pytestmark = pytest.mark.slow

RUNS, BINS, ALPHA = 200, 100, 0.05
QUIET = {
    "stable": 18,
    "grows": (4,),
    "stage_bins": BINS,
    "requests": 1000.0,
    "pod_sd": 0.0,
    "node_sd": 0.0,
    "service_sd": 0.01,
}
FLEETS = {
    "independent bins": Fleet(**QUIET, drift_sd=0.0, step_sd=0.005),
    "nodes drift, phi .6": Fleet(**QUIET, drift_sd=0.05, drift_phi=0.6, step_sd=0.005),
    "nodes drift, phi .9": Fleet(**QUIET, drift_sd=0.05, drift_phi=0.9, step_sd=0.005),
}
REMEMBER = [name for name in FLEETS if name != "independent bins"]


@cache
def watched(name: str) -> Watched:
    return watch(101 + list(FLEETS).index(name), RUNS, FLEETS[name])


@pytest.mark.parametrize("name", FLEETS)
def test_a_z_test_at_every_bin(exposes, name):
    seen = watched(name)
    D = seen.contrast
    z = running_mean(D) / running_sd(D) * np.sqrt(np.arange(1, D.shape[1] + 1))
    naive = (z[:, 9:] > norm.isf(ALPHA)).any(axis=1)
    exposes(f"1: z-test at every bin, {name}", naive, seen.fired(ALPHA), ALPHA)


@pytest.mark.parametrize("name", REMEMBER)
def test_mann_whitney_on_the_bins_so_far(exposes, name):
    """As canary judges that compare two series of bins do, but looked at every ten bins."""
    seen = watched(name)
    arms = seen.canary.mean(axis=1), seen.baseline.mean(axis=1)
    naive = np.zeros(RUNS, dtype=bool)
    for t in range(20, arms[0].shape[1] + 1, 10):
        p = mannwhitneyu(arms[0][:, :t], arms[1][:, :t], alternative="greater", axis=1).pvalue
        naive |= p < ALPHA
    exposes(f"2: Mann-Whitney every ten bins, {name}", naive, seen.fired(ALPHA), ALPHA)


@pytest.mark.parametrize("name", REMEMBER)
def test_correlated_bins_in_a_sequential_test_that_wants_independent_ones(exposes, name):
    """The mixture is valid at every look, of bins whose errors have mean zero given the past."""
    seen = watched(name)
    D = seen.contrast / seen.contrast.std()
    naive = (running_mean(D) >= critical(tuple(range(1, D.shape[1] + 1)), 1.0, ALPHA)).any(axis=1)
    exposes(f"3: mSPRT on raw bins, {name}", naive, seen.fired(ALPHA), ALPHA)


@pytest.mark.parametrize("name", REMEMBER)
def test_newey_west_of_the_data_under_test(exposes, name):
    """The long-run variance is estimated where it is used, so it is small whenever the path wanders."""
    seen = watched(name)
    D = seen.contrast
    naive = np.zeros(RUNS, dtype=bool)
    for t in range(20, D.shape[1] + 1):
        x = D[:, :t].mean(axis=1) / np.sqrt(_newey_west(D[:, :t]))
        naive |= x >= critical((t,), 1.0, ALPHA)[0]
    exposes(f"4: in-sample Newey-West, {name}", naive, seen.fired(ALPHA), ALPHA)


def _newey_west(x: np.ndarray) -> np.ndarray:
    """Long-run variance of each row, Bartlett weights, the usual 4 (t/100)^(2/9) lags."""
    t = x.shape[1]
    lags = int(4 * (t / 100) ** (2 / 9))
    e = x - x.mean(axis=1, keepdims=True)
    found = np.square(e).mean(axis=1)
    for lag in range(1, lags + 1):
        found += 2 * (1 - lag / (lags + 1)) * (e[:, lag:] * e[:, :-lag]).sum(axis=1) / t
    return found


def test_our_own_promise_at_the_gate_s_level(exposes):
    """One percent, with the credit that the gate takes for its horizon."""
    seen = [watched(name) for name in FLEETS]
    ours = np.concatenate([one.fired(0.01 * np.exp(HARM_CREDIT)) for one in seen])
    D = np.concatenate([one.contrast for one in seen])
    z = running_mean(D) / running_sd(D) * np.sqrt(np.arange(1, D.shape[1] + 1))
    exposes("1: the gate's 1%, all fleets", (z[:, 9:] > norm.isf(0.01)).any(axis=1), ours, 0.01)
