"""Moments of buckets against every observation written out."""

from __future__ import annotations

import numpy as np
import pytest

from causal_rollouts.stats.bucket_moments import log_means, log_middles, pooled_variance

EDGES = np.array([0.1, 0.2, 0.4])


def test_the_open_buckets_have_a_middle_too():
    middles = np.exp(log_middles(EDGES))
    assert middles == pytest.approx(np.sqrt([0.05 * 0.1, 0.1 * 0.2, 0.2 * 0.4, 0.4 * 0.6]))


def test_mean_and_variance_are_those_of_the_requests_written_out():
    rng = np.random.default_rng(3)
    counts = rng.poisson(4, (5, 7, 4)).astype(float)
    counts[1, 2] = 0.0
    middles = log_middles(EDGES)
    n, mean = log_means(counts, middles)
    cells = [np.repeat(middles, c.astype(int)) for c in counts.reshape(-1, 4)]
    assert n.ravel() == pytest.approx([len(c) for c in cells])
    assert mean.ravel() == pytest.approx([c.mean() if len(c) else 0.0 for c in cells])
    inside = sum(((c - c.mean()) ** 2).sum() for c in cells if len(c))
    freedom = sum(len(c) - 1 for c in cells if len(c))
    assert pooled_variance(counts, middles, n, mean) == pytest.approx(inside / freedom)


def test_no_request_at_all_has_no_variance():
    n, mean = log_means(np.zeros((2, 3, 4)), log_middles(EDGES))
    assert not n.any()
    assert not mean.any()
    assert pooled_variance(np.zeros((2, 3, 4)), log_middles(EDGES), n, mean) == 0.0
