"""Comparisons with a time or with pods that were not like the canary to begin with."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from causal_rollouts.model.arms import Arm
from tests.calibration.pitfalls.watching import Watched, critical, running_mean, watch
from tests.unit.evidence.latency_world import T0, Fleet, autoregression

pytestmark = pytest.mark.slow

RUNS, ALPHA = 150, 0.05
QUIET = {"stable": 18, "grows": (4,), "stage_bins": 60, "node_sd": 0.0, "drift_sd": 0.0, "fresh": 0.0}


def cold(rng, units, at):
    """Pods of both arms are slow when they are new."""
    age = at[None, :] - np.array([u.ready for u in units])[:, None]
    young = np.array([u.arm is not Arm.STABLE for u in units])[:, None]
    return np.where(young & (age >= 0), 0.5 * np.exp(-np.maximum(age, 0) / 8.0), 0.0)


def test_old_pods_as_controls_of_cold_ones(exposes):
    """The stable pods have been warm for days; canary and baseline began together."""
    seen = watch(501, RUNS, Fleet(**QUIET, pod_sd=0.01), added=cold)
    begin = seen.stable.shape[2] - seen.canary.shape[2]
    D = seen.canary.mean(axis=1) - seen.stable[:, :, begin:].mean(axis=1)
    past = seen.stable[:, :, :begin].std(axis=2).mean() * np.sqrt(1 / 4 + 1 / 18)
    naive = running_mean(D / past) >= critical(tuple(range(1, D.shape[1] + 1)), 1.0, ALPHA)
    exposes("12: old pods as controls", naive.any(axis=1), seen.fired(ALPHA), ALPHA)


def trough(rng, units, at):
    """The common path of a service, cut where its last twenty bins before the release were the best."""
    path = autoregression(rng, 1, 4 * len(at), 0.9, 0.2)[0]
    before = int(np.flatnonzero(at == T0)[0])
    ends = np.arange(before, 4 * len(at) - (len(at) - before))
    recent = np.convolve(path, np.full(20, 1 / 20), "valid")[ends - 20]
    best = ends[int(recent.argmin())]
    return path[best - before : best - before + len(at)][None, :]


@cache
def after_a_trough() -> Watched:
    return watch(502, RUNS, Fleet(**QUIET, pod_sd=0.01, service_sd=0.0), added=trough)


def test_a_start_after_a_good_spell(misses):
    """Somebody who waits for a calm moment meets the average again, and calls it the release."""
    seen = after_a_trough()
    begin = seen.fleet.history
    service = seen.stable.mean(axis=1)
    naive = seen.canary.mean(axis=(1, 2)) - service[:, begin - 20 : begin].mean(axis=1)
    misses("23: before and after, from a trough", naive, seen.effects, 0.0)


def test_no_release_is_reverted_for_a_good_spell_before_it(exposes):
    seen = after_a_trough()
    begin = seen.fleet.history
    service = seen.stable.mean(axis=1)
    past = service[:, begin - 20 : begin]
    gap = seen.canary.mean(axis=(1, 2)) - past.mean(axis=1)
    naive = gap > 1.645 * past.std(axis=1, ddof=1) / np.sqrt(20)
    exposes("23: its z-test, from a trough", naive, seen.fired(ALPHA), ALPHA)
