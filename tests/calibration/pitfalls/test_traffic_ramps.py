"""Traffic that comes in steps and waves, and rates that overlap."""

from __future__ import annotations

import numpy as np
import pytest

from causal_rollouts.evidence.increments import gather, increments
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.telemetry import Series
from causal_rollouts.stats.blurred_likelihood import BlurredLikelihood
from causal_rollouts.stats.event_odds import LOG_RATIO, log_likelihood
from causal_rollouts.stats.variance_cells import CELL_MASS
from tests.calibration.pitfalls.watching import critical, running_mean
from tests.unit.evidence.latency_world import autoregression

pytestmark = pytest.mark.slow

ALPHA = 0.05
FLOOR = np.full(len(CELL_MASS), 0.05**2)
"""The least that the gate blurs a rate ratio by."""


def above(log_l: np.ndarray) -> float:
    """Evidence that the canary's rate is higher, as the gate computes it."""
    return BlurredLikelihood(LOG_RATIO, log_l[None, :], FLOOR).above(0.0, 1.0)


def test_one_average_share_over_a_ramp(exposes):
    """Errors come in waves; a stage that catches a wave has another share than the average bin."""
    rng, runs, bins = np.random.default_rng(801), 400, 240
    share = np.repeat([0.01, 0.05, 0.25, 0.50], bins // 4)
    wave = 2.0 * np.exp(autoregression(rng, runs, bins, 0.95, 0.7) - 0.7**2 / 2)
    n1, n0 = rng.poisson(wave * share), rng.poisson(wave * (1 - share))
    naive, ours = np.zeros(runs, dtype=bool), np.zeros(runs, dtype=bool)
    for i in range(runs):
        per_bin = log_likelihood(n1[i][:, None], n0[i][:, None], share[:, None], LOG_RATIO).cumsum(axis=0)
        for t in range(4, bins + 1, 4):
            ours[i] |= above(per_bin[t - 1]) >= -np.log(ALPHA)
            lumped = log_likelihood(n1[i, :t].sum(), n0[i, :t].sum(), share[:t].mean(), LOG_RATIO)
            naive[i] |= above(lumped) >= -np.log(ALPHA)
    exposes("10: one average share", naive, ours, ALPHA)


def test_rates_over_five_minutes_asked_for_every_quarter(exposes):
    """Twenty overlapping windows are one measurement; the same test, fed with increments, is right."""
    rng, runs, bins, back = np.random.default_rng(901), 300, 240, 20
    grid = Grid(width=15.0, delay=17.0, scrape=7.5)
    times = np.arange(2 * (bins + back) + 1) * grid.scrape + 0.1
    per_scrape = rng.poisson(25.0, (runs, 2, len(times)))
    totals = np.cumsum(per_scrape, axis=2).astype(float)
    rate = totals[:, :, 2 * back :: 2] - totals[:, :, : -2 * back : 2]
    looks = tuple(range(1, bins + 1))
    limit = critical(looks, 1.0, ALPHA)
    naive = running_mean(_standard(rate[:, 0, :bins] - rate[:, 1, :bins])) >= limit
    D = np.array([_increments(pair, times, grid)[:, back : back + bins] for pair in totals])
    ours = running_mean(_standard(D[:, 0] - D[:, 1])) >= limit
    exposes("9: rate[5m] every 15 s", naive.any(axis=1), ours.any(axis=1), ALPHA)


def _standard(x: np.ndarray) -> np.ndarray:
    return x / x.std()


def _increments(pair: np.ndarray, times: np.ndarray, grid: Grid) -> np.ndarray:
    """Requests of both counters by bin."""
    counters = [(i, 0, Series({}, times.tolist(), values.tolist())) for i, values in enumerate(pair)]
    found = increments(
        gather(counters, [0, 1], -1.0, times[-1] + 1.0), grid, np.full(2, -np.inf), 3 * grid.scrape
    )
    table = np.zeros((2, int(found.bin.max()) + 1))
    np.add.at(table, (found.counter, found.bin), found.amount)
    return table
