"""What scrapes of the simulated pods show: cumulative counters that restart with their process."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.simulation.climate import Consumption
from causal_rollouts.analysis.simulation.setting import CALLS, CODE, COUNTER, CPU, HISTOGRAM, MEMORY
from causal_rollouts.model.arms import Pod
from causal_rollouts.model.metrics import RESTARTS_SERIES
from causal_rollouts.model.telemetry import Series

OK, FAILED = "200", "503"

NOTHING = Consumption()

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Line:
    """One growing series."""

    labels: Mapping[str, str]
    times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))

    def add(self, time: float, value: float) -> None:
        """One more sample."""
        self.times.append(time)
        self.values.append(value)

    @property
    def series(self) -> Series:
        """As a value; it shares the numbers and so must not be kept while the line grows."""
        return Series(self.labels, self.times, self.values)


class Process:
    """Counters of one pod, and what was scraped of them.

    A status code has no series before its first request, as client libraries do it.
    """

    def __init__(
        self, pod: Pod, namespace: str, edges: tuple[float, ...], consumption: Consumption = NOTHING
    ) -> None:
        """consumption: of what is 0 in it nothing is exposed."""
        self._target = {
            "namespace": namespace,
            "pod": pod.name,
            "node": pod.node,
            "instance": f"{pod.name}:8080",
            "job": namespace,
        }
        bounds = [*(repr(edge) for edge in edges), "+Inf"]
        self._buckets = [self._line(f"{HISTOGRAM}_bucket", le=bound) for bound in bounds]
        self._codes: dict[str, Line] = {}
        self._restarts = Line(
            {
                "__name__": RESTARTS_SERIES,
                "namespace": namespace,
                "pod": pod.name,
                "container": "app",
                "job": "kube-state-metrics",
                "instance": "kube-state-metrics:8080",
            }
        )
        self._counts: Floats = np.zeros(len(bounds))
        self._failed = 0.0
        self._crashes = 0.0
        self._uses = {
            name: self._line(name, container="app")
            for name, size in (
                (CPU, consumption.cpu),
                (CALLS, consumption.calls),
                (MEMORY, consumption.memory),
            )
            if size
        }
        self._used = dict.fromkeys(self._uses, 0.0)

    def serve(self, counts: Floats, failed: float, crashes: float) -> None:
        """Count what was served; a crash takes the counters with it."""
        if crashes:
            self._counts, self._failed = np.zeros_like(self._counts), 0.0
            self._used = dict.fromkeys(self._uses, 0.0)
            self._crashes += crashes
            return
        self._counts = self._counts + counts
        self._failed += failed

    def use(self, cpu: float, calls: float, memory: float) -> None:
        """What it took to serve, and the memory that is held now."""
        for name, more in ((CPU, cpu), (CALLS, calls)):
            if name in self._used:
                self._used[name] += more
        if MEMORY in self._used:
            self._used[MEMORY] = memory

    def scrape(self, time: float) -> None:
        """One scrape of the process."""
        cumulative = np.cumsum(self._counts).tolist()
        for line, value in zip(self._buckets, cumulative, strict=True):
            line.add(time, value)
        for code, value in ((OK, cumulative[-1] - self._failed), (FAILED, self._failed)):
            if value or code in self._codes:
                if code not in self._codes:
                    self._codes[code] = self._line(COUNTER, **{CODE: code})
                self._codes[code].add(time, value)
        for name, line in self._uses.items():
            line.add(time, self._used[name])

    def observe(self, time: float) -> None:
        """One scrape of what the API server knows of the pod."""
        self._restarts.add(time, self._crashes)

    def lines(self) -> Iterator[Line]:
        """Everything that has samples."""
        for line in (*self._buckets, *self._codes.values(), *self._uses.values(), self._restarts):
            if line.times:
                yield line

    def _line(self, name: str, **more: str) -> Line:
        return Line({"__name__": name, **self._target, **more})
