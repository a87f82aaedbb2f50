"""A fleet whose event rates are known, drawn straight into tables of counts.

Written from the design's words (pods differ, nodes differ and drift, young pods
are cold, the service has incidents), not from the estimator's formulas. The same
release can be read as errors, as requests beyond bucket edges, or as restarts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from causal_rollouts.evidence.frame import CountBins, Finding, Frame, HistogramBins, RestartBins, Unit
from causal_rollouts.model.arms import Arm

T0 = 1_000_000
WARM_UP = 4
BIN_SECONDS = 15.0
EDGES = np.array([0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5])


@dataclass(frozen=True)
class Fleet:
    """Sizes; variation of log rates; what the candidate does. incident: (from bin of t0, bins, factor)."""

    stable: int = 20
    nodes: int = 6
    grows: tuple[int, ...] = (4, 6, 8)
    stage_bins: int = 40
    history: int = 120
    requests: float = 150.0
    rate: float = 0.005
    pod_sd: float = 0.14
    node_sd: float = 0.05
    drift_sd: float = 0.0
    drift_phi: float = 0.975
    cold: float = 1.0
    cold_fades: float = 12.0
    incident: tuple[int, int, float] = (0, 0, 1.0)
    missing: float = 0.0
    canary_adds: float = 0.0
    canary_times: float = 1.0
    onset: int = 0

    @property
    def bins(self) -> int:
        return self.history + self.stage_bins * len(self.grows)


@dataclass(frozen=True)
class Plan:
    """Units, when they start, and who serves how much of the load."""

    fleet: Fleet
    units: tuple[Unit, ...]
    exposed: dict[str, int]

    @property
    def first(self) -> int:
        return T0 - self.fleet.history

    @property
    def at(self) -> np.ndarray:
        return np.arange(self.first, self.first + self.fleet.bins)

    @property
    def windows(self) -> tuple[int, ...]:
        return tuple(T0 + k * self.fleet.stage_bins for k in range(len(self.fleet.grows)))

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(u.id for u in self.units)

    @property
    def alive(self) -> np.ndarray:
        return self.at[None, :] >= np.array([u.ready for u in self.units])[:, None]

    @property
    def canary(self) -> np.ndarray:
        return np.array([u.arm is Arm.CANARY for u in self.units])

    @property
    def young(self) -> np.ndarray:
        return np.array([u.arm is not Arm.STABLE for u in self.units])

    def frame(self, now: int, *, excluded=frozenset(), until_stable=None) -> Frame:
        return Frame(
            units=tuple(u for u in self.units if u.ready <= now),
            t0=T0,
            windows=tuple(w for w in self.windows if w <= max(now, T0)),
            planned=len(self.windows),
            exposed={n: b for n, b in self.exposed.items() if b <= now},
            excluded=excluded,
            until_stable=until_stable,
            now=now,
            warm_up=WARM_UP,
        )

    @property
    def looks(self) -> range:
        return range(T0 + 1, self.first + self.fleet.bins, 2)


def plan_of(fleet: Fleet, rng: np.random.Generator) -> Plan:
    """Canaries on the first third of the nodes, baseline on the last, stable everywhere."""
    names = [f"node-{j}" for j in range(fleet.nodes)]
    rng.shuffle(names)
    third = max(1, fleet.nodes // 3)
    units = [
        Unit(f"pod-{i:02d}", Arm.STABLE, names[i % fleet.nodes], T0 - fleet.history - 400)
        for i in range(fleet.stable)
    ]
    exposed: dict[str, int] = {}
    for k, slots in enumerate(fleet.grows):
        for i in range(fleet.grows[k - 1] if k else 0, slots):
            ready = T0 + k * fleet.stage_bins - 1 + (0 if k == 0 else int(rng.integers(0, 2)))
            for arm, block in ((Arm.CANARY, names[:third]), (Arm.BASELINE, names[-third:])):
                unit = Unit(f"{arm}-{i}", arm, block[i % len(block)], ready)
                units.append(unit)
                if arm is Arm.CANARY:
                    exposed[unit.node] = min(exposed.get(unit.node, 2**40), max(ready, T0))
    return Plan(fleet, tuple(units), exposed)


def log_factors(plan: Plan, rng: np.random.Generator) -> np.ndarray:
    """Log rate of each unit and bin less that of the service: pods, nodes, drift, cold starts, incident."""
    fleet, at = plan.fleet, plan.at
    nodes = sorted({u.node for u in plan.units})
    place = [nodes.index(u.node) for u in plan.units]
    drift = np.zeros((len(nodes), fleet.bins))
    if fleet.drift_sd > 0:
        level = rng.normal(0.0, fleet.drift_sd, len(nodes))
        for b in range(fleet.bins):
            drift[:, b] = level
            level = fleet.drift_phi * level + rng.normal(
                0.0, fleet.drift_sd * np.sqrt(1 - fleet.drift_phi**2), len(nodes)
            )
    log = drift[place] + rng.normal(0.0, fleet.node_sd, len(nodes))[place][:, None]
    log = log + rng.normal(0.0, fleet.pod_sd, len(plan.units))[:, None]
    age = at[None, :] - np.array([u.ready for u in plan.units])[:, None]
    log += np.where(
        plan.young[:, None] & (age >= 0),
        np.log1p((fleet.cold - 1.0) * np.exp(-np.maximum(age, 0) / fleet.cold_fades)),
        0.0,
    )
    start, length, factor = fleet.incident
    during = (at >= T0 + start) & (at < T0 + start + length)
    return log + np.where(during, np.log(factor), 0.0)


def requests_of(plan: Plan, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(requests, lost): Poisson, half as much traffic at the end as at the start of each wave."""
    wave = 1.0 + 0.3 * np.sin(np.arange(plan.fleet.bins) / 25.0)
    mean = plan.alive * plan.fleet.requests * wave * rng.uniform(0.8, 1.25, (len(plan.units), 1))
    requests = rng.poisson(mean).astype(float)
    lost = rng.random(requests.shape) < plan.fleet.missing
    return np.where(lost, 0.0, requests), lost & plan.alive


