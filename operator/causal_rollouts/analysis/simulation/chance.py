"""Random draws that depend on a seed and a name, never on the order of asking.

The same pod draws the same lot in every run with the same seed, so a harm can
be switched on and off in an otherwise identical world.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.simulation.climate import Wander

Floats = NDArray[np.float64]


def draws(seed: int, *names: str) -> np.random.Generator:
    """A generator of its own for a name."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


class Walks:
    """AR(1) paths by name, all of one kind, moved in steps of any width."""

    def __init__(self, wander: Wander, rng: np.random.Generator) -> None:
        self._wander = wander
        self._rng = rng
        self._names: tuple[str, ...] = ()
        self._now: Floats = np.zeros(0)

    def step(self, names: Sequence[str], width: float) -> Floats:
        """Values after `width` seconds; a new name starts from the stationary law."""
        sd = self._wander.sd
        if sd == 0.0:
            return np.zeros(len(names))
        wanted = tuple(names)
        if wanted != self._names:
            known = dict(zip(self._names, self._now, strict=True))
            fresh = sd * self._rng.standard_normal(len(wanted))
            self._now = np.array([known.get(n, f) for n, f in zip(wanted, fresh, strict=True)])
            self._names = wanted
        phi = float(np.exp(-width / self._wander.memory))
        noise = self._rng.standard_normal(len(wanted))
        self._now = phi * self._now + sd * np.sqrt(1.0 - phi * phi) * noise
        return self._now
