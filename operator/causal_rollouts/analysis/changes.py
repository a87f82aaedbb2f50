"""What can be said of units that were watched before: their changes, trends before, late starts imputed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.blocks import Blocks
from causal_rollouts.analysis.opinion import Absent, Doubted, Kind, Opinion, Question
from causal_rollouts.analysis.panel import Panel
from causal_rollouts.analysis.phrasing import CONFIDENCE
from causal_rollouts.model.metrics import MetricKind
from causal_rollouts.stats.change_scores import contrast
from causal_rollouts.stats.event_study import Moment, event_study, pre_trend
from causal_rollouts.stats.few_units import half_width
from causal_rollouts.stats.imputation import impute
from causal_rollouts.stats.sensitivity import breakdown_mbar, worst_bias

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEAST_BLOCKS = 3
"""Blocks before the release that an event study needs: a reference, and two for a step of the trend."""

DOUBTS = (0.0, 0.5, 1.0, 1.5, 2.0)
"""Multiples of the steps seen before the release at which an interval is told."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Units with a time before. y, w [units, bins]; treated, cluster [units]; start: as in `impute`.

    cluster None: each unit is one. what: the units, in words. assumes: what comparing changes rests on.
    """

    question: Question
    panel: Panel
    blocks: Blocks
    what: str
    assumes: str
    y: Floats
    w: Floats
    start: Floats
    cluster: Ints | None = None

    @property
    def treated(self) -> Bools:
        """Units that were treated at all."""
        return np.isfinite(self.start)


def by_block(c: Changes) -> list[Opinion | Absent]:
    """Event study against the last block before, its pre-trend, and how much the trend may break."""
    last = c.blocks.before - 1
    names = ("event study", "pre-trend", "breakdown Mbar")
    if last + 1 < LEAST_BLOCKS:
        why = f"fewer than {LEAST_BLOCKS} blocks before the release"
        return [Absent(c.question, name, why) for name in names]
    table = c.blocks.means(c.y, c.w)
    moments = tuple(m for m in event_study(table, c.treated, reference=last, cluster=c.cluster) if m.half > 0)
    past = tuple(m for m in moments if m.block < last)
    margin = _margin(c.panel)
    trend = pre_trend(past, margin)
    verdict = {True: "alike", False: "not shown to be alike", None: "cannot be told"}[trend.ok]
    scale = f"{trend.reach:.3g} of {margin:.3g} (half the harm margin)"
    return [
        Opinion(
            c.question,
            names[0],
            Kind.ASYMPTOTIC,
            c.assumes,
            spans=c.blocks.spans(moments),
            note="against the last block before the first stage",
        ),
        Opinion(
            c.question,
            names[1],
            Kind.ASYMPTOTIC,
            "equivalence: every interval before the release inside the margin",
            note=f"{verdict}: the farthest interval reaches {scale}",
        ),
        _breakdown(c, table, past, last),
    ]


def _breakdown(c: Changes, table: Floats, past: tuple[Moment, ...], last: int) -> Opinion | Absent:
    method = "breakdown Mbar"
    count = table.shape[1] - last - 1
    seen = np.isfinite(table[:, last + 1 :]).all(axis=1)
    mean = table[:, last + 1 :].mean(axis=1) if count else np.full(len(table), math.nan)
    found = contrast(np.where(seen, mean, np.nan) - table[:, last], c.treated, cluster=c.cluster)
    if found is None or not found.se > 0.0 or len(past) < LEAST_BLOCKS - 1:
        return Absent(c.question, method, "too few whole blocks before or under the release")
    horizon = (count + 1) / 2
    steps = [*(m.theta.estimate for m in past), 0.0]
    mbar = breakdown_mbar(found.estimate, found.se, found.freedom, steps, horizon, CONFIDENCE)
    half, bias = half_width(found.se, found.freedom, CONFIDENCE), worst_bias(steps, horizon)
    words = (
        "the interval holds zero already"
        if mbar == 0.0
        else "steps of the trend, as multiples of the largest before"
    )
    return Opinion(
        c.question,
        method,
        Kind.MODEL,
        "no block moves the trends further apart than Mbar times what is seen of any before",
        note=f"Mbar {mbar:.2f}: {words}",
        doubted=tuple(
            Doubted(m, found.estimate - half - m * bias, found.estimate + half + m * bias) for m in DOUBTS
        ),
    )


def imputed(c: Changes, when: str) -> Opinion | Absent:
    """Borusyak, Jaravel and Spiess: every treated unit from its own start. when: that, in words."""
    y = np.where(c.w > 0, c.y, np.nan)
    found = impute(y, c.start, np.arange(len(y)) if c.cluster is None else c.cluster)
    df = float(min(found.treated, found.control) - 1)
    if not found.se > 0.0 or df < 1.0:
        return Absent(c.question, "imputation", f"fewer than two {c.what} of either kind have data")
    half = half_width(found.se, df, CONFIDENCE)
    return Opinion(
        c.question,
        "imputation (Borusyak, Jaravel, Spiess)",
        Kind.ASYMPTOTIC,
        f"{c.assumes}; many {c.what}",
        found.att,
        found.att - half,
        found.att + half,
        note=f"{found.cells} treated bins of {c.panel.metric.name}, {when}; {df:.0f} df",
    )


def _margin(panel: Panel) -> float:
    """Half of the harm margin, in the unit of the outcome."""
    margins = panel.metric.margins
    if panel.metric.kind is MetricKind.LATENCY:
        return math.log1p(margins.revert_above) / 2.0
    return max(margins.revert_above * panel.base, margins.revert_above_points) / 2.0
