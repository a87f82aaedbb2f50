"""How much would have to be wrong before a finding falls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from scipy.special import stdtrit


def e_value(ratio: float) -> float:
    """Strength of an unseen cause, as rate ratio with both treatment and outcome, that would explain `ratio`.

    ratio > 0; below one its inverse is taken. RR + sqrt(RR (RR - 1)). Exact bound.
    VanderWeele and Ding 2017.
    """
    rr = max(ratio, 1.0 / ratio)
    return rr + math.sqrt(rr * (rr - 1.0))


def breakdown_mbar(
    estimate: float, se: float, df: float, before: Sequence[float], horizon: float, confidence: float = 0.95
) -> float:
    """Mbar at which the interval of an effect first holds zero.

    before: the event-study estimates of the past in order, zero of the reference block included (2 at least).
    horizon: blocks from the reference block to the effect. A step of the differential trend is at most Mbar
    times the largest step of the past, so the bias is at most horizon * Mbar * step. 0: not even now.
    inf: no step in the past. Rambachan and Roth 2023, bounds on relative magnitudes, with the steps of the
    past taken as known: their intervals doubt these too and break down earlier (just below 2 in their
    Medicaid example, where this says 3.3), so it bounds the bias and is no interval of theirs. Model.
    """
    bias = worst_bias(before, horizon)
    slack = abs(estimate) - float(stdtrit(df, 0.5 + confidence / 2.0)) * se
    if slack <= 0.0:
        return 0.0
    return slack / bias if bias > 0.0 else math.inf


def worst_bias(before: Sequence[float], horizon: float) -> float:
    """Bias at Mbar 1; it grows with Mbar in proportion. before, horizon: as of `breakdown_mbar`. Exact."""
    return horizon * max(abs(b - a) for a, b in pairwise(before))
