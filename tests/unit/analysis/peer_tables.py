"""Releases written down minute by minute, for the rules of other tools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from causal_rollouts.analysis.peers.traffic import Signal, Traffic
from causal_rollouts.analysis.peers.watched import Watched
from causal_rollouts.model.metrics import Margins

EDGES = np.array([0.1, 0.2, 0.4, 0.8])
NONE = Margins(0.0, 0.0)
OFFSET = 5.0


@dataclass(frozen=True)
class Minute:
    """slow: share of requests in the second bucket instead of the first. seen: a sample came."""

    requests: float = 1000.0
    errors: float = 0.01
    slow: float = 0.005
    seen: bool = True


GOOD = Minute()
FAILING = Minute(errors=0.05)
SLOW = Minute(slow=0.9)
IDLE = Minute(requests=0.0)
UNSEEN = Minute(requests=0.0, seen=False)


def traffic(minutes: Sequence[Minute], width: float = 60.0) -> Traffic:
    """One minute after the other, in bins of `width` seconds that are all alike within a minute."""
    parts = round(60.0 / width)
    every = [replace(m, requests=m.requests / parts) for m in minutes for _ in range(parts)]
    counts = np.zeros((len(every), EDGES.size + 1))
    counts[:, 0] = [m.requests * (1 - m.slow) for m in every]
    counts[:, 1] = [m.requests * m.slow for m in every]
    requests = np.array([m.requests for m in every])
    errors = requests * np.array([m.errors for m in every])
    return Traffic(EDGES, counts, errors, requests, np.array([m.seen for m in every]))


def release(
    canary: Sequence[Minute],
    baseline: Sequence[Minute] | None = None,
    *,
    past: Sequence[Minute] = (GOOD,) * 60,
    alike: Sequence[Minute] | None = None,
    margins: Margins = NONE,
    stages: tuple[int, ...] = (0,),
    complete: bool = True,
    width: float = 60.0,
) -> Watched:
    """A release in minutes; the baseline is good unless it says otherwise."""
    return Watched(
        width=width,
        canary=traffic(canary, width),
        baseline=traffic(baseline if baseline is not None else [GOOD] * len(canary), width),
        past=traffic(past, width),
        alike=traffic(past if alike is None else alike, width),
        margins=dict.fromkeys(Signal, margins),
        stages=stages,
        offset=OFFSET,
        complete=complete,
    )


def ar1(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    """A stationary path of variance 1."""
    path = rng.normal(size=n)
    for i in range(1, n):
        path[i] = phi * path[i - 1] + np.sqrt(1 - phi**2) * path[i]
    return path
