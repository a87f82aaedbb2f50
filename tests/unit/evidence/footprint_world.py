"""What a fleet uses, drawn straight into tables: written from the words of the issue, not from the engine."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from causal_rollouts.evidence import footprint
from causal_rollouts.evidence.extrapolated import extrapolated
from causal_rollouts.evidence.footprint import FootprintState
from causal_rollouts.evidence.frame import FootprintBins
from causal_rollouts.evidence.questions import Answer
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.footprint import Footprint
from causal_rollouts.model.metrics import Gating, Margins, Metric, MetricKind
from tests.unit.decision.situations import registration
from tests.unit.evidence.latency_world import T0, Fleet, Release, autoregression, draw

FLEET = Fleet(stable=20, nodes=6, grows=(3, 6), stage_bins=20, history=120)
CPU = Metric(
    "cpu",
    MetricKind.FOOTPRINT,
    "cpu_seconds_total",
    Margins(0.1, 0.3),
    Gating.REPORT_ONLY,
    of="http_total",
    headroom=0.3,
)
MEMORY = replace(CPU, name="memory", series="memory_bytes", of="")


@dataclass(frozen=True)
class Use:
    """A request's cost and how it differs; factor: what the candidate takes of it."""

    cost: float = 0.02
    factor: float = 1.0
    pods: float = 0.03
    nodes: float = 0.05
    jitter: float = 0.05
    requests: float = 150.0
    counted: bool = False
    gauge: bool = False


def used(seed: int, use: Use, fleet: Fleet = FLEET) -> tuple[Release, FootprintBins]:
    """A release (whose latency nobody asks for) and the table of what it used."""
    rng = np.random.default_rng(seed)
    release = draw(rng, fleet)
    table, units = release.table, release.units
    shape = table.lost.shape
    n = rng.poisson(use.requests, shape).astype(np.float64)
    node = np.array([int(u.node[1:]) for u in units])
    level = rng.normal(0.0, use.pods, (shape[0], 1)) + rng.normal(0.0, use.nodes, fleet.nodes)[node][:, None]
    level = level + autoregression(rng, shape[0], shape[1], 0.7, use.jitter)
    level = level + autoregression(rng, 1, shape[1], 0.9, 0.1)
    canary = np.array([u.arm is Arm.CANARY for u in units])
    mean = use.cost * np.exp(level) * np.where(canary, use.factor, 1.0)[:, None]
    if use.gauge:
        amount, n = mean, np.ones(shape)
    else:
        amount = rng.poisson(mean * n).astype(float) if use.counted else mean * rng.gamma(np.maximum(n, 1e-9))
    ready = np.array([u.ready for u in units])
    at = table.first + np.arange(shape[1])
    lost = table.lost | (at < ready[:, None])
    fleet_n = np.full(shape[1], 20.0 if use.gauge else 2000.0)
    return release, FootprintBins(
        table.ids,
        table.first,
        np.where(lost, 0.0, amount),
        np.where(lost, 0.0, n),
        lost,
        fleet_n,
        use.gauge,
    )


def part(bins: FootprintBins, begin: int, end: int) -> FootprintBins:
    cut = slice(begin - bins.first, end - bins.first)
    return FootprintBins(
        bins.ids,
        begin,
        bins.use[:, cut],
        bins.requests[:, cut],
        bins.lost[:, cut],
        bins.fleet[cut],
        bins.gauge,
    )


def taken_in(release: Release, bins: FootprintBins, looks: range) -> FootprintState:
    """The state after looks that end at these bins."""
    state = footprint.begin(release.frame(T0), part(bins, bins.first, T0))
    begin = T0
    for end in looks:
        state = footprint.absorb(state, release.frame(end - 1), part(bins, begin, end))
        begin = end
    return state


def said(release: Release, state: FootprintState, now: int, metric: Metric = CPU) -> Footprint:
    """What is told after bin `now`."""
    frame = release.frame(now)
    finding, use = footprint.judge(state, frame, metric.margins)
    told = extrapolated(registration(metrics=(metric,)), frame, metric, Answer(finding, use=use))
    assert told is not None
    return told


def after(seed: int, use: Use, bins: int = 20, metric: Metric = CPU, fleet: Fleet = FLEET) -> Footprint:
    """What is told so many bins after the first stage began, looked at every second bin."""
    release, table = used(seed, use, fleet)
    state = taken_in(release, table, range(T0 + 2, T0 + bins + 1, 2))
    return said(release, state, T0 + bins - 1, metric)
