"""Arms that slowly part for reasons of their own."""

from __future__ import annotations

import numpy as np
import pytest

from causal_rollouts.model.arms import Arm
from tests.calibration.pitfalls.watching import DECLARED, critical, running_mean, watch
from tests.unit.evidence.latency_world import T0, Fleet

pytestmark = pytest.mark.slow

RUNS, BINS, ALPHA = 150, 100, 0.05
QUIET = Fleet(
    stable=18, grows=(4,), stage_bins=BINS, requests=1000.0,
    pod_sd=0.0, node_sd=0.0, drift_sd=0.0, step_sd=0.005, service_sd=0.01,
)  # fmt: skip
NOISE = np.hypot(QUIET.request_sd / np.sqrt(QUIET.requests), QUIET.step_sd) * np.sqrt(1 / 4 + 1 / 4)
"""Standard deviation of one bin's contrast."""


def canaries(units):
    return np.array([u.arm is Arm.CANARY for u in units])[:, None]


def wanders(rng, units, at):
    """A random walk of the canary arm, a twentieth of the noise a bin."""
    path = np.cumsum(np.where(at >= T0, rng.normal(0.0, 0.05 * NOISE, len(at)), 0.0))
    return canaries(units) * path


def creeps(rng, units, at):
    """A five-hundredth of the noise a bin, always upwards."""
    return canaries(units) * 0.002 * NOISE * np.maximum(at - T0, 0)


@pytest.mark.parametrize(("name", "added"), [("random walk", wanders), ("linear", creeps)])
def test_any_difference_at_all_as_harm(exposes, name, added):
    """A test of exactly no effect finds what nobody minds; harm has a margin."""
    seen = watch(601, RUNS, QUIET, DECLARED, added)
    D = seen.contrast / NOISE
    t = tuple(range(1, D.shape[1] + 1))
    naive = (running_mean(D) >= critical(t, 0.1, ALPHA)).any(axis=1)
    exposes(f"25: {name}", naive, seen.fired(ALPHA), ALPHA)
