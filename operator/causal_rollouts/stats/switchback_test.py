"""Does something that was switched on and off at drawn times move a series?

Consecutive bins of a series hang together, so nothing that counts them as so
many observations is to be trusted. The draw of the times is: under the sharp
null the series would have been the same at any other times that were as likely.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.stats.randomization_test import sampled_p

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Switched:
    """effect: mean of the series while on less while off; nan where one of the two was not seen.

    p: one-sided, of no effect at any time; least: the smallest that it could have been.
    """

    effect: float
    p: float
    least: float


def switchback_test(series: Floats, on: Bools, others: Bools, burn_in: int) -> Switched:
    """Test by other draws z of the times: p = (1 + #{T(z) >= T(z_obs)})/(1 + B).

    series [bins], nan where not seen; on [bins] as it was drawn, whatever was done; others [draws, bins].
    T: mean while on less mean while off, without the `burn_in` bins from each switch on (the first bin is
    one), where the last state lingers. Which bins of the series are missing must not depend on the times.
    Bojinov, Simchi-Levi and Zhao 2023, section 3.2 (Fisher's exact test of a switchback); burn-in: Hu and
    Wager 2022. Kind: exact under the sharp null, for any dependence over time.
    """
    observed = _difference(series, on[None, :], burn_in)[0]
    drawn = _difference(series, others, burn_in)
    least = 1.0 / (1 + len(others))
    if not np.isfinite(observed):
        return Switched(float("nan"), 1.0, least)
    return Switched(
        float(observed), sampled_p(float(observed), drawn[np.isfinite(drawn)], len(others)), least
    )


def _difference(series: Floats, on: Bools, burn_in: int) -> Floats:
    """T of each draw, nan where it has no bin of one kind."""
    settled = _settled(on, burn_in) & np.isfinite(series)
    values = np.nan_to_num(series)
    means = []
    for kind in (on & settled, ~on & settled):
        count = kind.sum(axis=1)
        means.append(np.divide(kind @ values, count, out=np.full(len(on), np.nan), where=count > 0))
    difference: Floats = means[0] - means[1]
    return difference


def _settled(on: Bools, burn_in: int) -> Bools:
    """Bins that are not among the first `burn_in` of their leg."""
    switched = np.ones_like(on)
    switched[:, 1:] = on[:, 1:] != on[:, :-1]
    fresh = np.zeros_like(on)
    for lag in range(burn_in):
        fresh[:, lag:] |= switched[:, : on.shape[1] - lag]
    return ~fresh
