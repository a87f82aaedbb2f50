"""The share of requests: known answers, and no false alarm over a thousand looks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from causal_rollouts.stats.sample_ratio import sample_ratio


def test_too_few_requests_say_nothing():
    assert sample_ratio(10, 199, 0.05).ok is None
    assert math.isnan(sample_ratio(0, 0, 0.05).p_hat)


@pytest.mark.parametrize(
    ("x", "n", "p", "ok"),
    [
        (104_900, 1_000_000, 0.10, True),  # 4.9% of the share off: within the slack
        (105_300, 1_000_000, 0.10, False),
        (94_700, 1_000_000, 0.10, False),
        (35, 400, 0.05, True),  # 4 standard errors at 400 are .0436
        (38, 400, 0.05, False),
        (0, 1000, 0.05, False),  # a canary that gets nothing
        (200, 200, 1.0, True),
    ],
)
def test_the_wider_of_slack_and_four_standard_errors_decides(x, n, p, ok):
    assert sample_ratio(x, n, p).ok is ok


def test_a_thousand_looks_at_a_true_share_do_not_fire():
    rng = np.random.default_rng(7)
    x = rng.binomial(1, 0.05, size=200_000)
    at = np.arange(200, 200_001, 200)
    assert all(sample_ratio(float(x[:n].sum()), float(n), 0.05).ok for n in at.tolist())
