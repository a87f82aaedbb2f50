"""What simulated pods use for what they serve: processor time, calls to a backend, memory.

Its chances are its own: whether anybody measures use changes nothing in the
service.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.simulation.chance import Walks, draws
from causal_rollouts.analysis.simulation.climate import Consumption, Harm
from causal_rollouts.model.arms import Pod

Floats = NDArray[np.float64]

COLD = 0.3
"""Part of its memory that a pod has not filled yet when it starts; it fills over `FILLING` seconds."""

FILLING = 120.0


@dataclass(frozen=True, slots=True)
class Used:
    """By pod, in one step: seconds of processor time, calls; and bytes at its end."""

    cpu: Floats
    calls: Floats
    memory: Floats


class Meters:
    """Meters of all pods, read step by step."""

    def __init__(self, consumption: Consumption, seed: int, harm_of: Callable[[Pod], Harm]) -> None:
        self._of = consumption
        self._seed = seed
        self._harm_of = harm_of
        self._jitter = Walks(consumption.jitter, draws(seed, "use-jitter"))
        self._rng = draws(seed, "use")
        self._levels: dict[str, float] = {}

    def step(self, pods: Sequence[Pod], requests: Floats, time: float, width: float) -> Used:
        """What these requests of a step that ends at `time` took."""
        if not self._of.measured:
            none = np.zeros(len(pods))
            return Used(none, none, none)
        level = np.array([self._level(pod) for pod in pods])
        level = np.exp(level + self._jitter.step([pod.name for pod in pods], width))
        harms = [self._harm_of(pod) for pod in pods]
        served = requests > 0
        # Requests take an exponential time each, so their sum is a gamma.
        work = np.where(served, self._rng.standard_gamma(np.where(served, requests, 1.0)), 0.0)
        age = np.array([max(0.0, time - pod.created) for pod in pods])
        return Used(
            cpu=self._of.cpu * level * np.array([h.cpu for h in harms]) * work + self._of.idle * width,
            calls=self._rng.poisson(
                self._of.calls * level * np.array([h.calls for h in harms]) * requests
            ).astype(np.float64),
            memory=self._of.memory
            * level
            * np.array([h.memory for h in harms])
            * (1.0 - COLD * np.exp(-age / FILLING)),
        )

    def _level(self, pod: Pod) -> float:
        """Log of how much more this pod takes for the same, by its own lot and its node's."""
        if pod.name not in self._levels:
            own = draws(self._seed, "use-pod", pod.name).standard_normal()
            node = draws(self._seed, "use-node", pod.node).standard_normal()
            self._levels[pod.name] = float(self._of.pods * own + self._of.nodes * node)
        return self._levels[pod.name]
