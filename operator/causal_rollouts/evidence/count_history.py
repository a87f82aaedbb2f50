"""What the stable pods' past says of a rate, fitted once and frozen.

The rate itself, which margins in points need; how much pods and nodes differ in
it, which the evidence must not take for the release; how bursty it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.evidence.frame import Floats, Frame
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import Margins
from causal_rollouts.stats.count_moments import (
    block_dispersion,
    common_expectation,
    group_drift,
    group_variance,
    member_variance,
    shrunk_factors,
)

Ints = NDArray[np.int64]

LEAST_EVENTS = 20
"""With fewer in the pre-period nothing is estimated; priors stand."""

_UNKNOWN_POD = 0.02
_UNKNOWN_NODE = 0.003
_LEAST_RATE = 1e-4
_LARGEST_MARGIN = 4.0
_BURSTY_CAP = 1.5


@dataclass(frozen=True, slots=True)
class CountHistory:
    """Totals and variances of log rates. log_factor and left (its variance) are per node in `nodes`.

    v_pod, v_drift: of pods on a node, of a node's slow drift. dispersion: variance to mean of block counts.
    """

    events: float
    exposure: float
    pods: int
    v_pod: float
    v_drift: float
    v_node: float
    dispersion: float
    nodes: tuple[str, ...]
    log_factor: Floats
    left: Floats

    @property
    def rate(self) -> float:
        """Pre-period rate with half an event added, so that none is not never."""
        return (self.events + 0.5) / max(self.exposure, 0.5)

    @property
    def df(self) -> float:
        """Degrees of freedom of the variances."""
        return float(min(max(self.pods - 1, 3), 60))

    def log_factors(self, nodes: Iterable[str]) -> Floats:
        """Log factor of each of these nodes, 0 of one without a past."""
        known = dict(zip(self.nodes, self.log_factor.tolist(), strict=True))
        return np.array([known.get(name, 0.0) for name in nodes])

    def variances(self, nodes: Iterable[str]) -> Floats:
        """Variance left of each of these nodes; one without a past may be anything nodes are."""
        known = dict(zip(self.nodes, self.left.tolist(), strict=True))
        return np.array([known.get(name, self.v_node) for name in nodes])

    def margins(self, margins: Margins) -> tuple[float, float]:
        """(harm, safe) as log rate ratios: the larger of share and points over the past rate.

        The rate has a floor, else points of a service without errors lie beyond the grid.
        """
        floor = max(self.rate, _LEAST_RATE)
        harm = max(margins.revert_above, margins.revert_above_points / floor)
        safe = max(margins.promote_below, margins.promote_below_points / floor)
        return min(math.log1p(harm), _LARGEST_MARGIN), min(math.log1p(safe), _LARGEST_MARGIN)


def fit_counts(
    frame: Frame, ids: tuple[str, ...], first: int, events: Floats, exposure: Floats
) -> CountHistory:
    """Fit of the stable pods in `ids`, their warm bins before t0.

    events, exposure: [unit, bin], 0 where lost.
    """
    row = {name: i for i, name in enumerate(ids)}
    units = [u for u in frame.units if u.arm is Arm.STABLE and u.id in row]
    at = np.arange(first, first + events.shape[1])
    used = at >= np.array([u.ready + frame.warm_up for u in units], dtype=np.int64)[:, None]
    used &= ~np.isin(at, sorted(frame.excluded)) & (at <= frame.now)
    if frame.t0 is not None:
        used &= at < frame.t0
    rows = [row[u.id] for u in units]
    m = np.where(used, exposure[rows], 0.0)
    seen = m.sum(axis=1) > 0
    n = np.where(m > 0, events[rows], 0.0)[seen]
    return _fitted(n, m[seen], [u.node for u, s in zip(units, seen.tolist(), strict=True) if s])


def _fitted(n: Floats, m: Floats, node: list[str]) -> CountHistory:
    nodes, inverse = np.unique(node, return_inverse=True) if node else (np.zeros(0, str), np.zeros(0, int))
    group = inverse.astype(np.int64)
    events, exposure = float(n.sum()), float(m.sum())
    names = tuple(str(name) for name in nodes)
    if events < LEAST_EVENTS:
        flat, left = np.zeros(len(names)), np.full(len(names), _UNKNOWN_NODE)
        return CountHistory(
            events, exposure, len(n), _UNKNOWN_POD, 0.0, _UNKNOWN_NODE, 1.0, names, flat, left
        )
    observed = n.sum(axis=1)
    expected = events / exposure * m.sum(axis=1)
    members = np.bincount(group).astype(np.float64)
    on_node = [_by_node(v, group, len(names)) for v in (observed, expected)]
    v_pod = member_variance(observed, expected, group)
    v_node = group_variance(on_node[0], on_node[1], members, v_pod)
    log_factor, left = shrunk_factors(on_node[0], on_node[1], members, v_pod, v_node)
    v_drift = group_drift(n, common_expectation(n, m), group)
    dispersion = block_dispersion(n, m)
    if v_drift > 0.0:
        dispersion = min(dispersion, _BURSTY_CAP)
    return CountHistory(events, exposure, len(n), v_pod, v_drift, v_node, dispersion, names, log_factor, left)


def _by_node(values: Floats, group: Ints, nodes: int) -> Floats:
    sums = np.zeros(nodes)
    np.add.at(sums, group, values)
    return sums
