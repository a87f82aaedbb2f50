"""Several e-values of one release, each of them honest, put together as they may not be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from causal_rollouts.evidence.budget import spent
from causal_rollouts.model.evidence import Process
from causal_rollouts.model.metrics import MetricKind
from causal_rollouts.model.registration import Budget
from causal_rollouts.stats.mixtures import one_sided_log_e
from causal_rollouts.stats.variance_cells import CELL_MASS

pytestmark = pytest.mark.slow

ALPHA, LIMIT, KAPPA2 = 0.05, math.log(20.0), 0.1
LOOKS = range(2, 161, 2)


def log_e(x: np.ndarray, begin: int, end: int) -> float:
    """Evidence that the mean of the bins in a window is above zero."""
    v = np.full(len(CELL_MASS), 1.0 / (end - begin))
    return one_sided_log_e(float(x[begin:end].mean()), v, KAPPA2)


def process(number: int, evidence: float, share: float) -> Process:
    return Process("latency", MetricKind.LATENCY, number, evidence, math.log(share))


def test_products_of_evidence_that_shares_its_bins(exposes):
    """Every stage opens a window, and all windows see what comes after: its luck counts four times."""
    starts, first = (0, 40, 80, 120), Budget().first_window
    share = [first, *[(1.0 - first) / 3.0] * 3]
    naive, ours = [], []
    for x in np.random.default_rng(701).standard_normal((600, 160)):
        paths = [[log_e(x, s, t) for s in starts if s < t] for t in LOOKS]
        naive.append(any(sum(path) >= LIMIT for path in paths))
        ours.append(
            any(spent(process(k, e, share[k]) for k, e in enumerate(path)) >= LIMIT for path in paths)
        )
    exposes("21: products over windows", naive, ours, ALPHA)


def test_the_metric_that_looks_worst_takes_the_whole_budget(exposes):
    """Twelve metrics, each tested as if it were the only one, against shares declared beforehand."""
    metrics = 12
    naive, ours = [], []
    for xs in np.random.default_rng(702).standard_normal((200, metrics, 160)):
        paths = [[log_e(x, 0, t) for x in xs] for t in LOOKS[1::2]]
        naive.append(any(max(path) >= LIMIT for path in paths))
        ours.append(
            any(spent(process(k, e, 1.0 / metrics) for k, e in enumerate(path)) >= LIMIT for path in paths)
        )
    exposes("24: the metric chosen after looking", naive, ours, ALPHA)
