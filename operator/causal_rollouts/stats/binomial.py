"""How far a share that was counted may be from the true one."""

from __future__ import annotations

from scipy.special import betaincinv


def clopper_pearson(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of a binomial proportion.

    k: successes, n > 0: trials; level: 0 to 1. Quantiles of beta laws: Clopper and Pearson 1934. Kind: exact.
    """
    tail = (1.0 - level) / 2.0
    lower = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    upper = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1.0 - tail))
    return lower, upper
