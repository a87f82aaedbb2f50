"""Controls that a canary has touched."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from causal_rollouts.stats.exposure_classes import exposure
from tests.unit.evidence.latency_world import autoregression

pytestmark = pytest.mark.slow

RUNS, PODS, TAU, SPILL = 1000, 40, 1.0, 0.5
NODE = np.repeat(np.arange(10), 4)
TREATED = np.isin(np.arange(PODS), [0, 4, 8, 12])
TOUCHED = NODE < 4


@cache
def scores() -> np.ndarray:
    """Change scores over 60 and 60 bins; four of ten nodes carry a canary, which slows its neighbours."""
    rng = np.random.default_rng(401)
    y = autoregression(rng, RUNS * PODS, 120, 0.6, 1.25).reshape(RUNS, PODS, 120)
    change = y[:, :, 60:].mean(axis=2) - y[:, :, :60].mean(axis=2)
    return change + TAU * TREATED + SPILL * (~TREATED & TOUCHED)


@cache
def ours():
    flat = np.zeros(PODS, dtype=np.int64)
    return [exposure(d, TREATED, TOUCHED, flat) for d in scores()]


def test_all_other_pods_as_controls(misses):
    naive = scores()[:, TREATED].mean(axis=1) - scores()[:, ~TREATED].mean(axis=1)
    misses("14: all others as controls", naive, [one.total.estimate for one in ours()], TAU)


def test_the_neighbours_as_controls(misses):
    near = ~TREATED & TOUCHED
    naive = scores()[:, TREATED].mean(axis=1) - scores()[:, near].mean(axis=1)
    misses("14: same node as control", naive, [one.total.estimate for one in ours()], TAU)


def test_harm_to_neighbours_is_a_finding_of_its_own(misses):
    """Against all other pods, canaries included, it drowns in the release's own effect."""
    near = ~TREATED & TOUCHED
    naive = scores()[:, near].mean(axis=1) - scores()[:, ~near].mean(axis=1)
    misses("14: harm to neighbours", naive, [one.spill.estimate for one in ours()], SPILL)
