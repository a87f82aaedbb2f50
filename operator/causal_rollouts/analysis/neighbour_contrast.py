"""Stable pods beside a canary against stable pods on other nodes: the one contrast with a past of its own.

The operator drew which nodes hold canaries, so nodes are the units and not pods.
Here changes can be compared, trends before be shown, and late exposure be imputed.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.blocks import before, blocks, spans
from causal_rollouts.analysis.opinion import Absent, Kind, Opinion, Question
from causal_rollouts.analysis.panel import Nodes, Panel
from causal_rollouts.analysis.phrasing import CONFIDENCE, drawn, estimated, variance
from causal_rollouts.model.metrics import MetricKind
from causal_rollouts.stats.change_scores import change_scores, contrast
from causal_rollouts.stats.event_study import Moment, event_study, pre_trend
from causal_rollouts.stats.few_units import half_width
from causal_rollouts.stats.imputation import impute
from causal_rollouts.stats.randomization_test import exchanges, mean_differences, randomization_p
from causal_rollouts.stats.sensitivity import breakdown_mbar

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TRENDS = "parallel trends of nodes; spill-over ends at the node"

AT_ONCE = 10
"""Bins after the first stage within which a node counts as exposed from its start."""

LEAST_BLOCKS = 3
"""Blocks before the release that an event study needs: a reference, and two for a step of the trend."""


def of_neighbours(panel: Panel, seed: int) -> list[Opinion | Absent]:
    """What the release did to those beside it, on one metric. seed: of a sampled law."""
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
    counts = f"{int(exposed.sum())} nodes with and {int((~exposed).sum())} without a canary"
    method = f"change scores, {variance(whole)}"
    return [
        estimated(Question.NEIGHBOURS, method, whole, TRENDS, counts),
        _exact(d, exposed, seed),
        *_by_block(panel, early, exposed),
        _imputed(panel, nodes, late=bool(late.any())),
    ]


def _with_data(nodes: Nodes, t0: int) -> Nodes:
    """Nodes that were measured before and under the release."""
    there = (nodes.w[:, :t0].sum(axis=1) > 0) & (nodes.w[:, t0:].sum(axis=1) > 0)
    return _chosen(nodes, there)


def _chosen(nodes: Nodes, keep: Bools) -> Nodes:
    names = tuple(name for name, kept in zip(nodes.names, keep.tolist(), strict=True) if kept)
    return Nodes(names, nodes.start[keep], nodes.y[keep], nodes.w[keep])


def _exact(d: Floats, exposed: Bools, seed: int) -> Opinion | Absent:
    flat = np.zeros(len(d), dtype=np.int64)
    law = exchanges(exposed, np.arange(len(d)), flat, seed=seed)
    observed = float(mean_differences(d, exposed[None, :], flat)[0])
    found = randomization_p(observed, mean_differences(d, law.draws, flat), law)
    assumes = "the operator's own draw; sharp null: no stable pod minds where canaries stand"
    return drawn(Question.NEIGHBOURS, found, assumes, "choices of nodes")


def _by_block(panel: Panel, nodes: Nodes, exposed: Bools) -> list[Opinion | Absent]:
    """Event study against the last block before, its pre-trend, and how much the trend may break."""
    last = before(panel) - 1
    names = ("event study", "pre-trend", "breakdown Mbar")
    if last + 1 < LEAST_BLOCKS:
        why = f"fewer than {LEAST_BLOCKS} blocks before the release"
        return [Absent(Question.NEIGHBOURS, name, why) for name in names]
    table = blocks(nodes.y, nodes.w, panel)
    moments = tuple(m for m in event_study(table, exposed, reference=last) if m.half > 0)
    past = tuple(m for m in moments if m.block < last)
    margin = _margin(panel)
    trend = pre_trend(past, margin)
    verdict = {True: "alike", False: "not shown to be alike", None: "cannot be told"}[trend.ok]
    scale = f"{trend.reach:.3g} of {margin:.3g} (half the harm margin)"
    return [
        Opinion(
            Question.NEIGHBOURS,
            names[0],
            Kind.ASYMPTOTIC,
            TRENDS,
            spans=spans(moments, panel),
            note="against the last block before the first stage",
        ),
        Opinion(
            Question.NEIGHBOURS,
            names[1],
            Kind.ASYMPTOTIC,
            "equivalence: every interval before the release inside the margin",
            note=f"{verdict}: the farthest interval reaches {scale}",
        ),
        _breakdown(table, exposed, past, last),
    ]


def _breakdown(
    table: Floats,
    exposed: Bools,
    past: tuple[Moment, ...],
    last: int,
) -> Opinion | Absent:
    method = "breakdown Mbar"
    count = table.shape[1] - last - 1
    seen = np.isfinite(table[:, last + 1 :]).all(axis=1)
    mean = table[:, last + 1 :].mean(axis=1) if count else np.full(len(table), math.nan)
    found = contrast(np.where(seen, mean, np.nan) - table[:, last], exposed)
    if found is None or not found.se > 0.0 or len(past) < LEAST_BLOCKS - 1:
        return Absent(Question.NEIGHBOURS, method, "too few whole blocks before or under the release")
    horizon = (count + 1) / 2
    mbar = breakdown_mbar(
        found.estimate, found.se, found.freedom, [*(m.theta.estimate for m in past), 0.0], horizon, CONFIDENCE
    )
    words = (
        "the interval holds zero already"
        if mbar == 0.0
        else "steps of the trend, as multiples of the largest before"
    )
    return Opinion(
        Question.NEIGHBOURS,
        method,
        Kind.MODEL,
        "no block moves the trends further apart than Mbar times what is seen of any before",
        note=f"Mbar {mbar:.2f}: {words}",
    )


def _imputed(panel: Panel, nodes: Nodes, *, late: bool) -> Opinion | Absent:
    """Borusyak, Jaravel and Spiess: every exposed node from its own start."""
    y = np.where(nodes.w > 0, nodes.y, np.nan)
    found = impute(y, nodes.start, np.arange(len(y)))
    df = float(min(found.treated, found.control) - 1)
    if not found.se > 0.0 or df < 1.0:
        return Absent(Question.NEIGHBOURS, "imputation", "fewer than two nodes of either kind have data")
    half = half_width(found.se, df, CONFIDENCE)
    when = "nodes began at different times" if late else "all nodes began with the first stage"
    return Opinion(
        Question.NEIGHBOURS,
        "imputation (Borusyak, Jaravel, Spiess)",
        Kind.ASYMPTOTIC,
        f"{TRENDS}; many nodes",
        found.att,
        found.att - half,
        found.att + half,
        note=f"{found.cells} exposed node-bins of {panel.metric.name}, {when}; {df:.0f} df",
    )


def _margin(panel: Panel) -> float:
    """Half of the harm margin, in the unit of the outcome."""
    margins = panel.metric.margins
    if panel.metric.kind is MetricKind.LATENCY:
        return math.log1p(margins.revert_above) / 2.0
    return max(margins.revert_above * panel.base, margins.revert_above_points) / 2.0
