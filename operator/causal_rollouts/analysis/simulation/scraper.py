"""What scrapes bring home of a bin: lost ones come later, and what a dying process had counted never."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.simulation.climate import Scraping
from causal_rollouts.analysis.simulation.world import Step
from causal_rollouts.model.arms import Pod
from causal_rollouts.model.bins import Grid

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bin:
    """What reached the metrics source in one bin, by pod.

    served: [pod, buckets and then failed requests]. lost: no scrape of the pod ended in this bin.
    seconds: at risk of the restarts.
    """

    pods: tuple[Pod, ...]
    served: Floats
    lost: Bools
    restarts: Floats
    seconds: Floats


class Scraper:
    """Scrapes bin after bin. What it owes is what was counted and not seen yet."""

    def __init__(self, scraping: Scraping, grid: Grid, buckets: int, luck: np.random.Generator) -> None:
        self._scraping = scraping
        self._width = grid.width
        self._scrapes = max(round(grid.width / grid.scrape), 1)
        self._luck = luck
        self._owed = _nothing((), buckets + 1)

    def scrape(self, pods: tuple[Pod, ...], step: Step, start: float) -> Bin:
        """What is seen of a step that began at `start`."""
        if pods != self._owed.pods:
            self._owed = self._moved(pods)
        owed, none = self._owed, np.zeros(len(pods))
        away = any(begin <= start < begin + length for begin, length in self._scraping.outages)
        missed = self._luck.random((self._scrapes, len(pods))) < self._scraping.lost
        crashed = step.restarts > 0
        lost = missed.all(axis=0) | away | ~step.up
        served = np.concatenate((step.counts, step.errors[:, None]), axis=1)
        served = np.where(crashed[:, None], self._part(served), served)
        before = np.where(crashed[:, None], 0.0, owed.served)
        late = np.where((missed[-1] & ~lost)[:, None], self._part(served), 0.0)
        kept = np.where(lost[:, None], np.where(step.up[:, None], before + served, 0.0), late)
        risk, struck = owed.seconds + self._width, owed.restarts + step.restarts
        self._owed = Bin(pods, kept, lost, struck if away else none, risk if away else none)
        seen = np.where(lost[:, None], 0.0, before + served - late)
        return Bin(pods, seen, lost, none if away else struck, none if away else risk)

    def _part(self, served: Floats) -> Floats:
        """About half of each count."""
        return self._luck.binomial(served.astype(np.int64), 0.5).astype(np.float64)

    def _moved(self, pods: tuple[Pod, ...]) -> Bin:
        """What is owed, in the order of these pods; who left owes nothing."""
        old = {pod.name: i for i, pod in enumerate(self._owed.pods)}
        moved = _nothing(pods, self._owed.served.shape[1])
        for i, pod in enumerate(pods):
            if pod.name in old:
                j = old[pod.name]
                moved.served[i] = self._owed.served[j]
                moved.restarts[i], moved.seconds[i] = self._owed.restarts[j], self._owed.seconds[j]
        return moved


def _nothing(pods: tuple[Pod, ...], columns: int) -> Bin:
    n = len(pods)
    return Bin(pods, np.zeros((n, columns)), np.ones(n, dtype=np.bool_), np.zeros(n), np.zeros(n))