def errors_of(plan: Plan, rng: np.random.Generator) -> CountBins:
    """Each request fails with the unit's rate."""
    fleet = plan.fleet
    requests, lost = requests_of(plan, rng)
    rate = fleet.rate * np.exp(log_factors(plan, rng))
    harmed = plan.canary[:, None] & (plan.at >= T0 + fleet.onset)[None, :]
    rate = np.where(harmed, rate * fleet.canary_times + fleet.canary_adds, rate)
    events = rng.binomial(requests.astype(int), np.minimum(rate, 1.0)).astype(float)
    return CountBins(plan.ids, plan.first, events, requests, lost)


def latencies_of(plan: Plan, rng: np.random.Generator, *, request_sd: float = 0.6) -> HistogramBins:
    """Log-normal latency about 80 ms; factors move its level; harm puts a share of requests far out."""
    fleet = plan.fleet
    requests, lost = requests_of(plan, rng)
    level = np.log(0.08) + log_factors(plan, rng)
    below = norm.cdf((np.log(EDGES)[None, None, :] - level[:, :, None]) / request_sd)
    cdf = np.concatenate((np.zeros_like(below[:, :, :1]), below, np.ones_like(below[:, :, :1])), axis=2)
    share = np.diff(cdf, axis=2)
    harmed = plan.canary[:, None] & (plan.at >= T0 + fleet.onset)[None, :]
    far = np.zeros(share.shape[2])
    far[-3:-1] = 0.5
    added = np.where(harmed, fleet.canary_adds, 0.0)[:, :, None]
    counts = rng.multinomial(requests.astype(int), (1.0 - added) * share + added * far).astype(float)
    return HistogramBins(plan.ids, plan.first, EDGES, counts, lost)


def restarts_of(
    plan: Plan, rng: np.random.Generator, *, per_hour: float, canary_per_hour: float
) -> RestartBins:
    """Poisson restarts; an incident multiplies the rate of everybody."""
    fleet, at = plan.fleet, plan.at
    start, length, factor = fleet.incident
    during = (at >= T0 + start) & (at < T0 + start + length)
    rate = np.full((len(plan.units), fleet.bins), float(per_hour))
    rate[plan.canary] += canary_per_hour * (at >= T0 + fleet.onset)
    rate *= np.where(during, factor, 1.0)[None, :] * plan.alive
    restarts = rng.poisson(rate * BIN_SECONDS / 3600.0).astype(float)
    return RestartBins(plan.ids, plan.first, restarts, plan.alive * BIN_SECONDS)


def cut(table, begin: int, end: int):
    """Bins [begin, end) of a table."""
    columns = slice(max(begin - table.first, 0), end - table.first)
    arrays = {
        name: getattr(table, name)[:, columns]
        for name in type(table).__slots__
        if name not in {"ids", "first", "edges"}
    }
    rest = {"edges": table.edges} if isinstance(table, HistogramBins) else {}
    return type(table)(ids=table.ids, first=max(begin, table.first), **rest, **arrays)


def highest(finding: Finding, weight: float, windows: tuple[float, float] = (0.6, 0.2)) -> float:
    """The largest log evidence with its share of the budget. windows: share of the first, of each later."""
    return max(
        (t.log_e + np.log(weight * t.share * windows[t.window != T0]) for t in finding.tracks),
        default=-np.inf,
    )


def findings(plan: Plan, table, begin: Callable, absorb: Callable, judge: Callable, every: int = 1):
    """(bin since t0, finding) at the looks of a release; every: how many looks lie between two."""
    state = begin(plan.frame(T0 - 1), cut(table, plan.first, T0))
    consumed = T0
    for number, now in enumerate(plan.looks):
        if number % every != every - 1:
            continue
        frame = plan.frame(now)
        state = absorb(state, frame, cut(table, consumed, now + 1))
        consumed = now + 1
        yield now - T0, judge(state, frame)
