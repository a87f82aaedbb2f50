"""Do effects at different shares of treatment agree, as they must where nobody minds how others are treated?

Units that keep their arm while the share rises would, without interference, change alike in both arms:
their constant effects and whatever time does to all of them cancel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.stats.randomization_test import Law, mean_differences, randomization_p

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RampConsistency:
    """estimates [steps]: change of the effect at each rise. p two-sided, over all rises at once.

    least: smallest p that this law could have given; possible: its assignments; enumerated: all were tried.
    """

    estimates: tuple[float, ...]
    p: float
    least: float
    possible: int
    enumerated: bool


def ramp_consistency(change: Floats, treated: Bools, stratum: Ints, law: Law) -> RampConsistency | None:
    """Permutation test of equal effects at all shares; None where no rise has units of both arms.

    change [units, steps]: level after a rise less before it, nan for units that were not there before it
    (whole strata). treated, stratum [units]; law: of the treatment, its draws [draws, units]. Statistic: the
    largest |difference of mean changes| in units of its spread over the law.
    Exact over the law, where effects are constant in time and time moves all units alike (time fixed
    effect): Han, Li, Mao and Wu 2023, the second of their two tests.
    """
    steps = [np.isfinite(column) for column in change.T]
    columns, kept = [], []
    for k, there in enumerate(steps):
        draws = np.vstack((treated[None, there], law.draws[:, there]))
        found = mean_differences(change[there, k], draws, stratum[there])
        if np.isfinite(found).all():
            columns.append(found)
            kept.append(float(found[0]))
    if not columns:
        return None
    table = np.abs(np.column_stack(columns))
    spread = np.sqrt(np.square(table[1:]).mean(axis=0))
    scaled = np.divide(table, spread, out=np.zeros_like(table), where=spread > 0).max(axis=1)
    found_p = randomization_p(float(scaled[0]), scaled[1:], law)
    least = float(np.mean(scaled[1:] >= scaled[1:].max() * (1.0 - 1e-9))) if law.enumerated else found_p.least
    return RampConsistency(tuple(kept), found_p.p, least, law.possible, law.enumerated)
