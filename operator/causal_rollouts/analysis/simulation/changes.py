"""What a scenario changes in an ordinary setting."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from causal_rollouts.analysis.simulation.climate import (
    Bursts,
    Consumption,
    Failures,
    Harm,
    Incident,
    Scraping,
    Unevenness,
    Wander,
)
from causal_rollouts.analysis.simulation.fleet import places
from causal_rollouts.analysis.simulation.setting import FOOTPRINTS, Setting

Draw = Callable[[Setting, np.random.Generator], Setting]


def nothing(setting: Setting, _: np.random.Generator) -> Setting:
    """An ordinary service."""
    return setting


def both(first: Draw, second: Draw) -> Draw:
    """Two changes, one after the other."""
    return lambda setting, rng: second(first(setting, rng), rng)


def harm(one: Harm) -> Draw:
    """The candidate is bad in this way."""
    return lambda setting, _: replace(setting, harm=one)


def uneven(change: Callable[[Unevenness], Unevenness]) -> Draw:
    """Other pods, nodes or weather."""

    def changed(setting: Setting, _: np.random.Generator) -> Setting:
        climate = replace(setting.climate, unevenness=change(setting.climate.unevenness))
        return replace(setting, climate=climate)

    return changed


def failing(change: Callable[[Failures], Failures]) -> Draw:
    """Other errors and crashes."""

    def changed(setting: Setting, _: np.random.Generator) -> Setting:
        climate = replace(setting.climate, failures=change(setting.climate.failures))
        return replace(setting, climate=climate)

    return changed


def incident(slower: float = 0.0, errors: float = 0.0, crashes: float = 0.0) -> Draw:
    """One incident of the whole service, 2 to 15 min long, in the first 25 min of the release."""

    def changed(setting: Setting, rng: np.random.Generator) -> Setting:
        start = setting.begin + float(rng.uniform(60.0, 1500.0))
        one = Incident(start, float(rng.uniform(120.0, 900.0)), slower, errors, crashes)
        return replace(setting, climate=replace(setting.climate, incidents=(one,)))

    return changed


def lasting_incident(setting: Setting, rng: np.random.Generator) -> Setting:
    """The whole service 20 to 70% slower from some time in the release on, for one to three hours."""
    start = setting.begin + float(rng.uniform(300.0, 1800.0))
    slower = math.log(float(rng.uniform(1.2, 1.7)))
    one = Incident(start, float(rng.uniform(3600.0, 10800.0)), slower)
    return replace(setting, climate=replace(setting.climate, incidents=(one,)))


def slow_nodes(setting: Setting, rng: np.random.Generator) -> Setting:
    """A third of the nodes is a fifth slower, from 5 to 30 min before the release on and for good."""
    names = sorted(places(setting.nodes))
    chosen = rng.permutation(len(names))[: max(1, len(names) // 3)]
    start = setting.begin - float(rng.uniform(300.0, 1800.0))
    one = Incident(start, 86400.0, math.log(1.2), nodes=tuple(names[int(i)] for i in chosen))
    return replace(setting, climate=replace(setting.climate, incidents=(one,)))


def low_traffic(setting: Setting, rng: np.random.Generator) -> Setting:
    """0.2 to 1 request a second and pod."""
    return _per_pod(setting, float(rng.uniform(0.2, 1.0)))


def missing(setting: Setting, rng: np.random.Generator) -> Setting:
    """Scrapes get lost, and once nothing arrives for minutes."""
    away = (setting.begin + float(rng.uniform(200.0, 1500.0)), float(rng.uniform(60.0, 240.0)))
    scraping = Scraping(lost=float(rng.uniform(0.02, 0.15)), outages=(away,))
    return replace(setting, climate=replace(setting.climate, scraping=scraping))


def small_fleet(setting: Setting, rng: np.random.Generator) -> Setting:
    """4 to 8 pods with the load per pod of the larger fleet."""
    per_pod = setting.climate.load.per_second / setting.replicas
    return _per_pod(replace(setting, replicas=int(rng.integers(4, 9))), per_pod)


def few_nodes(setting: Setting, rng: np.random.Generator) -> Setting:
    """2 or 3 nodes: none is left without a canary."""
    return replace(setting, nodes=int(rng.integers(2, 4)))


def turnover(setting: Setting, rng: np.random.Generator) -> Setting:
    """A fifth to all of the stable pods are replaced within an hour."""
    return replace(setting, turnover=float(setting.replicas * rng.uniform(0.2, 1.0)))


def surge(setting: Setting, _: np.random.Generator) -> Setting:
    """Load that swings by half, on pods that slow down under it."""
    load = replace(setting.climate.load, wander=Wander(0.5, 600.0))
    unevenness = replace(setting.climate.unevenness, crowding=0.3)
    return replace(setting, climate=replace(setting.climate, load=load, unevenness=unevenness))


def diurnal(setting: Setting, rng: np.random.Generator) -> Setting:
    """Load that doubles and halves within a day, at any hour, on pods that slow down under it."""
    load = replace(setting.climate.load, diurnal=0.5)
    unevenness = replace(setting.climate.unevenness, crowding=0.2)
    begin = setting.begin + setting.grid.width * float(rng.integers(86400 // int(setting.grid.width)))
    return replace(setting, begin=begin, climate=replace(setting.climate, load=load, unevenness=unevenness))


def crowded(setting: Setting, _: np.random.Generator) -> Setting:
    """Pods that slow down under load, so that moving weights off the fleet makes it faster."""
    unevenness = replace(setting.climate.unevenness, crowding=0.4)
    return replace(setting, climate=replace(setting.climate, unevenness=unevenness))


def lopsided(setting: Setting, rng: np.random.Generator) -> Setting:
    """A sixth of the baseline's requests goes to stable, so that canary pods serve 20% more each."""
    load = replace(setting.climate.load, leak=1.0 - 1.0 / 1.2)
    unevenness = replace(setting.climate.unevenness, crowding=float(rng.uniform(0.05, 0.2)))
    return replace(setting, climate=replace(setting.climate, load=load, unevenness=unevenness))


