"""A fleet as Prometheus shows it: raw cumulative samples per pod, scraped at each pod's own phase.

Written from the words of the design and of Prometheus, not from the reader's code. Truth (requests by
scrape interval) is kept beside the samples.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from scipy.special import ndtr

from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.metrics import Gating, Margins, Matcher, Metric, MetricKind
from causal_rollouts.model.registration import Budget, Registration, Stage, Times
from causal_rollouts.model.telemetry import Look, Series, Telemetry
from causal_rollouts.model.traffic import Change, Weights

GRID = Grid(width=15.0, delay=17.0, scrape=7.5)
EDGES = (0.0, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5)
EPOCH = 1_700_000_010.0  # start of a bin
HISTOGRAM = "http_server_request_duration_seconds"
COUNTER = "http_server_requests_total"

LATENCY = Metric("latency", MetricKind.LATENCY, HISTOGRAM, Margins(0.05, 0.10), Gating.BOTH)
SLOW = Metric("slow", MetricKind.SLOW, HISTOGRAM, Margins(0.5, 1.5), Gating.REVERT_ONLY, over=0.25)
TAIL = Metric("tail", MetricKind.TAIL, HISTOGRAM, Margins(0.5, 1.5), Gating.REVERT_ONLY, share=0.0015)
ERRORS = Metric(
    "errors",
    MetricKind.ERRORS,
    COUNTER,
    Margins(0.25, 0.5, revert_above_points=0.001, promote_below_points=0.003),
    Gating.BOTH,
    bad=(Matcher((("code", "5.."),)),),
)
RESTARTS = Metric("restarts", MetricKind.RESTARTS, "", Margins(1.0, 2.0), Gating.REVERT_ONLY)
METRICS = (LATENCY, SLOW, TAIL, ERRORS, RESTARTS)


@dataclass(frozen=True)
class World:
    """Sizes, and what the candidate does: slower (log latency), errors added, restarts an hour."""

    seed: int = 1
    stable: int = 10
    canaries: tuple[int, ...] = (3, 4)
    nodes: int = 5
    history: int = 60
    stage_bins: int = 24
    rps: float = 200.0
    slower: float = 0.0
    more_errors: float = 0.0
    crashes: float = 0.0
    base_errors: float = 0.005
    pod_sd: float = 0.004
    metrics: tuple[Metric, ...] = METRICS
    weights: tuple[int, ...] = (200, 350)

    @property
    def t0_time(self) -> float:
        return EPOCH + self.history * GRID.width

    @property
    def bins(self) -> int:
        return self.history + self.stage_bins * len(self.canaries)

    @property
    def end(self) -> float:
        return EPOCH + self.bins * GRID.width

    def registration(self) -> Registration:
        stages = tuple(Stage(w, 300, 1800) for w in self.weights)
        times = Times(history=(self.history - 2) * GRID.width)
        return Registration(
            "r1", "shop", "checkout", 1, GRID, stages, self.metrics, budget=Budget(), times=times
        )


@dataclass
class Run:
    """One release: roster, timeline and all samples; `telemetry(since, until)` is what a source answers."""

    world: World
    pods: tuple[Pod, ...]
    timeline: tuple[Change, ...]
    histogram: list[Series]
    counter: list[Series]
    restarts: list[Series]
    problems: dict[str, str] = field(default_factory=dict)

    def telemetry(self, since: float, until: float) -> Telemetry:
        """What the source answers for (since, until]; series without samples are not there."""
        cut = {
            HISTOGRAM: tuple(c for s in self.histogram if (c := _cut(s, since, until)).times),
            COUNTER: tuple(c for s in self.counter if (c := _cut(s, since, until)).times),
            "": tuple(c for s in self.restarts if (c := _cut(s, since, until)).times),
        }
        return Telemetry({m.name: cut[m.series] for m in self.world.metrics}, self.problems)

    def look(self, index: int, **more: object) -> Look:
        """The look that has bin `index` of the run as its newest."""
        last = GRID.index(EPOCH) + index
        return Look(time=GRID.final_at(last), last_final=last, **more)


def _cut(series: Series, since: float, until: float) -> Series:
    kept = slice(bisect_left(series.times, since), bisect_right(series.times, until))
    return Series(series.labels, series.times[kept], series.values[kept])


def make(world: World) -> Run:
    """Draw a release; the same world gives the same samples."""
    drawn = _drawn(world)
    return replace(drawn, problems={})


@cache
def _drawn(world: World) -> Run:
    rng = np.random.default_rng(world.seed)
    pods, timeline = _roster(world), _timeline(world)
    run = Run(world, pods, timeline, [], [], [])
    node_level = dict(
        zip([f"n{i}" for i in range(world.nodes)], rng.normal(0, 0.02, world.nodes), strict=True)
    )
    for pod in pods:
        _scrape_pod(rng, world, run, pod, node_level[pod.node])
    return run


def _roster(world: World) -> tuple[Pod, ...]:
    pods = [
        Pod(f"web-{i}", f"uid-{i}", Arm.STABLE, f"uid-{i}", f"n{i % world.nodes}", "z",
            EPOCH - 7200, EPOCH - 7190)
        for i in range(world.stable)
    ]  # fmt: skip
    have = 0
    for k, count in enumerate(world.canaries):
        made = world.t0_time + k * world.stage_bins * GRID.width - 40.0
        for i in range(have, count):
            for arm, shift in ((Arm.CANARY, 0), (Arm.BASELINE, 1)):
                node = f"n{(i + shift) % max(1, world.nodes - 2)}"
                name = f"web-{arm}-{i}"
                pods.append(Pod(f"{name}-x", f"uid-{name}", arm, f"{arm}-{i}", node, "z", made, made + 20.0))
        have = count
    return tuple(pods)


def _timeline(world: World) -> tuple[Change, ...]:
    changes = []
    for k, weight in enumerate(world.weights[: len(world.canaries)]):
        at = world.t0_time + k * world.stage_bins * GRID.width - 3.0
        changes.append(Change(at, k, Weights(weight, weight), "Shifting"))
    return tuple(changes)


def _share(world: World, run: Run, pod: Pod, time: float) -> float:
    """Requests a second that a pod gets."""
    held = [c.weights for c in run.timeline if c.time <= time]
    weights = held[-1] if held else Weights(0, 0)
    live = [p for p in run.pods if p.arm is pod.arm and p.ready is not None and p.ready <= time]
    return world.rps * weights.share(pod.arm) / max(1, len(live))


def _scrape_pod(rng: np.random.Generator, world: World, run: Run, pod: Pod, level: float) -> None:
    canary = pod.arm is Arm.CANARY
    mu = np.log(0.06) + level + rng.normal(0, world.pod_sd) + (world.slower if canary else 0.0)
    start = max(EPOCH - 3 * GRID.scrape, pod.created + 4.0)
    times = np.arange(start + rng.uniform(0, GRID.scrape), world.end, GRID.scrape) + rng.normal(0, 0.01)
    times = np.round(times, 3)
    errors = world.base_errors + (world.more_errors if canary else 0.0)
    edges = np.array(EDGES[1:])
    p = np.diff(ndtr((np.log(edges) - mu) / 0.5), prepend=0.0, append=1.0)
    rate = np.array([_share(world, run, pod, t) for t in times])
    requests = rng.poisson(rate * GRID.scrape)
    if pod.arm is not Arm.STABLE:
        requests = np.where(times < (pod.ready or 0), 0, requests)
    buckets = np.cumsum(rng.multinomial(requests, p), axis=0)
    bad = np.cumsum(rng.binomial(requests, errors))
    crash = rng.poisson((world.crashes if canary else 0.0) * GRID.scrape / 3600.0, len(times))
    old = pod.arm is Arm.STABLE
    where = {"pod": pod.name, "namespace": "shop", "instance": f"10.0.0.{len(run.restarts)}:80", "job": "web"}
    base = 1000.0 if old else 0.0
    cumulative = np.cumsum(np.concatenate((np.zeros((len(times), 1)), buckets), axis=1), axis=1)
    for k, edge in enumerate((*EDGES, np.inf)):
        labels = {"__name__": f"{HISTOGRAM}_bucket", "le": "+Inf" if np.isinf(edge) else repr(edge), **where}
        values = cumulative[:, k] + (base if k > 0 else 0.0)
        run.histogram.append(Series(labels, times.tolist(), values.astype(float).tolist()))
    good = np.cumsum(requests) - bad
    for code, values in (("200", good + base), ("503", bad + (7.0 if old else 0.0))):
        labels = {"__name__": COUNTER, "code": code, **where}
        seen = values > 0
        run.counter.append(Series(labels, times[seen].tolist(), values[seen].astype(float).tolist()))
    ksm = np.round(np.arange(max(EPOCH - 20, pod.created + 5), world.end, GRID.scrape), 3)
    restarts = np.interp(ksm, times, np.cumsum(crash)).astype(int).astype(float)
    labels = {
        "__name__": "kube_pod_container_status_restarts_total",
        "container": "web", "pod": pod.name, "namespace": "shop", "instance": "ksm:8080", "job": "ksm",
    }  # fmt: skip
    run.restarts.append(Series(labels, ksm.tolist(), restarts.tolist()))


def with_series(run: Run, change: object) -> Run:
    """The run with `change(series)` in place of each series; None drops it, a list adds."""

    def changed(series: list[Series]) -> list[Series]:
        out: list[Series] = []
        for one in series:
            new = change(one)
            out += new if isinstance(new, list) else [] if new is None else [new]
        return out

    return replace(
        run,
        histogram=changed(run.histogram),
        counter=changed(run.counter),
        restarts=changed(run.restarts),
    )
