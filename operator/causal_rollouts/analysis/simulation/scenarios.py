"""The scenarios of the calibration: nulls that must not revert, harms that must.

Sizes of fleet, traffic and noise are drawn anew for every run, so that a
figure holds for services and not for one service. Frozen before the first
calibration run; a scenario that changes gets a new name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from causal_rollouts.analysis.simulation import changes
from causal_rollouts.analysis.simulation.changes import Draw
from causal_rollouts.analysis.simulation.climate import (
    Answers,
    Climate,
    Failures,
    Harm,
    Load,
    Unevenness,
    Wander,
)
from causal_rollouts.analysis.simulation.latency import edge_with_share
from causal_rollouts.analysis.simulation.setting import Setting, metrics

SLOW = 0.01
"""Share of requests that are slow before a release; the recipe takes the edge nearest to it."""


class Kind(StrEnum):
    """What a run of the scenario must not do."""

    NULL = "null"
    HARM = "harm"
    MARGIN = "margin"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A recipe for settings.

    kind: a null must not revert, a harm must, a release at the safe margin must not be promoted.
    """

    name: str
    kind: Kind
    what: str
    change: Draw

    def draw(self, rng: np.random.Generator) -> Setting:
        """A setting of this scenario."""
        return self.change(usual(rng), rng)


def usual(rng: np.random.Generator) -> Setting:
    """An ordinary service on an ordinary cluster, with nothing wrong."""
    replicas = int(rng.integers(8, 51))
    per_pod = math.exp(rng.uniform(math.log(5.0), math.log(25.0)))
    climate = Climate(
        answers=Answers(
            shape=str(rng.choice(["lognormal", "loglogistic"])),
            median=math.exp(rng.uniform(math.log(0.02), math.log(0.2))),
            spread=float(rng.uniform(0.4, 0.8)),
            slow_share=math.exp(rng.uniform(math.log(0.002), math.log(0.02))),
            slow_factor=float(rng.uniform(4.0, 10.0)),
        ),
        load=Load(replicas * per_pod, Wander(float(rng.uniform(0.02, 0.15)), 300.0), 0.3),
        unevenness=_usual_unevenness(rng),
        failures=Failures(
            share=math.exp(rng.uniform(math.log(2e-4), math.log(5e-3))),
            pods=float(rng.uniform(0.05, 0.2)),
            wobble=Wander(float(rng.uniform(0.1, 0.4)), float(rng.uniform(30.0, 300.0))),
            cold=float(rng.uniform(0.0, 0.4)),
        ),
    )
    nodes = int(rng.integers(4, 17))
    over = edge_with_share(climate.answers, SLOW)
    return Setting(climate, replicas=replicas, nodes=nodes, metrics=metrics(over))


def _usual_unevenness(rng: np.random.Generator) -> Unevenness:
    return Unevenness(
        pods=float(rng.uniform(0.015, 0.05)),
        pods_df=float(rng.choice([4.0, 6.0, 12.0])),
        nodes=float(rng.uniform(0.0, 0.05)),
        drift=Wander(float(rng.uniform(0.0, 0.02)), float(rng.uniform(60.0, 600.0))),
        wobble=Wander(float(rng.uniform(0.02, 0.1)), float(rng.uniform(30.0, 300.0))),
        jitter=Wander(float(rng.uniform(0.005, 0.04)), float(rng.uniform(15.0, 60.0))),
        age=float(rng.normal(0.0, 0.03)),
        cold=float(rng.uniform(0.0, 0.6)),
        cold_memory=float(rng.uniform(5.0, 20.0)),
        crowding=float(rng.uniform(0.0, 0.1)),
    )


_SHOCK = changes.incident(slower=math.log(1.7), errors=math.log(3.0))
_ERRORS = changes.incident(errors=math.log(10.0))
_CRASHES = changes.incident(crashes=6.0)


def _slower(percent: float, onset: float = 0.0) -> Draw:
    return changes.harm(Harm(slower=math.log1p(percent / 100.0), onset=onset))


