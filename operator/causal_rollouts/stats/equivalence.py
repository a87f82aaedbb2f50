"""Did groups move alike before? Shown by an interval inside a bound, never by a test that found nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]

_LEAST_GROUPS = 3
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Drift:
    """theta: the weighted difference. reach: how large it may be at most, |theta| plus its one-sided error.

    df: degrees of freedom, 0 where nothing could be said (theta and reach are nan then). covered: part of
    the doses that stands on groups with a known change.
    """

    theta: float
    reach: float
    df: int
    covered: float


def weighted_drift(change: Floats, dose: Floats) -> Drift:
    """Equivalence of the changes of groups that a design weighs against each other.

    `change`: [group], change of each group between two halves of the past, nan where unknown. `dose`:
    [group], weight of the group in the contrast; positive and negative ones each sum to one where the arms
    do not overlap. The contrast `theta = sum(dose * change)`, centred, has standard error
    `s * sqrt(sum(dose^2))` with s about the mean of all groups, `df = groups - 1` (groups as observations:
    Donald and Lang 2007, section 3); a drift is in s too, which makes the check stricter. Equivalent at 5%
    where `reach` is inside the bound (two one-sided tests, Schuirmann 1987), as pre-trends should be shown
    rather than not rejected (Roth 2022). Model-based: changes of groups exchangeable and normal.

    Raises:
        ValueError: the arrays differ in length.
    """
    if change.shape != dose.shape:
        raise ValueError(f"change and dose: {change.shape} and {dose.shape} differ; give one of each a group")
    known = np.isfinite(change)
    weight = float(np.abs(dose).sum())
    covered = float(np.abs(dose[known]).sum()) / weight if weight > 0 else 1.0
    if weight == 0:
        return Drift(0.0, 0.0, max(int(known.sum()) - 1, 1), 1.0)
    if int(known.sum()) < _LEAST_GROUPS:
        return Drift(math.nan, math.nan, 0, covered)
    y, c = change[known], dose[known]
    centred = y - y.mean()
    df = len(y) - 1
    s = math.sqrt(float(centred @ centred) / df)
    theta = float(c @ centred)
    half = float(stdtrit(df, _LEVEL)) * s * math.sqrt(float(c @ c))
    return Drift(theta, abs(theta) + half, df, covered)
