"""Blocks of a contrast: what moved when, and a past that must be shown to be alike."""

from __future__ import annotations

import math

import numpy as np
import pytest

from causal_rollouts.stats.change_scores import contrast
from causal_rollouts.stats.event_study import event_study, pre_trend

TREATED = np.arange(10) < 5


def blocks(effect, seed=1, noise=0.02, count=6, begin=3):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal(10)[:, None] + rng.standard_normal(count)[None, :]
    y = y + noise * rng.standard_normal((10, count))
    y[:5, begin:] += effect
    return y


def test_the_effect_shows_from_its_block_on_and_not_before():
    found = event_study(blocks(0.3), TREATED, reference=2)
    assert [m.block for m in found] == [0, 1, 3, 4, 5]
    for moment in found:
        truth = 0.3 if moment.block >= 3 else 0.0
        assert abs(moment.theta.estimate - truth) < moment.band
        assert moment.band > moment.half > 0


def test_one_block_is_the_contrast_of_changes_from_the_reference():
    y = blocks(0.1)
    found = event_study(y, TREATED, reference=2)[2]
    assert found.theta == contrast(y[:, 3] - y[:, 2], TREATED)
    assert found.half == found.theta.half_width(0.95)
    assert found.band == found.theta.half_width(1 - 0.05 / 5)


def test_without_a_past_it_gives_levels():
    y = blocks(0.1)
    found = event_study(y, TREATED, reference=None)
    assert len(found) == 6
    assert found[0].theta == contrast(y[:, 0], TREATED)


def test_blocks_that_nobody_can_compare_are_left_out():
    y = blocks(0.1)
    y[:5, 4] = np.nan
    assert [m.block for m in event_study(y, TREATED, reference=2)] == [0, 1, 3, 5]


def test_a_past_is_alike_only_when_every_interval_lies_inside():
    quiet = event_study(blocks(0.0, noise=0.005), TREATED, reference=2)[:2]
    assert pre_trend(quiet, 0.05).ok is True
    assert pre_trend(quiet, quiet[0].half / 10).ok is False


def test_a_noisy_past_does_not_pass_for_want_of_proof():
    """A trend test would say `not significant` here; equivalence says no."""
    noisy = event_study(blocks(0.0, noise=0.5), TREATED, reference=2)[:2]
    assert all(abs(m.theta.estimate) < m.half for m in noisy)
    assert pre_trend(noisy, 0.05).ok is False


def test_no_past_and_no_variation_cannot_be_told():
    assert pre_trend((), 0.05).ok is None
    still = event_study(np.zeros((10, 3)), TREATED, reference=2)
    assert pre_trend(still, 0.05).ok is None
    assert math.isnan(pre_trend(still, 0.05).reach)


def test_the_band_holds_all_blocks_at_once():
    rng = np.random.default_rng(9)
    missed = 0
    for _ in range(400):
        y = rng.standard_normal((10, 9))
        missed += any(abs(m.theta.estimate) > m.band for m in event_study(y, TREATED, reference=0))
    assert missed / 400 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


def test_strata_that_began_at_other_levels_do_not_matter():
    y, stratum = blocks(0.2), np.array([0, 0, 0, 1, 1] * 2)
    shifted = y + 50.0 * stratum[:, None]
    plain = event_study(y, TREATED, reference=None, stratum=stratum)
    moved = event_study(shifted, TREATED, reference=None, stratum=stratum)
    for a, b in zip(plain, moved, strict=True):
        assert a.theta.estimate == pytest.approx(b.theta.estimate, abs=1e-10)
