"""The test of a switchback: p holds for any series, because only the times are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, ttest_ind

from causal_rollouts.model.switchback import Switchback
from causal_rollouts.stats.switchback_test import switchback_test

PLAN = Switchback()
OTHERS = np.array(list(PLAN.others(3, 999)))


def legs(number):
    return np.array(PLAN.legs(3, number))


def wandering(rng, bins, memory=0.95):
    """A series of the service: each bin hangs on the one before."""
    noise = rng.normal(size=bins + 200)
    for t in range(1, len(noise)):
        noise[t] += memory * noise[t - 1]
    return noise[200:]


def test_of_no_effect_p_is_small_as_rarely_as_it_says_though_bins_hang_together():
    rng = np.random.default_rng(11)
    ours, naive = [], []
    for number in range(400):
        on, series = legs(number), wandering(rng, PLAN.bins)
        ours.append(switchback_test(series, on, OTHERS, 2).p)
        naive.append(ttest_ind(series[on], series[~on], alternative="greater").pvalue)
    for alpha in (0.05, 0.2):
        most = binom.ppf(0.999, 400, alpha)
        assert np.sum(np.array(ours) <= alpha) <= most
        assert np.sum(np.array(ours) <= alpha) >= binom.ppf(0.001, 400, alpha)
    assert np.mean(np.array(naive) <= 0.05) > 2 * 0.05


def test_a_clear_effect_is_found_and_measured():
    rng = np.random.default_rng(5)
    on = legs(0)
    found = switchback_test(0.3 * on + rng.normal(0.0, 0.05, PLAN.bins), on, OTHERS, 2)
    assert found.p == found.least == 1 / 1000
    assert found.effect == pytest.approx(0.3, abs=0.03)


def test_an_improvement_is_no_harm():
    on = legs(0)
    assert switchback_test(-0.3 * on.astype(float), on, OTHERS, 2).p > 0.99


def test_what_lingers_after_a_switch_is_left_out():
    on = legs(0)
    series = 0.3 * on
    switched = np.flatnonzero(np.diff(on.astype(int), prepend=2))
    lingering = series.copy()
    lingering[switched] = 9.0
    lingering[np.minimum(switched + 1, PLAN.bins - 1)] = 9.0
    assert switchback_test(lingering, on, OTHERS[:1], 2).effect == pytest.approx(0.3)
    assert switchback_test(lingering, on, OTHERS[:1], 1).effect != pytest.approx(0.3)


def test_bins_that_were_not_seen_are_left_out():
    on = legs(0)
    series = np.where(np.arange(PLAN.bins) % 3 == 0, np.nan, 0.3 * on)
    assert switchback_test(series, on, OTHERS, 2).effect == pytest.approx(0.3)


@pytest.mark.parametrize("kind", [True, False])
def test_where_one_of_the_two_was_never_seen_nothing_is_proven(kind):
    on = legs(0)
    found = switchback_test(np.where(on == kind, 1.0, np.nan), on, OTHERS, 2)
    assert found.p == 1.0
    assert np.isnan(found.effect)
