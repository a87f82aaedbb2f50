"""Did the release change the level of a continuous metric, and its neighbours'?

Mean log latency today; anything with a bucketed logarithm will do. One small
least-squares problem per window gives the effect of the candidate (canary
against baseline) and of standing beside it, each with its evidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from causal_rollouts.evidence.frame import Finding, Frame, HistogramBins, LevelBins, Lottery, Track
from causal_rollouts.evidence.history_fit import fit_history
from causal_rollouts.evidence.layout import Layout
from causal_rollouts.evidence.levels import ContinuousState, absorb
from causal_rollouts.evidence.placebo import placebo
from causal_rollouts.evidence.pre_trend import pre_trend
from causal_rollouts.evidence.window_rows import Comparison, compare
from causal_rollouts.model.checks import Check
from causal_rollouts.model.metrics import Margins
from causal_rollouts.stats.mixed_gls import Estimate, News, generalised_least_squares, scattered
from causal_rollouts.stats.mixtures import cut_normal_log_e, interval_half_width, scaled_one_sided_log_e
from causal_rollouts.stats.variance_cells import spread

__all__ = [
    "ContinuousFindings",
    "ContinuousState",
    "absorb",
    "begin",
    "harm_log_e",
    "judge",
    "safe_log_e",
    "twins_log_e",
]

HARM_CREDIT = 1.1
"""Nats that Ville's bound leaves on the table over a rollout's horizon; simulated: at least 1.6 (ADR 7)."""

_SCALES_HARM = ((0.75, 0.15**2), (0.25, 0.6**2))
_KAPPA2_SAFE = 0.03**2
_LOG_INTERVAL = math.log(20.0)
_LEAST_STABLE = 2

_NO_PAST = "fewer than two stable pods have a past; wait until history is complete"
_NO_PAIR = "no canary slot has two bins after warm-up beside a baseline slot of its own start"
_LONELY = (
    "fewer than two nodes are without a canary: baseline slots are the only control, and harm to neighbours "
    "cannot be seen"
)
_SAME_NODE = (
    "fewer than two nodes are without a canary: the effect is against baseline beside canaries, which may "
    "suffer with them, and harm to neighbours cannot be seen"
)
_NO_NEIGHBOUR = "no stable pod with a past shares a node with a canary while two nodes have none"


@dataclass(frozen=True, slots=True)
class ContinuousFindings:
    """What one continuous metric says at one look.

    neighbour: None where the design cannot see harm to neighbours. shared: log level of stable and
    baseline in the current stage less the pre-period. placebo: log e-value of stable against stable.
    pure_nodes: nodes with stable pods and no canary so far. pre_trend: None before there are slots.
    """

    tau: Finding
    neighbour: Finding | None
    shared: float
    placebo: float
    lottery: Lottery
    pure_nodes: int
    pre_trend: Check | None = None


def begin(frame: Frame, history: HistogramBins | LevelBins) -> ContinuousState:
    """Fit the noise of the stable pods' past once; bins before t0 only."""
    return fit_history(frame, history)


def judge(
    state: ContinuousState, frame: Frame, margins: Margins, known: News | None = None
) -> ContinuousFindings:
    """Effect, neighbour effect and the checks on both, from the bins absorbed so far.

    known: what earlier arms of one template told of how fresh pods scatter.
    """
    c = state.components
    lottery = Lottery(c.sig_p2, c.df_p, c.gam, c.phi, c.df_g)
    t0 = frame.t0
    if t0 is None or c.units < _LEAST_STABLE:
        note = _NO_PAIR if c.units >= _LEAST_STABLE else _NO_PAST
        return ContinuousFindings(_unknown((), margins, note), None, 0.0, 0.0, lottery, 0)
    layout = Layout.of(state, frame, t0)
    looks = [(start, compare(state, layout, start)) for start in frame.windows]
    effects: dict[int, Estimate] = {}
    neighbours: dict[int, Estimate] = {}
    for start, comparison in looks:
        if comparison is not None:
            estimates = _estimate(state, comparison, known)
            effects[start] = estimates[0]
            if len(estimates) > 1:
                neighbours[start] = estimates[1]
    note = _fallback([comparison for _, comparison in looks if comparison is not None])
    shown = twins_log_e if frame.twins else harm_log_e
    tau = _finding(effects, frame.windows, margins, shown, _NO_PAIR, note)
    neighbour = _finding(neighbours, frame.windows, margins, shown, _NO_NEIGHBOUR, "") if neighbours else None
    return ContinuousFindings(
        tau=replace(tau, naive=_naive(state, layout, t0), scatter=_scatter(state, frame, looks[0][1])),
        neighbour=neighbour,
        shared=_shared(state, t0),
        placebo=placebo(state, layout, t0),
        lottery=lottery,
        pure_nodes=_pure_nodes(layout),
        pre_trend=pre_trend(state, layout, math.log1p(margins.promote_below)),
    )


def _fallback(comparisons: Sequence[Comparison]) -> str:
    """In words, what the effect stands against where pure controls are too few; "" where they are not."""
    if any(comparison.same_node for comparison in comparisons):
        return _SAME_NODE
    return _LONELY if any(comparison.lonely for comparison in comparisons) else ""


