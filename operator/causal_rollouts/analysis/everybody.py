"""What the whole service would see at 100%, along a line through what it saw at smaller shares.

The contrast of the arms cannot see what the release does to all of them, a shared backend for one. All
slots together can, if nothing else moved the service meanwhile: a reference that the release cannot
reach says what did. Never a reason to promote.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.opinion import Absent, Kind, Opinion, Question
from causal_rollouts.analysis.panel import Design, Panel
from causal_rollouts.analysis.phrasing import CONFIDENCE
from causal_rollouts.stats.dose_response import extrapolation_weights, total_effect

Floats = NDArray[np.float64]

METHOD = "total effect at 100%, along a line (model-based)"
LEAST_SHARE = 0.25
"""Largest share below which a line would multiply noise and drift by more than four."""

COVERED = 0.5
"""Share of our bins in which the reference must have been measured."""

LINE = (
    "everybody's mean is a line in the share of the release; fresh pods answer as old ones, and as many pods "
    "share the load at 100% as in the stages"
)
ALONE = "no reference: the service would have kept its level but for wander with one memory"
WITH = "the reference drifts as the service does and does not feel the release"


def of_everybody(
    design: Design, panel: Panel, reference: Floats | str | None = None
) -> list[Opinion | Absent]:
    """Slope of the service's mean on the release's share of traffic.

    reference: log level of another service in the same bins, nan where unknown; or why it says nothing.
    """
    if isinstance(reference, str):
        return [Absent(Question.EVERYBODY, METHOD, reference)]
    top = float(design.dose.max(initial=0.0))
    if top < LEAST_SHARE:
        return [Absent(Question.EVERYBODY, METHOD, f"no stage reached {LEAST_SHARE:.0%} of the traffic")]
    service = panel.service
    seen = np.isfinite(service.level) & (service.requests > 0)
    if reference is not None:
        both = seen & np.isfinite(reference)
        if both.sum() < COVERED * seen.sum():
            why = (
                f"the reference was measured in fewer than {COVERED:.0%} of the bins in which the service was"
            )
            return [Absent(Question.EVERYBODY, METHOD, why)]
        seen = both
    at = np.flatnonzero(seen)
    other = None if reference is None else reference[at]
    found = total_effect(service.level[at], design.dose[at], at, other)
    if found is None or not found.se > 0:
        return [Absent(Question.EVERYBODY, METHOD, "too few bins before and under the release hold requests")]
    half = found.half_width(CONFIDENCE)
    noise = float(np.linalg.norm(extrapolation_weights((0.0, top))))
    note = (
        f"shares up to {100 * top:g}%: noise times {noise:.1f}; {len(at)} bins, memory {found.rho:.2f} a "
        f"bin, {found.df:.0f} df; never a reason to promote"
    )
    e = found.estimate
    assumes = f"{LINE}; {ALONE if reference is None else WITH}"
    return [Opinion(Question.EVERYBODY, METHOD, Kind.MODEL, assumes, e, e - half, e + half, note=note)]
