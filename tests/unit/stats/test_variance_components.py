"""The fit finds the noise that a fleet was built with."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from causal_rollouts.stats.variance_components import fit_components


def drifting(rng, rows, steps, phi, sd):
    """Stationary AR(1), by a filter with a long run-in."""
    noise = rng.normal(0.0, sd * np.sqrt(1 - phi**2), (rows, steps + 400))
    return lfilter([1.0], [1.0, -phi], noise, axis=1)[:, 400:]


def fleet(
    seed, *, groups=8, per_group=6, steps=120, unit_sd=0.05, group_sd=0.04, drift=(0.9, 0.03),
    white_sd=0.03, service=(0.95, 0.2), n=200.0, request_sd=0.6, unit_phi=0.0,
):  # fmt: skip
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), per_group)
    U = len(group)
    size = rng.poisson(n, (U, steps)).astype(float)
    y = rng.normal(0, unit_sd, (U, 1)) + rng.normal(0, group_sd, groups)[group][:, None]
    y = y + drifting(rng, groups, steps, *drift)[group] + drifting(rng, 1, steps, *service)
    y = y + drifting(rng, U, steps, unit_phi, white_sd)
    y = y + rng.normal(0, request_sd, (U, steps)) / np.sqrt(np.maximum(size, 1.0))
    return y, size, request_sd**2, group


def fits(count=60, **world):
    return [fit_components(*fleet(seed, **world))[0] for seed in range(count)]


def test_pod_and_step_variance_are_recovered():
    found = fits()
    assert np.mean([c.a for c in found]) == pytest.approx(0.03**2, rel=0.1)
    assert np.mean([c.sig_p2 for c in found]) == pytest.approx(0.05**2, rel=0.1)
    assert all(c.df_p == 40 for c in found)


def test_independent_steps_need_no_long_run_factor_and_correlated_ones_do():
    assert np.mean([c.kap for c in fits(20)]) < 1.25
    correlated = fits(20, unit_phi=0.8, white_sd=0.08, n=1000.0)
    # An AR(1) of .8 has a long-run factor of 9, of which blocks of 20 steps show about three quarters.
    assert 4.0 < np.mean([c.kap for c in correlated]) < 9.0


def test_node_drift_is_recovered_on_the_cautious_side():
    found = fits()
    gam, phi = (np.array([getattr(c, name) for c in found]) for name in ("gam", "phi"))
    assert 0.85 < np.median(phi) <= 0.98
    assert np.mean(gam >= 0.03**2) > 0.8
    assert np.median(gam) < 5 * 0.03**2


def test_a_node_that_does_not_drift_costs_next_to_nothing():
    found = fits(drift=(0.0, 0.0))
    assert np.median([c.gam for c in found]) < 1e-4


def test_slow_drift_hidden_by_a_short_past_is_still_charged():
    """phi .99 over 120 steps: half of the variance is gone with the mean."""
    found = fits(drift=(0.99, 0.05))
    assert np.median([c.gam for c in found]) > 0.05**2 * 0.7


def test_node_levels_are_charged_at_no_less_than_their_truth():
    found = fits()
    assert 0.04**2 < np.median([c.sig_n2 for c in found]) < 4 * 0.04**2


def test_levels_are_each_pods_own_and_centred():
    y, n, s2, group = fleet(1, drift=(0.0, 0.0), white_sd=0.01)
    y += np.linspace(-1, 1, len(y))[:, None]
    _, levels = fit_components(y, n, s2, group)
    assert levels.mean() == pytest.approx(0.0, abs=1e-12)
    assert np.corrcoef(levels, np.linspace(-1, 1, len(y)))[0, 1] > 0.98


def test_missing_steps_do_not_change_what_is_found():
    y, n, s2, group = fleet(4)
    full, _ = fit_components(y, n, s2, group)
    n[np.random.default_rng(0).random(n.shape) < 0.3] = 0.0
    y[n == 0] = 99.0
    part, _ = fit_components(y, n, s2, group)
    assert part.a == pytest.approx(full.a, rel=0.25)
    assert part.sig_p2 == pytest.approx(full.sig_p2, rel=0.1)
    assert part.phi == pytest.approx(full.phi, abs=0.1)


def test_a_pod_alone_on_each_node_leaves_all_variance_with_pods():
    c = fits(1, groups=10, per_group=1)[0]
    y, n, s2, group = fleet(0, groups=10, per_group=1)
    _, levels = fit_components(y, n, s2, group)
    assert (c.df_p, c.sig_n2, c.kap) == (9.0, 1e-8, 1.5)
    assert c.sig_p2 == pytest.approx(levels.var(ddof=1))


@pytest.mark.parametrize("units", [0, 1])
def test_a_fleet_too_small_to_learn_from_gives_wide_components(units):
    y = np.full((units, 50), -3.0)
    c, _ = fit_components(y, np.full((units, 50), 10.0), 0.3, np.zeros(units, dtype=np.int64))
    assert c.units == units
    assert c.sig_p2 == 1.0
