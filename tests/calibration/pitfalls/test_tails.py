"""Measurements that are mostly small and now and then enormous, and pods that do not live to be measured."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from causal_rollouts.evidence.continuous import HARM_CREDIT
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import MetricKind
from causal_rollouts.model.registration import Budget
from causal_rollouts.stats.bucket_moments import log_middles
from causal_rollouts.stats.change_scores import contrast, levels
from tests.calibration.pitfalls.watching import critical, running_mean, watch
from tests.unit.evidence.latency_world import T0, WARM_UP, Fleet, draw

pytestmark = pytest.mark.slow

FLEET = Fleet(stable=18, grows=(4,), stage_bins=60, node_sd=0.0, drift_sd=0.0, pod_sd=0.0, service_sd=0.01)
ALPHA = Budget().alpha * dict(Budget().kinds)[MetricKind.LATENCY] * Budget().first_window
"""What latency has of the error budget in the first window: small, and there tails matter most."""


def bursts(rng, units, at):
    """One bin of a pod in fifty is fifteen times as slow."""
    return np.where(rng.random((len(units), len(at))) < 0.02, np.log(15.0), 0.0)


def lognormal(rng, units, at):
    return rng.standard_normal((len(units), len(at)))


def seconds(seed: int, added) -> np.ndarray:
    """Canary less baseline in mean seconds of each warm bin, in standard deviations of the stable past."""
    rng = np.random.default_rng([1201, seed])
    release = draw(rng, FLEET, partial(added, rng))
    counts, middles = release.table.counts, np.exp(log_middles(release.table.edges))
    mean = (counts * middles).sum(axis=2) / np.maximum(counts.sum(axis=2), 1.0)
    arm, begin = np.array([u.arm for u in release.units]), T0 - release.first
    noise = mean[arm == Arm.STABLE][:, :begin].std() * np.sqrt(1 / 4 + 1 / 4)
    warm = mean[:, begin + WARM_UP :]
    return (warm[arm == Arm.CANARY].mean(axis=0) - warm[arm == Arm.BASELINE].mean(axis=0)) / noise


@pytest.mark.parametrize("added", [bursts, lognormal])
def test_mean_seconds_of_a_bin_as_if_they_were_gaussian(exposes, added):
    """The variance is right and the bins are independent; a single bin is still proof enough of anything."""
    D = np.array([seconds(i, added) for i in range(1000)])
    naive = running_mean(D) >= critical(tuple(range(1, D.shape[1] + 1)), 1.0, ALPHA)
    seen = watch(1201, 150, FLEET, added=added)
    ours = seen.fired(ALPHA * np.exp(HARM_CREDIT))
    exposes(f"18: mean seconds, {added.__name__}", naive.any(axis=1), ours, ALPHA)


def leaking(rng: np.random.Generator, bins: int) -> tuple[np.ndarray, bool]:
    """(harm of a slot's pods in each bin, whether the first of them still lives); at 3 it is killed anew."""
    slope = rng.lognormal(-4.0, 0.7)
    age = np.arange(bins) % max(1, int(np.ceil(3.0 / slope)))
    return slope * age, bool(age[-1] == bins - 1)


def test_the_pods_that_are_still_there(misses):
    """A leak kills the worst pods; who asks the living finds too little of it. A slot outlives its pods."""
    rng, slots, bins = np.random.default_rng(1301), 20, 150
    on, w = np.arange(2 * slots) < slots, np.ones((2 * slots, bins))
    naive, ours = [], []
    for _ in range(400):
        harm, alive = zip(*(leaking(rng, bins) for _ in range(slots)), strict=True)
        y = rng.standard_normal((2 * slots, bins))
        y[:slots] += harm
        truth, living = float(np.mean(harm)), np.array(alive)
        naive.append(y[:slots][living].mean() - y[slots:].mean() - truth)
        ours.append(contrast(levels(y, w), on).estimate - truth)
    misses("19: survivors only", naive, ours, 0.0)
