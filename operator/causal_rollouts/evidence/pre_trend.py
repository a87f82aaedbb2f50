"""Did the arms' nodes move alike before the release?

Fresh pods have no past, their nodes do, through the stable pods on them. Had
those nodes drifted apart over the past hour by as much as the margin, a
difference between the arms now would be theirs and not the release's.
"""

from __future__ import annotations

import math

import numpy as np

from causal_rollouts.evidence.frame import Floats
from causal_rollouts.evidence.layout import Layout
from causal_rollouts.evidence.levels import ContinuousState
from causal_rollouts.model.checks import Check, CheckName
from causal_rollouts.model.percent import percent
from causal_rollouts.stats.equivalence import weighted_drift

_COVERED = 0.5


def pre_trend(state: ContinuousState, layout: Layout, margin: float) -> Check:
    """Drift between the halves of the past, canary's nodes less baseline's, held against `margin` (log)."""
    change = _by_node(state, layout)
    found = weighted_drift(change, _dose(layout))
    if found.df == 0 or found.covered < _COVERED:
        note = (
            f"only {found.covered:.0%} of the arms stand on nodes whose past is known from stable "
            "pods, and three nodes are needed; their drift is judged by the model alone"
        )
        return Check(CheckName.PRE_TREND, math.nan, margin, None, note)
    ok = found.reach <= margin
    note = (
        f"before the release the nodes of both arms moved apart by {percent(found.theta)}, at most "
        f"{percent(found.reach)}, of {percent(margin)}"
    )
    if not ok:
        note += "; nodes drift too much to compare by: take more pods an arm, or find what moves the nodes"
    return Check(CheckName.PRE_TREND, found.reach, margin, ok, note)


def _by_node(state: ContinuousState, layout: Layout) -> Floats:
    trend = state.trend[layout.stable]
    node = layout.node[: len(layout.stable)]
    known = np.isfinite(trend)
    total, count = np.zeros((2, layout.nodes))
    np.add.at(total, node[known], trend[known])
    np.add.at(count, node[known], 1.0)
    change: Floats = np.divide(total, count, out=np.full(layout.nodes, np.nan), where=count > 0)
    return change


def _dose(layout: Layout) -> Floats:
    """Share of the canary's slots on each node less that of the baseline's, of starts that have both."""
    node = layout.node[len(layout.stable) :]
    both = np.intersect1d(layout.cohort[layout.canary], layout.cohort[~layout.canary])
    paired = np.isin(layout.cohort, both)
    dose = np.zeros(layout.nodes)
    for arm, sign in ((layout.canary & paired, 1.0), (~layout.canary & paired, -1.0)):
        if arm.any():
            np.add.at(dose, node[arm], sign / int(arm.sum()))
    return dose
