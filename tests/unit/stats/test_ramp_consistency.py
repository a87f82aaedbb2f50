"""Effects at different shares: exact where nobody minds, seen where somebody does."""

import numpy as np
import pytest
from scipy.stats import norm, permutation_test

from causal_rollouts.stats.ramp_consistency import ramp_consistency
from causal_rollouts.stats.randomization_test import exchanges
from tests.calibration.test_closed_loop_calibration import most
from tests.unit.stats.test_serial_regression import wander

UNITS, BINS = 10, 40
TREATED = np.arange(UNITS) < 5
FLAT = np.zeros(UNITS, dtype=np.int64)
LAW = exchanges(TREATED, np.arange(UNITS), FLAT)


def changes(rng, grows: float):
    """Slots on nodes that wander, an effect of 1 in the first stage, and of `grows` more after each rise."""
    y = wander(rng, UNITS, 3 * BINS, 0.9) + rng.standard_normal((UNITS, 1))
    means = y.reshape(UNITS, 3, BINS).mean(axis=2) + np.array([0.0, 0.7, 0.2])
    means += TREATED[:, None] * (1.0 + grows * np.arange(3))
    return y, np.diff(means, axis=1)


def test_of_one_rise_it_is_scipys_permutation_test():
    _, change = changes(np.random.default_rng(1), 0.5)
    found = ramp_consistency(change[:, :1], TREATED, FLAT, LAW)
    theirs = permutation_test(
        (change[TREATED, 0], change[~TREATED, 0]),
        lambda a, b, axis=0: np.abs(a.mean(axis=axis) - b.mean(axis=axis)),
        alternative="greater",
        n_resamples=np.inf,
        vectorized=True,
    )
    assert found.possible == 252
    assert found.p == pytest.approx(theirs.pvalue)
    assert found.estimates[0] == pytest.approx(change[TREATED, 0].mean() - change[~TREATED, 0].mean())


def test_constant_effects_are_rejected_as_often_as_said_and_bins_as_units_reject_far_too_often():
    runs, nominal = 200, 0.05
    rng = np.random.default_rng(2)
    ours = naive = 0
    for _ in range(runs):
        y, change = changes(rng, 0.0)
        ours += ramp_consistency(change, TREATED, FLAT, LAW).p <= nominal
        spread = np.sqrt(y.var(axis=1, ddof=1).mean() * 2 / BINS * 2 / 5)
        gap = change[TREATED, 0].mean() - change[~TREATED, 0].mean()
        naive += 2 * norm.sf(abs(gap) / spread) < nominal
    assert naive > 2 * nominal * runs
    assert ours <= most(runs, nominal, 0.001)


def test_an_effect_that_grows_with_the_share_is_seen():
    rng = np.random.default_rng(3)
    found = [ramp_consistency(changes(rng, 6.0)[1], TREATED, FLAT, LAW).p for _ in range(20)]
    assert np.mean(np.array(found) <= 0.05) > 0.8


def test_slots_that_came_with_a_later_rise_are_asked_from_then_on():
    rng = np.random.default_rng(4)
    change = rng.standard_normal((UNITS, 2))
    stratum = (np.arange(UNITS) % 5 >= 3).astype(np.int64)
    change[stratum == 1, 0] = np.nan
    law = exchanges(TREATED, np.arange(UNITS), stratum)
    found = ramp_consistency(change, TREATED, stratum, law)
    assert found.possible == 20 * 6
    first = stratum == 0
    only = change[first & TREATED, 0].mean() - change[first & ~TREATED, 0].mean()
    assert found.estimates[0] == pytest.approx(only)


def test_the_smallest_p_is_told():
    three = np.arange(6) < 3
    flat = np.zeros(6, dtype=np.int64)
    change = np.where(three, 5.0, 0.0)[:, None] + np.arange(6)[:, None] * 0.01
    found = ramp_consistency(change, three, flat, exchanges(three, np.arange(6), flat))
    assert found.p == found.least == pytest.approx(0.1)


def test_arms_that_never_met_in_two_stages_say_nothing():
    assert ramp_consistency(np.full((UNITS, 1), np.nan), TREATED, FLAT, LAW) is None
