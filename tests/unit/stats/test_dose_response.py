"""Total effect from smaller shares: the published weights, and drift that a reference takes off."""

import numpy as np
import pytest

from causal_rollouts.stats.dose_response import extrapolation_weights, total_effect
from tests.calibration.test_closed_loop_calibration import most
from tests.unit.stats.test_serial_regression import wander


@pytest.mark.parametrize(
    ("shares", "weights", "noise"),
    [
        ((0, 0.01), (-100, 100), 141.4),
        ((0, 0.25), (-4, 4), 5.66),
        ((0, 0.25, 0.5), (2, -8, 6), 10.2),
        ((0, 0.05, 0.25, 0.5), (-58, 83.33, -38, 12.67), 109),
    ],
)
def test_weights_and_their_noise_are_the_published_ones(shares, weights, noise):
    h = extrapolation_weights(shares)
    assert h == pytest.approx(weights, abs=0.005)
    assert np.linalg.norm(h) == pytest.approx(noise, rel=0.005)


def test_the_weights_are_right_for_every_polynomial_of_their_degree():
    p = np.array([0.0, 0.1, 0.4, 0.7])
    for power in (1, 2, 3):
        assert extrapolation_weights(p) @ p**power == pytest.approx(1.0)
    assert extrapolation_weights(p).sum() == pytest.approx(0.0, abs=1e-12)


def test_two_shares_without_noise_give_the_weighted_difference():
    share = np.repeat([0.0, 0.25], 40)
    y = 2.0 + 3.0 * share + 1e-9 * np.random.default_rng(1).standard_normal(80)
    assert total_effect(y, share, np.arange(80)).estimate == pytest.approx(3.0, abs=1e-6)


SHARE = np.repeat([0.0, 0.05, 0.25, 0.5], [120, 40, 40, 60])
AT = np.arange(len(SHARE))


def runs(total: float, n: int, seed: int):
    """A service with a total effect that wanders, in a drift that another service shares."""
    rng = np.random.default_rng(seed)
    drift = 0.9 * np.arange(len(SHARE)) / 60.0
    own, other = wander(rng, n, len(SHARE), 0.5), wander(rng, n, len(SHARE), 0.5)
    return zip(total * SHARE + drift + own, drift + 0.3 * other, strict=True)


def test_drift_passes_for_an_effect_unless_a_reference_takes_it_off():
    found = [(total_effect(y, SHARE, AT), total_effect(y, SHARE, AT, r)) for y, r in runs(3.0, 60, 2)]
    alone, ours = (np.array([pair[i].estimate for pair in found]) for i in (0, 1))
    error = ours.std() / np.sqrt(len(ours))
    assert abs(alone.mean() - 3.0) > 10 * error
    assert abs(ours.mean() - 3.0) < 3 * error


def test_no_effect_is_hardly_ever_found_to_be_one_with_a_reference():
    n, nominal = 80, 0.05
    alone = ours = 0
    for y, r in runs(0.0, n, 3):
        one, two = total_effect(y, SHARE, AT), total_effect(y, SHARE, AT, r)
        alone += abs(one.estimate) > one.half_width(0.95)
        ours += abs(two.estimate) > two.half_width(0.95)
    assert alone > 2 * nominal * n
    assert ours <= most(n, nominal, 0.001)


def test_a_share_that_never_moved_says_nothing():
    assert total_effect(np.arange(50.0), np.zeros(50), np.arange(50)) is None
