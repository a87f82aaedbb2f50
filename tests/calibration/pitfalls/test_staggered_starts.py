"""Pods that started at different times, and an effect that fades."""

from __future__ import annotations

import numpy as np
import pytest

from causal_rollouts.stats.few_units import half_width
from causal_rollouts.stats.imputation import impute
from tests.unit.evidence.latency_world import autoregression

pytestmark = pytest.mark.slow

RUNS, UNITS, TIMES = 300, 16, 48
START = np.array([12.0] * 4 + [20.0] * 4 + [28.0] * 4 + [np.inf] * 4)


def test_two_way_fixed_effects_take_the_early_for_controls_of_the_late(misses):
    """A warm-up of 2 exp(-k/8) above a lasting effect of 1: what fades in the early is added to the late."""
    rng = np.random.default_rng(301)
    age = np.arange(TIMES)[None, :] - START[:, None]
    on = age >= 0
    effect = np.where(on, 1.0 + 2.0 * np.exp(-np.maximum(age, 0.0) / 8.0), 0.0)
    noise = autoregression(rng, RUNS * UNITS, TIMES, 0.6, 0.3).reshape(RUNS, UNITS, TIMES)
    y = noise + rng.standard_normal((RUNS, UNITS, 1)) + rng.standard_normal((RUNS, 1, TIMES)) + effect
    D = on - on.mean(axis=1, keepdims=True) - on.mean(axis=0, keepdims=True) + on.mean()
    naive = (y * D).sum(axis=(1, 2)) / np.square(D).sum()
    ours = [impute(one, START, np.arange(UNITS)).att for one in y]
    misses("13: two-way fixed effects, staggered", naive, ours, float(effect[on].mean()))


def test_its_interval_holds_where_nothing_happened(exposes):
    """The same starts without an effect: one error per bin against one per pod."""
    rng = np.random.default_rng(302)
    on = np.arange(TIMES)[None, :] >= START[:, None]
    noise = autoregression(rng, RUNS * UNITS, TIMES, 0.8, 0.3).reshape(RUNS, UNITS, TIMES)
    y = noise + rng.standard_normal((RUNS, UNITS, 1)) + rng.standard_normal((RUNS, 1, TIMES))
    D = on - on.mean(axis=1, keepdims=True) - on.mean(axis=0, keepdims=True) + on.mean()
    tau = (y * D).sum(axis=(1, 2)) / np.square(D).sum()
    within = (
        y - y.mean(axis=2, keepdims=True) - y.mean(axis=1, keepdims=True) + y.mean(axis=(1, 2), keepdims=True)
    )
    left = np.square(within - tau[:, None, None] * D).sum(axis=(1, 2))
    se = np.sqrt(left / (UNITS * TIMES - UNITS - TIMES) / np.square(D).sum())
    found = [impute(one, START, np.arange(UNITS)) for one in y]
    ours = [abs(one.att) > half_width(one.se, one.control - 1.0, 0.95) for one in found]
    exposes("13: error per bin, staggered", np.abs(tau) > 1.96 * se, np.array(ours))
