"""Total effect and spill-over, where a control may have been touched by the treatment of its neighbour.

Against touched controls the contrast is short by their spill-over (Butts 2021, proposition 2.1).
Against untouched ones it is the total effect, and touched against untouched is the spill-over itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.stats.change_scores import contrast, indicators
from causal_rollouts.stats.few_units import Coefficient, coefficient

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Exposure:
    """total: treated against pure controls. switch: against touched ones. spill: touched against pure.

    None: that class has no unit, so the contrast does not exist.
    """

    total: Coefficient | None
    switch: Coefficient | None
    spill: Coefficient | None


def exposure(
    d: Floats, treated: Bools, touched: Bools, stratum: Ints, cluster: Ints | None = None
) -> Exposure:
    """Butts 2021 on change scores: d = tau D + g (1 - D) S + strata, one fit for both effects.

    d, treated (D), touched (S), stratum, cluster [units]; nan scores are left out. Asymptotic in units;
    spill-overs must end where `touched` says they end.
    """
    seen = np.isfinite(d)
    d, treated, touched, stratum = d[seen], treated[seen], touched[seen], stratum[seen]
    owner = np.arange(len(d)) if cluster is None else cluster[seen]
    near = ~treated & touched
    beside = treated | near
    switch = contrast(d[beside], treated[beside], stratum[beside], owner[beside])
    pure = ~treated & ~touched
    if not near.any() or not pure.any():
        return Exposure(contrast(d[~near], treated[~near], stratum[~near], owner[~near]), switch, None)
    X = np.column_stack((treated, near, indicators(stratum))).astype(np.float64)
    try:
        total, spill = coefficient(X, d, 0, owner), coefficient(X, d, 1, owner)
    except np.linalg.LinAlgError:
        return Exposure(None, switch, None)
    return Exposure(total if treated.any() else None, switch, spill)