_TABLE: tuple[tuple[str, Kind, str, Draw], ...] = (
    ("plain", Kind.NULL, "nothing happens", changes.nothing),
    ("low-traffic", Kind.NULL, "0.2 to 1 request a second and pod", changes.low_traffic),
    ("missing", Kind.NULL, "2 to 15% of scrapes lost, an outage of 1 to 4 min", changes.missing),
    ("shock", Kind.NULL, "the service 70% slower, errors x3, for 2 to 15 min", _SHOCK),
    (
        "error-burst",
        Kind.NULL,
        "errors of all arms x10 for 2 to 15 min",
        changes.incident(errors=math.log(10)),
    ),
    (
        "restart-incident",
        Kind.NULL,
        "every pod crashes 6 an hour for 2 to 15 min",
        changes.incident(crashes=6.0),
    ),
    ("drift", Kind.NULL, "nodes drift, sd 10%, 8 min memory", changes.drift(0.10, 490.0)),
    ("strong-drift", Kind.NULL, "nodes drift, sd 20%, 10 min memory", changes.drift(0.20, 590.0)),
    (
        "unequal-nodes",
        Kind.NULL,
        "nodes differ by sd 20%",
        changes.uneven(lambda u: replace(u, nodes=0.2)),
    ),
    ("few-nodes", Kind.NULL, "2 or 3 nodes", changes.few_nodes),
    ("small-fleet", Kind.NULL, "4 to 8 pods", changes.small_fleet),
    (
        "slow-jitter",
        Kind.NULL,
        "pods wander, sd 5%, 2.4 min memory",
        changes.uneven(lambda u: replace(u, jitter=Wander(0.05, 142.0))),
    ),
    (
        "uneven-fresh",
        Kind.NULL,
        "arms draw a lottery twice as wide as stable",
        changes.uneven(lambda u: replace(u, fresh_pods=2.0)),
    ),
    (
        "slow-start",
        Kind.NULL,
        "fresh pods start at double latency, 40 s memory",
        changes.uneven(lambda u: replace(u, cold=0.7, cold_memory=40.0)),
    ),
    (
        "cold-errors",
        Kind.NULL,
        "errors of fresh pods x3, 5 min memory",
        changes.failing(lambda f: replace(f, cold=math.log(3.0), cold_memory=300.0)),
    ),
    (
        "no-errors",
        Kind.NULL,
        "a service without a single error",
        changes.failing(lambda f: replace(f, share=0.0)),
    ),
    ("pod-bursts", Kind.NULL, "each pod doubles its latency 2 times an hour", changes.bursts(2.0, 0.7, 60.0)),
    ("turnover", Kind.NULL, "a fifth to all stable pods are replaced in an hour", changes.turnover),
    ("surge", Kind.NULL, "load swings by half, pods slow down under it", changes.surge),
    ("diurnal", Kind.NULL, "load of any hour of a day that doubles and halves it", changes.diurnal),
    ("crowded", Kind.NULL, "pods slow down under the load that the weights move", changes.crowded),
    ("autoscaled", Kind.NULL, "the fleet grows by half in a stage and shrinks again", changes.autoscaled),
    ("evicted", Kind.NULL, "every pod of an arm is replaced once or twice an hour", changes.evicted),
    (
        "unsteady",
        Kind.NULL,
        "every pod of an arm is replaced each 2 to 4 minutes and starts twice as slow",
        changes.unsteady,
    ),
    (
        "footprint+50%",
        Kind.NULL,
        "half as much processor time again, and nothing else",
        changes.using(Harm(cpu=1.5)),
    ),
    (
        "calls-x3",
        Kind.NULL,
        "the candidate asks its backend three times where stable asks once, and nothing else",
        changes.using(Harm(calls=3.0)),
    ),
    (
        "memory+50%",
        Kind.NULL,
        "half as much memory again, and nothing else",
        changes.using(Harm(memory=1.5)),
    ),
    (
        "even-use",
        Kind.NULL,
        "use is measured, and the candidate needs what stable needs",
        changes.using(Harm()),
    ),
    (
        "slow-nodes",
        Kind.NULL,
        "a third of the nodes slow down by a fifth before the release",
        changes.slow_nodes,
    ),
    (
        "lasting-incident",
        Kind.NULL,
        "the service 20 to 70% slower for an hour or more",
        changes.lasting_incident,
    ),
    ("slower-2%", Kind.NULL, "the candidate is 2% slower: inside the null", _slower(2.0)),
    ("faster-10%", Kind.NULL, "the candidate is 10% faster", _slower(-10.0)),
    ("latency+10%", Kind.MARGIN, "exactly at the safe margin of latency", _slower(10.0)),
    ("errors-at-margin", Kind.MARGIN, "exactly at the safe margin of errors", changes.errors_at_margin),
    ("latency+25%", Kind.HARM, "the candidate is 25% slower", _slower(25.0)),
    ("latency+50%", Kind.HARM, "the candidate is 50% slower", _slower(50.0)),
    (
        "latency+25%-low-traffic",
        Kind.HARM,
        "25% slower at 0.2 to 1 request a second and pod",
        changes.both(changes.low_traffic, _slower(25.0)),
    ),
    ("latency+25%-shock", Kind.HARM, "25% slower, and a shock", changes.both(_SHOCK, _slower(25.0))),
    ("latency+25%-late", Kind.HARM, "25% slower from 10 min on", _slower(25.0, onset=600.0)),
    ("leak", Kind.HARM, "2% slower with every minute", changes.harm(Harm(leak=0.02))),
    ("tail-x3", Kind.HARM, "three times as many slow requests", changes.harm(Harm(tail=3.0))),
    ("errors+0.5pp", Kind.HARM, "0.5 points more errors", changes.harm(Harm(errors=0.005))),
    ("errors+2pp", Kind.HARM, "2 points more errors", changes.harm(Harm(errors=0.02))),
    ("crash-6/h", Kind.HARM, "6 crashes per pod and hour", changes.harm(Harm(crashes=6.0))),
    ("crash-1/h", Kind.HARM, "1 crash per pod and hour", changes.harm(Harm(crashes=1.0))),
    ("crash-loop", Kind.HARM, "each process dies after 40 s", changes.harm(Harm(crash_after=40.0))),
    (
        "neighbours+25%",
        Kind.HARM,
        "pods beside a canary are 25% slower",
        changes.harm(Harm(neighbours=math.log(1.25))),
    ),
    (
        "zone-a+100%",
        Kind.HARM,
        "twice as slow in one of three zones",
        changes.harm(Harm(slower=math.log(2.0), zone="zone-a")),
    ),
    ("shared-backend", Kind.HARM, "everybody slows down with the share", changes.harm(Harm(backend=1.0))),
    (
        "load-imbalance",
        Kind.NULL,
        "a canary pod serves 20% more than a baseline pod, pods slow down under load",
        changes.lopsided,
    ),
    (
        "ring-too-narrow",
        Kind.HARM,
        "every pod in a zone with a canary is 25% slower, beside it or not",
        changes.harm(Harm(neighbours=math.log(1.25), far=True)),
    ),
)


SCENARIOS: Mapping[str, Scenario] = {row[0]: Scenario(*row) for row in _TABLE}
"""By name."""
