"""The release's effect on latency with the difference of load taken off, beside the plain one.

What load does is learned from the time before: how the whole fleet slowed down when it served more.
Load of single pods is not used, neither there nor in the arms: a balancer that picks the idlest pod
sends less to a slow one, and taking that off would take harm off. Totals of an arm are set by the
route, which does not know how fast a version is.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.blocks import Blocks
from causal_rollouts.analysis.opinion import Absent, Kind, Opinion, Question
from causal_rollouts.analysis.panel import Panel, Slots
from causal_rollouts.analysis.phrasing import CONFIDENCE
from causal_rollouts.stats.change_scores import contrast, levels
from causal_rollouts.stats.serial_regression import SerialFit, serial_regression

Floats = NDArray[np.float64]

MINUTES = 2.0
"""Of a block: arrivals even out, swings of load do not."""

METHOD = "load-standardised difference of slot levels"
ASSUMES = (
    "what slows the fleet when it serves more would slow an arm as much; nothing else moved with the load of "
    "the past but a straight trend; the route, not the version, sets what an arm serves"
)


def without_load(panel: Panel, d: Floats) -> Opinion | Absent:
    """d: level of each slot. The slope's own error is part of the interval."""
    slots, slope = panel.slots, load_slope(panel)
    if slope is None or not slope.se > 0:
        return Absent(
            Question.RELEASE, METHOD, "the fleet's load did not move in the past, so no slope is known"
        )
    x = _loads(slots)
    plain, apart = (
        contrast(d, slots.canary, slots.cohort, slots.node),
        contrast(x, slots.canary, slots.cohort),
    )
    left = contrast(d - slope.estimate * x, slots.canary, slots.cohort, slots.node)
    if plain is None or apart is None or left is None:
        return Absent(Question.RELEASE, METHOD, "no cohort has both a canary and a baseline slot with load")
    half = math.hypot(left.half_width(CONFIDENCE), apart.estimate * slope.half_width(CONFIDENCE))
    ten, error = slope.estimate * math.log(1.1), slope.half_width(CONFIDENCE) * math.log(1.1)
    note = (
        f"a canary pod served {math.exp(apart.estimate):.3g} times as much as a baseline pod; 10% more load "
        f"is {100 * ten:+.1f}% of latency ({100 * (ten - error):+.1f}% to {100 * (ten + error):+.1f}%); "
        f"plain {100 * math.expm1(plain.estimate):+.1f}%"
    )
    e = left.estimate
    return Opinion(Question.RELEASE, METHOD, Kind.MODEL, ASSUMES, e, e - half, e + half, note=note)


def load_slope(panel: Panel) -> SerialFit | None:
    """Log latency per log load of a stable pod, over blocks of the time before the first stage.

    In single bins chance arrivals move load as much as its swings do, and would make the slope too flat.
    """
    y, load = panel.service.stable[: panel.t0], panel.service.load[: panel.t0]
    seen = (np.isfinite(y) & (np.nan_to_num(load) > 0)).astype(np.float64)
    blocks = Blocks.of(panel.t0, panel.bin, MINUTES)
    means = blocks.means(np.vstack((np.nan_to_num(y), np.nan_to_num(load))), np.vstack((seen, seen)))
    at = np.flatnonzero(np.isfinite(means[0]))
    if len(at) == 0:
        return None
    X = np.column_stack((np.log(means[1, at]), np.ones(len(at)), at / len(at)))
    return serial_regression(means[0, at], X, at)


def _loads(slots: Slots) -> Floats:
    """Log of what a measured slot of the same arm served on average, over each slot's own bins; [slots]."""
    by_bin = np.full(slots.w.shape, np.nan)
    for arm in (slots.canary, ~slots.canary):
        served, there = slots.w[arm].sum(axis=0), (slots.w[arm] > 0).sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            by_bin[arm] = np.log(served / there)
    seen = (slots.w > 0).astype(np.float64)
    return levels(np.nan_to_num(by_bin, neginf=0.0), seen)
