"""What disturbs a service that nobody touched, and what a bad version does to it.

Effects on latency are logarithms: .05 is 5% slower. Times are seconds, rates
per second or, where they say so, per hour.
"""

from __future__ import annotations

from dataclasses import dataclass

OTEL_EDGES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Bucket edges that OpenTelemetry recommends for `http.server.request.duration`, in seconds."""


@dataclass(frozen=True, slots=True)
class Wander:
    """A stationary AR(1) path: standard deviation, and seconds until correlation is 1/e."""

    sd: float = 0.0
    memory: float = 60.0


@dataclass(frozen=True, slots=True)
class Bursts:
    """Spells at random times: how many an hour, how strong (log), how long."""

    per_hour: float = 0.0
    size: float = 0.0
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that hits the whole service alike, whichever version: slower and more errors (logs).

    nodes: it slows these alone; none named: all.
    """

    start: float
    seconds: float
    slower: float = 0.0
    errors: float = 0.0
    crashes: float = 0.0
    nodes: tuple[str, ...] = ()

    def on(self, time: float) -> bool:
        """Is it on?"""
        return self.start <= time < self.start + self.seconds


@dataclass(frozen=True, slots=True)
class Answers:
    """Latency of an undisturbed pod. shape "lognormal" or "loglogistic"; a share of slow requests on top.

    slow_factor: how many times as long a slow request takes.
    """

    shape: str = "lognormal"
    median: float = 0.08
    spread: float = 0.6
    slow_share: float = 0.01
    slow_factor: float = 6.0
    edges: tuple[float, ...] = OTEL_EDGES


@dataclass(frozen=True, slots=True)
class Load:
    """Requests of the whole service. imbalance: sd of the log of a pod's share.

    leak: share of the baseline's requests that stable serves instead, whatever the weights say.
    """

    per_second: float = 200.0
    wander: Wander = Wander()
    diurnal: float = 0.0
    imbalance: float = 0.02
    leak: float = 0.0


@dataclass(frozen=True, slots=True)
class Unevenness:
    """How latency differs between pods and over time.

    pods: sd of the pod lottery, t-distributed with `pods_df`; fresh_pods multiplies it for the arms.
    nodes: sd of constant node offsets; drift: of each node's own path; wobble: of the service's; jitter: of
    each pod's. age: how much slower the arms are than stable for being young. cold: slowdown at a start,
    fading over cold_memory. crowding: log slowdown per log unit of load per pod.
    """

    pods: float = 0.03
    pods_df: float = 4.0
    fresh_pods: float = 1.0
    nodes: float = 0.03
    drift: Wander = Wander(0.01, 300.0)
    wobble: Wander = Wander(0.05, 120.0)
    jitter: Wander = Wander(0.02, 30.0)
    bursts: Bursts = Bursts()
    age: float = 0.0
    cold: float = 0.3
    cold_memory: float = 15.0
    crowding: float = 0.0


@dataclass(frozen=True, slots=True)
class Failures:
    """Errors and crashes of an undisturbed service.

    pods: sd of the log error rate between pods. wobble: of the whole service over time. cold: log factor at
    a pod's start, fading over cold_memory. crashes: per pod and hour.
    """

    share: float = 0.002
    pods: float = 0.15
    wobble: Wander = Wander(0.2, 120.0)
    cold: float = 0.0
    cold_memory: float = 60.0
    crashes: float = 0.01


@dataclass(frozen=True, slots=True)
class Scraping:
    """What telemetry loses. lost: share of scrapes; outages: (start, seconds) in which nothing arrives."""

    lost: float = 0.0
    outages: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Consumption:
    """What pods use; nothing of a kind that is 0 is ever measured.

    cpu: seconds a request; idle: seconds a second of a pod that serves nothing. calls: to a backend, a
    request. memory: bytes in a warm pod. pods, nodes: sd of the log between pods and between nodes. jitter:
    of each pod's path in time.
    """

    cpu: float = 0.0
    idle: float = 0.0
    calls: float = 0.0
    memory: float = 0.0
    pods: float = 0.0
    nodes: float = 0.0
    jitter: Wander = Wander()

    @property
    def measured(self) -> bool:
        """Somebody looks at any of it."""
        return bool(self.cpu or self.calls or self.memory)


@dataclass(frozen=True, slots=True)
class Climate:
    """All of it."""

    answers: Answers = Answers()
    load: Load = Load()
    unevenness: Unevenness = Unevenness()
    failures: Failures = Failures()
    scraping: Scraping = Scraping()
    incidents: tuple[Incident, ...] = ()
    consumption: Consumption = Consumption()


@dataclass(frozen=True, slots=True)
class Harm:
    """What a version does to its own pods and to others.

    slower: log factor on latency. tail: factor on the share of slow requests. errors: added share of failed
    requests. crashes: per pod and hour. crash_after: seconds from each start to a crash, 0 never. leak: log
    slowdown per minute of a pod's life. neighbours: log slowdown of other pods on its nodes, or in its zones
    where `far`. backend: log slowdown of everybody at a full share of traffic. onset: seconds from its first
    ready pod on without harm.
    zone: the only one in which it does harm, "" everywhere. cpu, calls, memory: factors on what it uses.
    """

    slower: float = 0.0
    tail: float = 1.0
    errors: float = 0.0
    crashes: float = 0.0
    crash_after: float = 0.0
    leak: float = 0.0
    neighbours: float = 0.0
    backend: float = 0.0
    onset: float = 0.0
    zone: str = ""
    cpu: float = 1.0
    far: bool = False
    calls: float = 1.0
    memory: float = 1.0


HARMLESS = Harm()
