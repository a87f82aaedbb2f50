"""From a window's sums to the question of a gate: is the canary's rate beyond a margin?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from causal_rollouts.evidence.counts import CountWindow
from causal_rollouts.evidence.frame import Finding
from causal_rollouts.model.metrics import Margins
from causal_rollouts.stats.blurred_likelihood import BlurredLikelihood
from causal_rollouts.stats.event_odds import LOG_RATIO, STEP, peak, resolved
from causal_rollouts.stats.variance_cells import inflation

HARM_KAPPA2 = 1.0
SAFE_KAPPA2 = 0.7**2

_INTERVAL_KAPPA2 = 1.0
_INTERVAL_LIMIT = math.log(20.0)


@dataclass(frozen=True, slots=True)
class RateMargins:
    """Margins as log rate ratios, and the points that harm must also come to."""

    harm: float
    safe: float
    harm_points: float
    safe_points: float

    @classmethod
    def of(cls, margins: Margins, logs: tuple[float, float]) -> RateMargins:
        """Declared margins with their log ratios at the past rate."""
        return cls(*logs, margins.revert_above_points, margins.promote_below_points)


def pair_likelihood(window: CountWindow, blur: float, df: float) -> BlurredLikelihood:
    """Likelihood of the canary's log rate ratio to its control, blurred by pods and nodes."""
    fine = resolved(window.log_l.astype(np.float64))
    grid = LOG_RATIO[0] + STEP / fine.shape[1] * np.arange(fine.size)
    return BlurredLikelihood(grid, fine.reshape(1, -1), blur * inflation(df))


def effect_of(window: CountWindow) -> float:
    """Most likely log rate ratio; nan without events."""
    n1, _, n0, _ = window.totals.tolist()
    return peak(LOG_RATIO, window.log_l.astype(np.float64)) if n1 + n0 > 0 else math.nan


def beyond(window: CountWindow, margins: RateMargins) -> bool:
    """Whether the estimate itself is past the harm margin, as a ratio and in points.

    Where the past rate lies under its floor, the ratio alone would call a harm what the points allow.
    """
    return beyond_points(window, margins) and effect_of(window) > margins.harm


def beyond_points(window: CountWindow, margins: RateMargins) -> bool:
    """Whether the canary's rate exceeds its control's by the points declared."""
    n1, m1, n0, m0 = window.totals.tolist()
    return bool(n1 > 0 and n1 / m1 - n0 / m0 >= margins.harm_points)


def nothing_yet(margins: RateMargins) -> Finding:
    """What is said before the first bin with warm canary and baseline slots."""
    return Finding(
        tracks=(),
        effect=math.nan,
        lower=-math.inf,
        upper=math.inf,
        log_e_safe=0.0,
        log_e_stage=0.0,
        harm_margin=margins.harm,
        safe_margin=margins.safe,
        note="no bin with a warm canary and a warm baseline slot yet",
    )


def interval_of(likelihood: BlurredLikelihood) -> tuple[float, float]:
    """Always-valid interval of the log ratio at 95%; it may differ from the gate at the edge."""
    lower, upper = likelihood.interval(_INTERVAL_KAPPA2, _INTERVAL_LIMIT)
    return (
        lower if lower > float(LOG_RATIO[0]) else -math.inf,
        upper if upper < float(LOG_RATIO[-1]) else math.inf,
    )
