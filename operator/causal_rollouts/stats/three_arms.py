"""A third, larger arm behind a contrast of two small ones.

Treated and control are few and young; the reference is large but older, so it
may differ from both by an offset. With a prior on that offset it still says how
many events two young units should have, which the control alone cannot while it
has next to none.

For a log ratio theta of treated to control and a log ratio phi of both together
to the reference: phi = g(theta) + o, where g is the exposure-weighted mean, and
o = offset + draw of the control. The draw is shared with theta, with opposite
sign, so it is the second axis of the plane that is summed here; the offset is
folded into the likelihood of phi beforehand.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.stats.blurred_likelihood import BlurredLikelihood
from causal_rollouts.stats.event_odds import LOG_RATIO, LOG_RATIO_WIDE, STEP, resolved
from causal_rollouts.stats.logspace import log_normal_density
from causal_rollouts.stats.variance_cells import inflation

Floats = NDArray[np.float64]

_OFFSETS = ((0.85, 0.1**2), (0.15, 0.8**2))
"""Prior of the offset: mostly none, sometimes cold caches. (mass, variance)."""

# Two factors of this size still have a normal product: subnormal numbers are a hundred times slower.
_NOTHING = -345.0

_DRAW: Floats = STEP * np.arange(-60, 61, dtype=np.float64)
_MEAN: Floats = -5.0 + STEP * np.arange(262, dtype=np.float64)


def three_arm_likelihood(
    log_pair: Floats, log_both: Floats, rho: float, v_treated: float, v_control: float, df: float
) -> BlurredLikelihood:
    """Likelihood of the treated side's log ratio, blurred by its own draw alone.

    log_pair: of theta on LOG_RATIO. log_both: of phi on LOG_RATIO_WIDE. rho: exposure of treated to control.
    v_treated, v_control: variances of the two draws, estimated on df degrees of freedom.
    log_pair, log_both [points]. The product of two conditional binomials, treated against control and
    both against the rest, integrated over the control's draw on the grid; as of
    `event_odds.log_likelihood`, with normal draws. Kind: model.
    """
    spread = inflation(df)
    log_mean = _with_offset(log_both)
    draw = _draw(v_control * spread)
    pair = resolved(log_pair)
    phases = pair.shape[1]
    theta = LOG_RATIO if phases == 1 else LOG_RATIO[:-1]
    columns = [
        _over_draws(theta + STEP * p / phases, pair[: len(theta), p], log_mean, rho, draw)
        for p in range(phases)
    ]
    log_l = np.stack(columns, axis=-1).reshape(len(spread), -1)
    grid = theta[0] + _DRAW[0] + STEP / phases * np.arange(log_l.shape[1])
    return BlurredLikelihood(grid, log_l, v_treated * spread)


def _over_draws(theta: Floats, log_pair: Floats, log_mean: Floats, rho: float, draw: Floats) -> Floats:
    """Log likelihood of theta + draw for each cell, draws summed out."""
    between = np.log1p(rho / (rho + 1.0) * np.expm1(theta))
    position = (between + _DRAW[0] - _MEAN[0]) / STEP
    at = np.floor(position).astype(np.int64)
    part = (position - at)[:, None]
    near = np.lib.stride_tricks.sliding_window_view(log_mean, len(_DRAW))
    log_p = log_pair[:, None] + (1.0 - part) * near[at] + part * near[at + 1]
    sheared = _sheared(log_p)
    top = sheared.max(axis=0)
    sheared -= top
    sheared[sheared < _NOTHING] = -math.inf
    with np.errstate(divide="ignore"):
        log_l: Floats = top + np.log(draw @ np.exp(sheared))
    return log_l


def _sheared(log_p: Floats) -> Floats:
    """[theta, draw] as [draw, theta + draw]: one column for each value of the sum."""
    n, draws = log_p.shape
    width = n + draws - 1
    rows = np.full((draws, width + 1), -math.inf)
    rows[:, :n] = log_p.T
    return rows.ravel()[: draws * width].reshape(draws, width)


def _draw(variance: Floats) -> Floats:
    """Masses of the control's draw, one row for each cell; at least the grid's own width."""
    log_mass = -0.5 * np.square(_DRAW) / variance[:, None]
    log_mass[log_mass < _NOTHING] = -math.inf
    mass = np.exp(log_mass)
    normal: Floats = mass / mass.sum(axis=1, keepdims=True)
    return normal


def _with_offset(log_both: Floats) -> Floats:
    """Log likelihood of phi less the offset, the offset's prior summed out."""
    both = resolved(log_both)
    top = float(both.max())
    both = np.where(both - top < _NOTHING, -math.inf, both - top)
    total = np.zeros(len(_MEAN))
    for p in range(both.shape[1]):
        total += np.exp(both[:, p]) @ _offset_mass(p, both.shape[1])[: len(both)]
    log_l: Floats = top + np.log(total)
    return log_l


@cache
def _offset_mass(phase: int, phases: int) -> Floats:
    phi = LOG_RATIO_WIDE + STEP * phase / phases
    distance = phi[:, None] - _MEAN[None, :]
    mass = np.zeros_like(distance)
    for part, variance in _OFFSETS:
        mass += STEP / phases * part * np.exp(log_normal_density(distance, np.array(variance)))
    mass.setflags(write=False)
    return mass
