"""A fleet whose latency is known, drawn straight into tables of buckets.

Written from the design's words (pods differ, nodes differ and drift, the service
wobbles), not from the estimator's formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr

from causal_rollouts.evidence.frame import Frame, HistogramBins, Unit
from causal_rollouts.model.arms import Arm

EDGES = np.array([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0])
T0 = 1_000_000
WARM_UP = 4


@dataclass(frozen=True)
class Fleet:
    """Sizes and standard deviations of log latency; `grows` is canary slots after each stage start."""

    stable: int = 20
    nodes: int = 6
    grows: tuple[int, ...] = (4, 6, 8)
    stage_bins: int = 20
    history: int = 120
    requests: float = 150.0
    pod_sd: float = 0.03
    node_sd: float = 0.05
    drift_sd: float = 0.02
    drift_phi: float = 0.9
    service_sd: float = 0.1
    service_phi: float = 0.9
    step_sd: float = 0.02
    request_sd: float = 0.6
    fresh: float = 0.05
    missing: float = 0.0
    effect: float = 0.0
    beside: float = 0.0
    shock: tuple[int, int, float] = (0, 0, 0.0)
    onset: int = 0

    @property
    def bins(self) -> int:
        return self.history + self.stage_bins * len(self.grows)


@dataclass(frozen=True)
class Release:
    """All bins of one release and the frame as it stands after any of them."""

    fleet: Fleet
    units: tuple[Unit, ...]
    exposed: dict[str, int]
    table: HistogramBins
    until_stable: int | None = None
    excluded: frozenset[int] = field(default_factory=frozenset)

    @property
    def first(self) -> int:
        return self.table.first

    @property
    def end(self) -> int:
        return self.table.first + self.table.counts.shape[1]

    @property
    def windows(self) -> tuple[int, ...]:
        return tuple(T0 + k * self.fleet.stage_bins for k in range(len(self.fleet.grows)))

    def frame(self, now: int) -> Frame:
        return Frame(
            units=tuple(u for u in self.units if u.ready <= max(now, T0)),
            t0=T0,
            windows=tuple(w for w in self.windows if w <= max(now, T0)),
            planned=len(self.windows),
            exposed={n: b for n, b in self.exposed.items() if b <= now},
            excluded=self.excluded,
            until_stable=self.until_stable,
            now=now,
            warm_up=WARM_UP,
        )

    def part(self, begin: int, end: int) -> HistogramBins:
        columns = slice(begin - self.first, end - self.first)
        t = self.table
        return HistogramBins(t.ids, begin, t.edges, t.counts[:, columns], t.lost[:, columns])


def autoregression(rng: np.random.Generator, rows: int, steps: int, phi: float, sd: float) -> np.ndarray:
    x = np.empty((rows, steps))
    x[:, 0] = rng.normal(0.0, sd, rows)
    for t in range(1, steps):
        x[:, t] = phi * x[:, t - 1] + rng.normal(0.0, sd * np.sqrt(1.0 - phi**2), rows)
    return x


def place(rng: np.random.Generator, fleet: Fleet) -> tuple[Unit, ...]:
    """Stable pods round robin; canary on a random half of the nodes, baseline anywhere."""
    nodes = rng.permutation(fleet.nodes)
    units = [Unit(f"pod-{i:02}", Arm.STABLE, f"n{i % fleet.nodes}", T0 - 1000) for i in range(fleet.stable)]
    host = nodes[: max(1, fleet.nodes // 2)]
    before = 0
    for k, count in enumerate(fleet.grows):
        ready = T0 + k * fleet.stage_bins - (2 if k else 5)
        for i in range(before, count):
            units.append(Unit(f"canary-{i}", Arm.CANARY, f"n{host[i % len(host)]}", ready))
            other = nodes[(len(host) + i) % fleet.nodes]
            units.append(Unit(f"baseline-{i}", Arm.BASELINE, f"n{other}", ready))
        before = count
    return tuple(units)


def draw(
    rng: np.random.Generator,
    fleet: Fleet,
    added: Callable[[tuple[Unit, ...], np.ndarray], np.ndarray] | None = None,
) -> Release:
    """One release of the fleet; added: what else moves the log level, [units, bins] of units and bins."""
    units = place(rng, fleet)
    first, B, U = T0 - fleet.history, fleet.bins, len(units)
    at = first + np.arange(B)
    node = np.array([int(u.node[1:]) for u in units])
    ready = np.array([u.ready for u in units])
    canary = np.array([u.arm is Arm.CANARY for u in units])
    fresh = np.array([u.arm is not Arm.STABLE for u in units])
    exposed: dict[str, int] = {}
    for u in units:
        if u.arm is Arm.CANARY:
            exposed[u.node] = min(exposed.get(u.node, T0 + B), max(u.ready, T0))
    since = np.array([exposed.get(u.node, T0 + B) for u in units])
    mean = np.log(0.06) + rng.normal(0.0, fleet.pod_sd, (U, 1)) + fleet.fresh * fresh[:, None]
    mean = mean + rng.normal(0.0, fleet.node_sd, fleet.nodes)[node][:, None]
    mean = mean + autoregression(rng, fleet.nodes, B, fleet.drift_phi, fleet.drift_sd)[node]
    mean = mean + autoregression(rng, 1, B, fleet.service_phi, fleet.service_sd)
    mean = mean + rng.normal(0.0, fleet.step_sd, (U, B))
    mean = mean + fleet.effect * (canary[:, None] & (at >= T0 + fleet.onset))
    mean = mean + fleet.beside * (~canary[:, None] & (at >= since[:, None]))
    begin, end, height = fleet.shock
    mean = mean + height * ((at >= T0 + begin) & (at < T0 + end))
    mean = mean if added is None else mean + added(units, at)
    n = rng.poisson(fleet.requests, (U, B)) * (at >= ready[:, None])
    lost = (rng.random((U, B)) < fleet.missing) & (at >= ready[:, None])
    below = ndtr((np.log(EDGES) - mean[..., None]) / fleet.request_sd)
    share = np.diff(below, axis=-1, prepend=0.0, append=1.0)
    counts = rng.multinomial(n, share).astype(np.float64)
    counts[lost] = 0.0
    return Release(
        fleet, units, exposed, HistogramBins(tuple(u.id for u in units), first, EDGES, counts, lost)
    )
