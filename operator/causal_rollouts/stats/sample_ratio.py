"""Do requests split as they were meant to?

A share that is off means that routes, endpoints or telemetry are not what the
design assumes, and then no comparison of the arms means what it says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """p_hat against p; ok is None until n suffices."""

    ok: bool | None
    p_hat: float
    tolerance: float


def sample_ratio(
    x: float, n: float, p: float, *, least: float = 200.0, slack: float = 0.05, z: float = 4.0
) -> SampleRatio:
    """Test x of n against the share p: |x/n - p| <= max(slack * p, z standard errors).

    The slack keeps an exactly known, harmless deviation of large samples from counting; z = 4 keeps
    thousands of looks from firing by chance (6e-5 a look, two-sided, binomial).
    x, n: counts; p: 0 to 1. Fixed-width binomial test (de Moivre's normal approximation; Fabijan et al.
    2019 on why a mismatch voids an experiment). Kind: asymptotic a look, Bonferroni-like by its z over
    all looks.
    """
    if n <= 0:
        return SampleRatio(None, math.nan, math.inf)
    tolerance = max(slack * p, z * math.sqrt(p * (1.0 - p) / n))
    p_hat = x / n
    return SampleRatio(None if n < least else abs(p_hat - p) <= tolerance, p_hat, tolerance)
