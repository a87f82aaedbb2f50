"""A metrics source over the simulated service, moved along by whoever runs the fleet.

It is asked the same questions as a Prometheus and answers with raw samples, so
a story told on it goes through the whole gate.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Callable, Sequence

from causal_rollouts.analysis.simulation.chance import draws
from causal_rollouts.analysis.simulation.climate import HARMLESS, Climate, Harm, Incident
from causal_rollouts.analysis.simulation.consumption import Meters
from causal_rollouts.analysis.simulation.exposition import Process
from causal_rollouts.analysis.simulation.world import World
from causal_rollouts.model.arms import Pod
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.telemetry import Series
from causal_rollouts.model.traffic import Weights
from causal_rollouts.ports import Broken, Scope

PARTS = 5
"""Steps of the world in one scrape interval: so many instants at which a pod may be scraped."""

EARLY = 0.1
"""Part of a step by which a scrape comes before its end, so that none falls on the edge of a bin."""


class SimulatedSource:
    """Samples of a simulated service from `begin` on.

    harm_of: what the version that a pod runs does. The series are those of `setting.HISTOGRAM`,
    `setting.COUNTER` and kube-state-metrics, with labels namespace, pod, node, le and code.
    """

    def __init__(
        self,
        seed: int,
        climate: Climate,
        *,
        begin: float,
        scrape: float,
        namespace: str = "simulated",
        harm_of: Callable[[Pod], Harm] = lambda _: HARMLESS,
    ) -> None:
        self._world = World(climate, seed, harm_of)
        self._meters = Meters(climate.consumption, seed, harm_of)
        self._climate = climate
        self._namespace = namespace
        self._width = scrape / PARTS
        self._next = round(begin / self._width)
        self._processes: dict[str, Process] = {}
        self._phases: dict[str, int] = {}
        self._luck = draws(seed, "scrapes")

    def strike(self, incident: Incident) -> None:
        """Something hits the whole service, in addition to what the climate has."""
        self._world.strike(incident)

    def advance(self, now: float, pods: Sequence[Pod], weights: Weights) -> None:
        """Serve until `now` with these pods and weights; time never goes back."""
        while (self._next + 1) * self._width <= now:
            self._step(tuple(pods), weights)
            self._next += 1

    def fetch(self, metric: Metric, scope: Scope, start: float, end: float) -> tuple[Series, ...]:
        """Samples in (start, end] of a metric's series, of the pods in scope; no series without any."""
        wanted = metric.reads
        if scope.namespace != self._namespace:
            return ()
        found = []
        for pod in scope.pods:
            process = self._processes.get(pod)
            for line in process.lines() if process else ():
                if line.labels["__name__"] not in wanted:
                    continue
                low, high = bisect_right(line.times, start), bisect_right(line.times, end)
                if high > low:
                    found.append(Series(line.labels, line.times[low:high], line.values[low:high]))
        return tuple(found)

    def series(self) -> tuple[Series, ...]:
        """Everything there is."""
        return tuple(line.series for process in self._processes.values() for line in process.lines())

    def _step(self, pods: tuple[Pod, ...], weights: Weights) -> None:
        start = self._next * self._width
        there = tuple(
            pod for pod in pods if pod.created <= start and not (pod.deleted and pod.deleted <= start)
        )
        if not there:
            return
        step = self._world.step(start, self._width, there, weights)
        end = (self._next + 1) * self._width
        used = self._meters.step(there, step.counts.sum(axis=1), end, self._width)
        time = round(end - EARLY * self._width, 3)
        away = any(begin <= time < begin + length for begin, length in self._climate.scraping.outages)
        for i, pod in enumerate(there):
            process = self._process(pod)
            process.serve(step.counts[i], float(step.errors[i]), float(step.restarts[i]))
            process.use(float(used.cpu[i]), float(used.calls[i]), float(used.memory[i]))
            if self._phases[pod.name] != self._next % PARTS or away:
                continue
            process.observe(time)
            if step.up[i] and self._luck.random() >= self._climate.scraping.lost:
                process.scrape(time)

    def _process(self, pod: Pod) -> Process:
        if pod.name not in self._processes:
            edges, consumption = self._climate.answers.edges, self._climate.consumption
            self._processes[pod.name] = Process(pod, self._namespace, edges, consumption)
            self._phases[pod.name] = zlib.crc32(pod.name.encode()) % PARTS
        return self._processes[pod.name]


def _there(pod: Pod, time: float) -> bool:
    return pod.created <= time and (pod.deleted is None or pod.deleted > time)


class SimulatedMetrics:
    """The port `MetricsSource` over a simulated source. away: what it answers instead, while not empty."""

    def __init__(self, source: SimulatedSource) -> None:
        self._source = source
        self.away = ""

    async def fetch(self, metric: Metric, scope: Scope, start: float, end: float) -> tuple[Series, ...]:
        """As the port says.

        Raises:
            Broken: the source is away.
        """
        if self.away:
            raise Broken(self.away)
        return self._source.fetch(metric, scope, start, end)
