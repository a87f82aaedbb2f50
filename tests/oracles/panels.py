"""The panels that every oracle is shown; small, seeded, with what makes estimators differ."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

NEVER = math.inf


def two_groups(units=14, treated=5, times=16, begin=9, seed=1):
    """(y [units, times], treated, after): unit and time effects, AR(1) noise, an effect of .7."""
    rng = np.random.default_rng(seed)
    on, after = np.arange(units) < treated, np.arange(times) >= begin
    noise = np.zeros((units, times))
    for t in range(times):
        noise[:, t] = 0.6 * noise[:, t - 1] + rng.standard_normal(units)
    y = rng.standard_normal(units)[:, None] + rng.standard_normal(times)[None, :] + noise
    return y + 0.7 * (on[:, None] & after[None, :]), on, after


def staggered(seed=2, gaps=0, one_cohort=False):
    """(y, start): two cohorts and never treated ones, an effect that grows with age, and gaps."""
    rng = np.random.default_rng(seed)
    start = np.array([5.0] * 4 + [NEVER if one_cohort else 8.0] * 4 + [NEVER] * 8)
    age = np.arange(12)[None, :] - start[:, None]
    effect = np.where(age >= 0, 1.0 + 0.1 * np.maximum(age, -1.0), 0.0)
    y = rng.standard_normal(16)[:, None] + rng.standard_normal(12)[None, :] + effect
    y = y + 0.3 * rng.standard_normal(y.shape)
    y[rng.integers(0, 16, gaps), rng.integers(0, 5, gaps)] = np.nan
    return y, start


def neighbours(seed=3):
    """(y, treated, touched, node, after): four nodes of four, two canaries, a spill-over of .5."""
    rng = np.random.default_rng(seed)
    node, treated = np.repeat(np.arange(4), 4), np.isin(np.arange(16), [0, 4])
    touched, after = node < 2, np.arange(12) >= 8
    effect = np.where(treated, 1.0, np.where(touched, 0.5, 0.0))[:, None] * after[None, :]
    y = rng.standard_normal(16)[:, None] + rng.standard_normal(12)[None, :] + effect
    return y + 0.3 * rng.standard_normal(y.shape), treated, touched, node, after


def long(y, **of_unit):
    """A data frame, one row a measured cell; of_unit: a value for each unit."""
    unit, time = np.nonzero(np.isfinite(y))
    columns = {name: np.asarray(value)[unit] for name, value in of_unit.items()}
    return pd.DataFrame({"unit": unit, "time": time, "y": y[unit, time], **columns})
