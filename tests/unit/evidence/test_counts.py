"""What pods and nodes alone may do to a ratio, by hand and in worlds drawn again and again."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from causal_rollouts.evidence.count_history import CountHistory
from causal_rollouts.evidence.counts import add_bin, begin_counts, blur
from causal_rollouts.evidence.eligible import Side
from causal_rollouts.evidence.frame import Frame, Unit
from causal_rollouts.evidence.rate_shift import effect_of, pair_likelihood
from causal_rollouts.model.arms import Arm

UNITS = (
    Unit("canary-0", Arm.CANARY, "left", 0),
    Unit("canary-1", Arm.CANARY, "left", 0),
    Unit("baseline-0", Arm.BASELINE, "right", 0),
    Unit("baseline-1", Arm.BASELINE, "new", 0),
)
HISTORY = CountHistory(
    events=500.0,
    exposure=1e5,
    pods=12,
    v_pod=0.04,
    v_drift=0.01,
    v_node=0.005,
    dispersion=1.0,
    nodes=("left", "right"),
    log_factor=np.array([0.2, -0.1]),
    left=np.array([0.001, 0.002]),
)


def frame(now: int) -> Frame:
    return Frame(UNITS, 0, (0,), 1, {}, frozenset(), None, now, 0)


def window_of(events: list[float], exposure: list[float], history: CountHistory = HISTORY, bins: int = 1):
    counts = begin_counts(0)
    sides = [
        Side(UNITS[i : i + 2], np.array(events[i : i + 2]), np.array(exposure[i : i + 2])) for i in (0, 2)
    ]
    for at in range(bins):
        counts = replace(add_bin(counts, history, (0,), *sides), next_bin=at + 1)
    return counts, counts.windows[0]


def test_the_blur_is_the_variance_of_the_draws_weighted_by_exposure():
    counts, window = window_of([1, 1, 1, 1], [300.0, 100.0, 100.0, 100.0])
    e = np.array([300 * math.exp(0.2), 100 * math.exp(0.2), 100 * math.exp(-0.1), 100.0])
    a, b = e[:2] / e[:2].sum(), e[2:] / e[2:].sum()
    pods = 0.04 * (a @ a + b @ b)
    nodes = 1.0 * (0.001 + 0.01) + b[0] ** 2 * (0.002 + 0.01) + b[1] ** 2 * (0.005 + 0.01)
    found = blur(counts, window, frame(0), HISTORY, 0.5)
    assert found.total == pytest.approx(pods + nodes, rel=1e-5)
    assert found.control == pytest.approx(0.04 * (b @ b), rel=1e-5)


def test_drift_averages_out_over_a_window_as_fast_as_it_forgets():
    still = replace(HISTORY, v_pod=0.0, left=np.zeros(2), v_node=0.0)
    short, long = (window_of([1, 1, 1, 1], [100.0] * 4, still, bins) for bins in (1, 40))
    ratio = blur(*long, frame(39), still, 0.9).total / blur(*short, frame(0), still, 0.9).total
    apart = np.abs(np.subtract.outer(np.arange(40), np.arange(40)))
    assert ratio == pytest.approx((0.9**apart).mean(), rel=1e-6)


def test_like_pods_on_like_nodes_keep_a_floor_of_blur():
    exact = replace(HISTORY, v_pod=0.0, v_drift=0.0, v_node=0.0, left=np.zeros(2))
    counts, window = window_of([1, 1, 1, 1], [100.0] * 4, exact)
    assert blur(counts, window, frame(0), exact, 0.5).total == pytest.approx(0.05**2)


def test_known_factors_of_nodes_are_taken_off_the_estimate():
    _, window = window_of([300, 300, 200, 200], [1000.0] * 4)
    fair = math.log(600 / (2000 * math.exp(0.2))) - math.log(400 / (1000 * math.exp(-0.1) + 1000))
    assert effect_of(window) == pytest.approx(fair, abs=0.005)


def test_bursty_events_weigh_as_fewer():
    _, steady = window_of([30, 30, 20, 20], [1000.0] * 4)
    _, bursty = window_of([30, 30, 20, 20], [1000.0] * 4, replace(HISTORY, dispersion=2.0))
    np.testing.assert_allclose(2.0 * bursty.log_l, steady.log_l, atol=1e-4)


def test_a_variance_from_few_pods_needs_more_evidence():
    _, window = window_of([6000, 6000, 1500, 1500], [1e5] * 4)
    few, many = (pair_likelihood(window, 0.01, df).above(math.log(1.25), 1.0) for df in (3.0, 60.0))
    assert 0.0 < few < many - 2.0


def test_a_ratio_far_past_what_pods_differ_by_is_evidence_and_one_within_it_is_not():
    """Two pods a side with a log sd of .3 each: whole worlds drawn again, many events."""
    rng = np.random.default_rng(70)
    history = replace(HISTORY, v_pod=0.09, v_drift=0.0, nodes=(), log_factor=np.zeros(0), left=np.zeros(0))
    log_e = []
    for _ in range(300):
        events = rng.poisson(2000 * np.exp(rng.normal(math.log(1.25) * np.array([1, 1, 0, 0]), 0.3)))
        counts, window = window_of(events.astype(float).tolist(), [1e5] * 4, history)
        width = blur(counts, window, frame(0), history, 0.5).total
        log_e.append(pair_likelihood(window, width, 12.0).above(math.log(1.25), 1.0))
    # An e-value exceeds 1/alpha in at most alpha of worlds at the null itself.
    assert np.mean(np.array(log_e) > math.log(20.0)) <= 0.05 + 2.0 * math.sqrt(0.05 * 0.95 / 300)
    assert np.mean(np.exp(log_e)) < 1.5