def autoscaled(setting: Setting, rng: np.random.Generator) -> Setting:
    """The fleet grows by a third to two thirds in a stage and shrinks again some minutes later."""
    by = max(1, round(setting.replicas * float(rng.uniform(0.33, 0.67))))
    up = float(rng.uniform(120.0, 900.0))
    down = up + float(rng.uniform(300.0, 900.0))
    return replace(setting, scaling=((up, by), (down, -by)))


def evicted(setting: Setting, rng: np.random.Generator) -> Setting:
    """Every pod of an arm is evicted once or twice an hour."""
    return replace(setting, arm_turnover=float(rng.uniform(1.0, 2.0)))


def unsteady(setting: Setting, rng: np.random.Generator) -> Setting:
    """Every pod of an arm is replaced each two to four minutes, and starts twice as slow."""
    started = uneven(lambda u: replace(u, cold=0.7, cold_memory=20.0))(setting, rng)
    return replace(started, arm_turnover=float(rng.uniform(15.0, 30.0)))


def using(one: Harm) -> Draw:
    """Processor time, calls and memory are measured; the candidate takes more, and is fine otherwise."""

    def changed(setting: Setting, rng: np.random.Generator) -> Setting:
        seconds = float(rng.uniform(0.2, 0.8)) * setting.climate.answers.median
        per_pod = setting.climate.load.per_second / setting.replicas
        consumption = Consumption(
            cpu=seconds,
            idle=float(rng.uniform(0.0, 0.2)) * seconds * per_pod,
            calls=float(rng.uniform(0.5, 3.0)),
            memory=float(rng.uniform(1e8, 1e9)),
            pods=float(rng.uniform(0.01, 0.05)),
            nodes=float(rng.uniform(0.0, 0.1)),
            jitter=Wander(float(rng.uniform(0.01, 0.05)), float(rng.uniform(30.0, 300.0))),
        )
        climate = replace(setting.climate, consumption=consumption)
        return replace(setting, climate=climate, metrics=(*setting.metrics, *FOOTPRINTS), harm=one)

    return changed


def drift(sd: float, memory: float) -> Draw:
    """Every node slows down and recovers on its own."""
    return uneven(lambda u: replace(u, drift=Wander(sd, memory)))


def bursts(per_hour: float, size: float, seconds: float) -> Draw:
    """Single pods are slow for a while."""
    return uneven(lambda u: replace(u, bursts=Bursts(per_hour, size, seconds)))


def errors_at_margin(setting: Setting, _: np.random.Generator) -> Setting:
    """Exactly as many more errors as the non-inferiority margin allows."""
    failures = setting.climate.failures
    base = failures.share * math.exp((failures.pods**2 + failures.wobble.sd**2) / 2.0)
    return replace(setting, harm=Harm(errors=max(0.5 * base, 0.003)))


def _per_pod(setting: Setting, rate: float) -> Setting:
    load = replace(setting.climate.load, per_second=setting.replicas * rate)
    return replace(setting, climate=replace(setting.climate, load=load))
