"""The simulated service as tables of bins, without the detour over samples.

A closed loop of thousands of releases is only affordable this way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.simulation.chance import draws
from causal_rollouts.analysis.simulation.consumption import Meters
from causal_rollouts.analysis.simulation.scraper import Bin, Scraper
from causal_rollouts.analysis.simulation.setting import CALLS, CPU, MEMORY, Setting
from causal_rollouts.analysis.simulation.world import World
from causal_rollouts.evidence.frame import CountBins, FootprintBins, Frame, HistogramBins, RestartBins
from causal_rollouts.evidence.replacements import cold, expected, later_starts
from causal_rollouts.evidence.tables import MetricTable, Schedule, ShareTable, Tables
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.metrics import MetricKind
from causal_rollouts.model.traffic import Weights

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

USED = ("", CPU, CALLS, MEMORY)
"""Columns of what is used, after that of the requests it was for."""


class SimulatedBins:
    """Bins of one simulated release, served in order. Canary pods run the setting's harm."""

    def __init__(self, setting: Setting, seed: int) -> None:
        self._setting = setting

        self._world = World(setting.climate, seed, setting.harm_of)
        self._edges = np.asarray(setting.climate.answers.edges)
        luck = draws(seed, "scrapes")
        self._scraper = Scraper(setting.climate.scraping, setting.grid, len(self._edges) + 1, luck)
        self._bins: dict[int, Bin] = {}
        self._meters = Meters(setting.climate.consumption, seed, setting.harm_of)
        self._used: dict[int, Floats] = {}

    def serve(self, index: int, pods: Sequence[Pod], weights: Weights) -> None:
        """Serve one bin with these pods and weights."""
        grid = self._setting.grid
        start = grid.start(index)
        there = tuple(p for p in pods if p.created <= start and (p.deleted is None or p.deleted > start))
        step = self._world.step(start, grid.width, there, weights)
        self._bins[index] = self._scraper.scrape(there, step, start)
        if self._setting.climate.consumption.measured:
            asked = step.counts.sum(axis=1)
            used = self._meters.step(there, asked, start + grid.width, grid.width)
            self._used[index] = np.column_stack((asked, used.cpu, used.calls, used.memory))

    def tables(self, frame: Frame, schedule: Schedule, first: int, pods: Sequence[Pod] = ()) -> Tables:
        """Tables of the frame's units from bin `first` to `frame.now`.

        pods: all so far, for who waits until one that came later to a slot is warm.
        """
        row = {unit.id: i for i, unit in enumerate(frame.units)}
        shape = (len(row), frame.now - first + 1)
        served = np.zeros((*shape, self._edges.size + 2))
        restarts, seconds, seen = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.bool_)
        canary, total = np.zeros(shape[1]), np.zeros(shape[1])
        for k in range(shape[1]):
            one = self._bins[first + k]
            unit = np.array([row.get(pod.slot, -1) for pod in one.pods], dtype=np.int64)
            known = unit >= 0
            np.add.at(served[:, k], unit[known], one.served[known])
            np.add.at(restarts[:, k], unit[known], one.restarts[known])
            np.add.at(seconds[:, k], unit[known], one.seconds[known])
            seen[unit[known & ~one.lost], k] = True
            requests = one.served[:, :-1].sum(axis=1)
            total[k] = requests.sum()
            canary[k] = requests[[pod.arm is Arm.CANARY for pod in one.pods]].sum()
        rare = RestartBins(tuple(row), first, restarts, seconds)
        share = ShareTable(first, canary, total)
        later = later_starts(self._setting.grid, pods, frame)
        young, due = cold(later, frame, first), expected(later, frame, first)
        served[young] = 0.0
        metrics = self._metrics(served, ~seen | young, rare, due)
        return Tables(metrics | self._footprints(row, first, ~seen | young, due), share, schedule)

    def _footprints(
        self, row: Mapping[str, int], first: int, lost: Bools, due: Bools
    ) -> dict[str, MetricTable]:
        """Use of each unit at the rate of what was scraped, so that a lost scrape moves nothing."""
        wanted = [m for m in self._setting.metrics if m.kind is MetricKind.FOOTPRINT]
        if not wanted:
            return {}
        used = np.zeros((*lost.shape, 5))
        fleet = np.zeros((lost.shape[1], 2))
        for k in range(lost.shape[1]):
            one, amount = self._bins[first + k], self._used[first + k]
            unit = np.array([row.get(pod.slot, -1) for pod in one.pods], dtype=np.int64)
            shown = (unit >= 0) & ~one.lost
            amount = np.column_stack((amount, np.ones(len(amount))))
            np.add.at(used[:, k], unit[shown], amount[shown])
            stable = np.array([pod.arm is Arm.STABLE for pod in one.pods], dtype=np.bool_)
            fleet[k] = amount[~one.lost, 0].sum() / self._setting.grid.width, (stable & ~one.lost).sum()
        used[lost] = 0.0
        found = {}
        for metric in wanted:
            gauge, column = not metric.of, USED.index(metric.series)
            whole = fleet[:, 1 if gauge else 0]
            per = used[:, :, 4 if gauge else 0]
            bins = FootprintBins(tuple(row), first, used[:, :, column], per, lost, whole, gauge)
            found[metric.name] = MetricTable(bins, due)
        return found

    def _metrics(self, served: Floats, lost: Bools, rare: RestartBins, due: Bools) -> dict[str, MetricTable]:
        counts = served[:, :, :-1]
        bins = HistogramBins(rare.ids, rare.first, self._edges, counts, lost)
        errors = CountBins(rare.ids, rare.first, served[:, :, -1], counts.sum(axis=2), lost)
        by_kind = {
            MetricKind.ERRORS: MetricTable(errors, due),
            MetricKind.RESTARTS: MetricTable(rare, due),
        }
        histogram = MetricTable(bins, due)
        counted = [m for m in self._setting.metrics if m.kind is not MetricKind.FOOTPRINT]
        return {m.name: by_kind.get(m.kind, histogram) for m in counted}
