"""How a contrast moved from block to block, and whether the arms moved alike before.

A trend that a test fails to see is no parallel trend (Roth 2022), so the gate on the past
is equivalence: every interval inside a margin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.stats.change_scores import contrast
from causal_rollouts.stats.few_units import Coefficient

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Moment:
    """theta of one block. half: of its own interval; band: of the interval that holds for all at once."""

    block: int
    theta: Coefficient
    half: float
    band: float


@dataclass(frozen=True, slots=True)
class PreTrend:
    """reach: farthest end of an interval from zero. ok: inside the margin; None: cannot be told."""

    ok: bool | None
    reach: float
    margin: float


def event_study(
    y: Floats,
    treated: Bools,
    *,
    reference: int | None,
    stratum: Ints | None = None,
    cluster: Ints | None = None,
    confidence: float = 0.95,
) -> tuple[Moment, ...]:
    """theta_s: treated less control in block s, less the same in the reference block; by block.

    y [units, blocks], nan where not measured; treated, stratum, cluster [units]. reference None: levels, of
    units that have no time before. The reference block itself and blocks without both kinds are left out.
    Bands by Bonferroni. Asymptotic in units. Dynamic two-way effects of one cohort: Roth et al. 2023.
    """
    base = np.zeros(len(y)) if reference is None else y[:, reference]
    found = [
        (s, contrast(y[:, s] - base, treated, stratum, cluster)) for s in range(y.shape[1]) if s != reference
    ]
    kept = [(s, theta) for s, theta in found if theta is not None]
    joint = 1.0 - (1.0 - confidence) / max(1, len(kept))
    return tuple(Moment(s, c, c.half_width(confidence), c.half_width(joint)) for s, c in kept)


def pre_trend(before: Sequence[Moment], margin: float) -> PreTrend:
    """Equivalence of the trends before: the interval of every theta lies inside +-margin.

    Each at its own confidence: all must pass, so none is paid for twice (intersection-union). margin > 0.
    Intersection-union of one-sided t intervals: Berger 1982; why not a test that finds nothing: Roth
    2022. Kind: asymptotic in units.
    """
    reach = max((abs(m.theta.estimate) + m.half for m in before), default=math.nan)
    if any(math.isnan(m.half) for m in before):
        reach = math.nan
    return PreTrend(None if math.isnan(reach) else reach < margin, reach, margin)
