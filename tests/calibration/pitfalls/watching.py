"""A release watched by our evidence at every second bin, beside the numbers that a naive judge would take."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from causal_rollouts.evidence import continuous
from causal_rollouts.evidence.frame import Unit
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import Margins
from causal_rollouts.stats.bucket_moments import log_means, log_middles
from causal_rollouts.stats.mixtures import one_sided_log_e
from causal_rollouts.stats.power import crossing
from causal_rollouts.stats.variance_cells import CELL_MASS
from tests.unit.evidence.latency_world import T0, WARM_UP, Fleet, Release, draw

PLAIN = Margins(revert_above=0.0, promote_below=0.10, null_below=0.0)
"""No margin for harm, so that nothing but the evidence itself keeps its error small."""

DECLARED = Margins(revert_above=0.05, promote_below=0.10)

Added = Callable[[np.random.Generator, tuple[Unit, ...], np.ndarray], np.ndarray]
"""What moves the log level of units at bins, [units, bins]."""


@dataclass(frozen=True)
class Watched:
    """paths: log evidence for harm [release, look, window], the horizon credit taken off.

    effects: estimate of the whole release at the last look.
    canary, baseline: mean log latency of each slot and warm bin of the stages; stable: of all bins.
    fleet: as it was drawn.
    """

    paths: np.ndarray
    effects: np.ndarray
    canary: np.ndarray
    baseline: np.ndarray
    stable: np.ndarray
    fleet: Fleet

    @property
    def contrast(self) -> np.ndarray:
        """Canary less baseline, [release, bin]."""
        return self.canary.mean(axis=1) - self.baseline.mean(axis=1)

    def fired(self, alpha: float) -> np.ndarray:
        """Ours, without the credit, at any look of the first window."""
        return self.paths[:, :, 0].max(axis=1) >= -math.log(alpha)


def watch(
    seed: int, runs: int, fleet: Fleet, margins: Margins = PLAIN, added: Added | None = None
) -> Watched:
    """Draw and watch releases that do nothing (but what `added` says)."""
    found = [_one(np.random.default_rng([seed, i]), fleet, margins, added) for i in range(runs)]
    return Watched(*(np.array([one[k] for one in found]) for k in range(5)), fleet)


def _one(rng, fleet, margins, added):
    release = draw(rng, fleet, None if added is None else partial(added, rng))
    state = continuous.begin(release.frame(T0 - 1), release.part(release.first, T0))
    path = []
    for at in range(T0, release.end - 1, 2):
        frame = release.frame(at + 1)
        state = continuous.absorb(state, frame, release.part(at, at + 2))
        tau = continuous.judge(state, frame, margins).tau
        spoken = [track.log_e - continuous.HARM_CREDIT for track in tau.tracks]
        path.append(spoken + [-math.inf] * (len(fleet.grows) - len(spoken)))
    return np.array(path), tau.effect, *_levels(release)


def _levels(release: Release):
    _, mean = log_means(release.table.counts, log_middles(release.table.edges))
    arm = np.array([unit.arm for unit in release.units])
    # Slots of later stages are left to the evidence: a naive judge takes those of the first.
    first = np.array([unit.ready <= T0 for unit in release.units])
    warm, arm = mean[:, T0 - release.first + WARM_UP :], np.where(first, arm, "")
    return warm[arm == Arm.CANARY], warm[arm == Arm.BASELINE], mean[arm == Arm.STABLE]


@cache
def critical(looks: tuple[int, ...], kappa2: float, alpha: float) -> np.ndarray:
    """Running mean of independent terms of variance 1 at which our one-sided mixture reaches 1/alpha."""

    def at(t: int) -> float:
        v = np.full(len(CELL_MASS), 1.0 / t)
        return crossing(lambda x: one_sided_log_e(x, v, kappa2), -math.log(alpha), 0.0, 100.0)

    return np.array([at(t) for t in looks])


def running_mean(x: np.ndarray) -> np.ndarray:
    """Mean of the first t columns, for every t."""
    return np.cumsum(x, axis=1) / np.arange(1, x.shape[1] + 1)


def running_sd(x: np.ndarray) -> np.ndarray:
    """Standard deviation of the first t columns, for every t; nan for t = 1."""
    t = np.arange(1, x.shape[1] + 1)
    squares = np.cumsum(np.square(x), axis=1) - t * np.square(running_mean(x))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sqrt(squares / (t - 1.0))