def _estimate(state: ContinuousState, comparison: Comparison, known: News | None) -> tuple[Estimate, ...]:
    rows = comparison.rows
    cov = rows.covariance(state.components)
    return generalised_least_squares(
        comparison.design, rows.mean, cov, comparison.wanted, comparison.settled, known
    )


def _scatter(state: ContinuousState, frame: Frame, comparison: Comparison | None) -> News | None:
    """Where both arms run one template, what differs between their pods is chance alone."""
    if comparison is None or not frame.twins:
        return None
    rows = comparison.rows
    cov = rows.covariance(state.components)
    return scattered(comparison.design, rows.mean, cov, comparison.effect, comparison.settled)


def _finding(
    estimates: dict[int, Estimate],
    windows: tuple[int, ...],
    margins: Margins,
    shown: Callable[[Estimate, Margins], float],
    missing: str,
    note: str,
) -> Finding:
    """Evidence of each window; effect, interval and safety are of the whole release, the first one."""
    tracks = tuple(
        Track(start, shown(estimates[start], margins) if start in estimates else -math.inf)
        for start in windows
    )
    first = estimates.get(windows[0])
    if first is None:
        return _unknown(tracks, margins, missing)
    newest = estimates.get(windows[-1])
    half = interval_half_width(spread(first.v_n, first.v_e, first.df), _SCALES_HARM, _LOG_INTERVAL)
    return Finding(
        tracks=tracks,
        effect=first.value,
        lower=first.value - half,
        upper=first.value + half,
        log_e_safe=safe_log_e(first, margins),
        # A stage that has not spoken has not agreed.
        log_e_stage=-math.inf if newest is None else safe_log_e(newest, margins),
        harm_margin=math.log1p(margins.revert_above),
        safe_margin=math.log1p(margins.promote_below),
        note=note,
        se=math.sqrt(first.v_n + first.v_e),
    )


def _unknown(tracks: tuple[Track, ...], margins: Margins, note: str) -> Finding:
    return Finding(
        tracks=tracks,
        effect=math.nan,
        lower=math.nan,
        upper=math.nan,
        log_e_safe=-math.inf,
        log_e_stage=-math.inf,
        harm_margin=math.log1p(margins.revert_above),
        safe_margin=math.log1p(margins.promote_below),
        identified=False,
        note=note,
    )


def harm_log_e(estimate: Estimate, margins: Margins) -> float:
    """Evidence against the small margin, while the estimate is above the large one.

    Without the second, plenty of data would revert a release for an effect that nobody minds.
    """
    if estimate.value < math.log1p(margins.revert_above):
        return -math.inf
    v = spread(estimate.v_n, estimate.v_e, estimate.df)
    return HARM_CREDIT + scaled_one_sided_log_e(
        estimate.value - math.log1p(margins.null_below), v, _SCALES_HARM
    )


def twins_log_e(estimate: Estimate, margins: Margins) -> float:
    """Evidence that two arms of one template differ, whichever way: the better half of two processes."""
    mirrored = replace(estimate, value=-estimate.value)
    return max(harm_log_e(estimate, margins), harm_log_e(mirrored, margins)) - math.log(2.0)


def safe_log_e(estimate: Estimate, margins: Margins) -> float:
    """Its horizon credit of .5 is in the threshold (2.5 nats where counts need 3)."""
    margin = math.log1p(margins.promote_below)
    v = spread(estimate.v_n, estimate.v_e, estimate.df)
    return cut_normal_log_e(margin - estimate.value, v, _KAPPA2_SAFE, margin)


def _shared(state: ContinuousState, t0: int) -> float:
    """Request-weighted log level in the newest bins of the stage, less the pre-period; 0 if unknown."""
    past = next((m.service for m in state.marks if m.bin == t0), None)
    if past is None or past[0] <= 0:
        return 0.0
    for mark in reversed(state.marks):
        requests, total = state.recent[state.recent[:, 0] >= mark.bin, 1:].sum(axis=0).tolist()
        if requests > 0:
            return float(total / requests - past[1] / past[0])
    return 0.0


def _naive(state: ContinuousState, layout: Layout, t0: int) -> float:
    """Canary slots against all stable pods since t0, as dashboards compare them; nan while one is missing.

    Stable pods are older, stand on other nodes and may suffer from the canary themselves.
    """
    mark = next((m for m in state.marks if m.bin == t0), None)
    if mark is None:
        return math.nan
    canary, canary_total = state.sums[layout.rows[layout.canary]].sum(axis=0).tolist()
    S = len(state.stable)
    stable, stable_total = (state.sums[:S] - mark.sums[:S]).sum(axis=0).tolist()
    if canary <= 0 or stable <= 0:
        return math.nan
    return float(canary_total / canary - stable_total / stable)


def _pure_nodes(layout: Layout) -> int:
    nodes = np.unique(layout.node[: len(layout.stable)])
    return int((layout.exposure[nodes] >= layout.stable_end).sum())
