"""Stable against stable, where nothing can differ: is the telemetry to be believed?

Half of the untouched stable pods is compared with the other half, each against
its own past. Evidence of a difference means broken data or a broken design.
"""

from __future__ import annotations

import numpy as np

from causal_rollouts.evidence.layout import Layout
from causal_rollouts.evidence.levels import ContinuousState
from causal_rollouts.stats.mixtures import two_sided_log_e
from causal_rollouts.stats.variance_cells import CELL_MASS

_KAPPA2 = 0.05**2


def placebo(state: ContinuousState, layout: Layout, t0: int) -> float:
    """Log e-value of odd against even stable pods inside nodes, over bins before a canary came there."""
    mark = next((m for m in state.marks if m.bin == t0), None)
    if mark is None:
        return 0.0
    past = mark.sums[layout.stable]
    since = state.pure[layout.stable] - past
    w0, w1 = past[:, 0], since[:, 0]
    known = (w0 > 0) & (w1 > 0) & (layout.exposure[layout.node[: len(w0)]] > t0)
    if not known.any():
        return 0.0
    w0, w1 = w0[known], w1[known]
    change = since[known, 1] / w1 - past[known, 1] / w0
    precision = w0 * w1 / (w0 + w1) / state.components.kap
    odd = layout.odd[known]
    node = layout.node[: len(known)][known]
    p, total = np.zeros((2, 2, layout.nodes))
    np.add.at(p, (odd, node), precision)
    np.add.at(total, (odd, node), precision * change)
    both = (p > 0).all(axis=0)
    if not both.any():
        return 0.0
    difference = total[1, both] / p[1, both] - total[0, both] / p[0, both]
    of_node = 1.0 / (1.0 / p[:, both]).sum(axis=0)
    estimate = float(of_node @ difference / of_node.sum())
    return two_sided_log_e(estimate, np.full_like(CELL_MASS, 1.0 / of_node.sum()), _KAPPA2)
