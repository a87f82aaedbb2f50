"""Stable pods beside a canary against stable pods on other nodes: the one contrast with a past of its own.

The operator drew which nodes hold canaries, so nodes are the units and not pods.
Here changes can be compared, trends before be shown, and late exposure be imputed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.blocks import Blocks
from causal_rollouts.analysis.changes import Changes, by_block, imputed
from causal_rollouts.analysis.opinion import Absent, Opinion, Question
from causal_rollouts.analysis.panel import Design, Nodes, Panel
from causal_rollouts.analysis.phrasing import drawn, estimated, variance
from causal_rollouts.analysis.release_contrast import NOT_DRAWN, as_drawn
from causal_rollouts.analysis.rings import rings
from causal_rollouts.stats.change_scores import change_scores, contrast
from causal_rollouts.stats.randomization_test import exchanges, mean_differences, randomization_p

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TRENDS = "parallel trends of nodes; spill-over ends at the node"

AT_ONCE = 10
"""Bins after the first stage within which a node counts as exposed from its start."""


def of_neighbours(design: Design, panel: Panel) -> list[Opinion | Absent]:
    """What the release did to those beside it, on one metric."""
    nodes = _with_data(panel.nodes, panel.t0)
    late = np.isfinite(nodes.start) & (nodes.start > panel.t0 + AT_ONCE)
    early = _chosen(nodes, ~late)
    exposed = np.isfinite(early.start)
    if not exposed.any() or exposed.all():
        why = "every node with stable pods held a canary" if exposed.any() else "no node held both at once"
        return [Absent(Question.NEIGHBOURS, "everything", why)]
    after = np.arange(early.y.shape[1]) >= panel.t0
    d = change_scores(early.y, early.w, after)
    whole = contrast(d, exposed)
    if whole is None:
        return [
            Absent(Question.NEIGHBOURS, "everything", "too few nodes have data before and under the release")
        ]
    changes = _as_changes(panel, early)
    counts = f"{int(exposed.sum())} nodes with and {int((~exposed).sum())} without a canary"
    method = f"change scores, {variance(whole)}"
    return [
        estimated(Question.NEIGHBOURS, method, whole, TRENDS, counts),
        _exact(design, early.names, d, exposed),
        *rings(design, early.names, d, exposed),
        *by_block(changes),
        imputed(
            _as_changes(panel, nodes),
            "nodes began at different times" if late.any() else "all nodes began with the first stage",
        ),
    ]


def _as_changes(panel: Panel, nodes: Nodes) -> Changes:
    blocks = Blocks.of(panel.t0, panel.bin)
    return Changes(Question.NEIGHBOURS, panel, blocks, "nodes", TRENDS, nodes.y, nodes.w, nodes.start)


def _with_data(nodes: Nodes, t0: int) -> Nodes:
    """Nodes that were measured before and under the release."""
    there = (nodes.w[:, :t0].sum(axis=1) > 0) & (nodes.w[:, t0:].sum(axis=1) > 0)
    return _chosen(nodes, there)


def _chosen(nodes: Nodes, keep: Bools) -> Nodes:
    names = tuple(name for name, kept in zip(nodes.names, keep.tolist(), strict=True) if kept)
    return Nodes(names, nodes.start[keep], nodes.y[keep], nodes.w[keep])


def _exact(design: Design, names: tuple[str, ...], d: Floats, exposed: Bools) -> Opinion | Absent:
    """Stable pods are the focal units, never treated themselves; where canaries stand is what was drawn.

    How many nodes of each block hold canaries is taken as given, so nodes of one block exchange.
    """
    method = "co-location permutation test"
    if not as_drawn(design):
        return Absent(Question.NEIGHBOURS, method, NOT_DRAWN)
    flat = np.zeros(len(d), dtype=np.int64)
    blocks = sorted(set(design.blocks.values()))
    block = np.array([blocks.index(design.blocks[name]) for name in names], dtype=np.int64)
    law = exchanges(exposed, np.arange(len(d)), flat, block, seed=design.reg.seed)
    if law.possible == 1:
        return Absent(Question.NEIGHBOURS, method, "no other draw takes as many nodes of each block")
    observed = float(mean_differences(d, exposed[None, :], flat)[0])
    found = randomization_p(observed, mean_differences(d, law.draws, flat), law)
    assumes = "the operator's own draw; sharp null: no stable pod minds where the arms stand"
    return replace(drawn(Question.NEIGHBOURS, found, assumes, "choices of nodes"), method=method)
