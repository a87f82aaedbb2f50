"""How much has to be wrong: published values, and the definition itself."""

from __future__ import annotations

import math

import pytest
from scipy.stats import t as student

from causal_rollouts.stats.sensitivity import breakdown_mbar, e_value


def test_the_e_value_solves_its_own_bias_formula():
    """Two equal associations E bias a ratio by at most E E/(2E - 1)."""
    for ratio in (1.01, 1.5, 3.9, 20.0):
        e = e_value(ratio)
        assert e * e / (2 * e - 1) == pytest.approx(ratio, rel=1e-12)
    assert e_value(1.0) == 1.0
    assert e_value(0.5) == e_value(2.0)


def test_at_the_breakdown_the_bias_just_reaches_the_interval():
    before, se, df, horizon = (0.01, -0.02, 0.0), 0.03, 8.0, 4.0
    mbar = breakdown_mbar(0.2, se, df, before, horizon)
    bias = horizon * mbar * 0.03
    assert 0.2 - bias == pytest.approx(student.ppf(0.975, df) * se, abs=1e-9)
    assert breakdown_mbar(-0.2, se, df, before, horizon) == mbar


def test_an_effect_that_is_none_breaks_at_once_and_a_still_past_never():
    assert breakdown_mbar(0.05, 0.03, 8.0, (0.01, 0.0), 1.0) == 0.0
    assert breakdown_mbar(0.5, 0.03, 8.0, (0.0, 0.0), 1.0) == math.inf
