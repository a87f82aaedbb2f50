"""The simulated service: what every pod served in a span of time.

One step is one span of any width: a bin where tables are enough, a fraction of
a scrape interval where raw samples are wanted. Both see the same weather.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.simulation.chance import Walks, draws
from causal_rollouts.analysis.simulation.climate import HARMLESS, Climate, Harm, Incident, Load
from causal_rollouts.analysis.simulation.latency import bucket_shares
from causal_rollouts.analysis.simulation.roster import Roster, enrol
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.traffic import Weights

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BACKOFF = 10.0
"""Seconds before the second restart in a row, doubled each time as the kubelet does."""

BACKOFF_AT_MOST = 300.0
START_UP = 5.0
"""Seconds from a restart until the process serves."""

CALM = 600.0
"""Seconds of running after which the kubelet forgets earlier crashes."""

MOST_ERRORS = 0.9
"""No more than this share of requests fails."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happened, by pod: requests per bucket, failed requests, restarts; and who served at its end."""

    counts: Floats
    errors: Floats
    restarts: Floats
    up: Bools


class World:
    """A cluster with its weather. harm_of says what version a pod runs, by what it does."""

    def __init__(
        self, climate: Climate, seed: int, harm_of: Callable[[Pod], Harm] = lambda _: HARMLESS
    ) -> None:
        self._climate = climate
        self._seed = seed
        self._harm_of = harm_of
        self._roster: Roster | None = None
        self._key: object = None
        uneven = climate.unevenness
        self._drift = Walks(uneven.drift, draws(seed, "drift"))
        self._wobble = Walks(uneven.wobble, draws(seed, "wobble"))
        self._jitter = Walks(uneven.jitter, draws(seed, "jitter"))
        self._failing = Walks(climate.failures.wobble, draws(seed, "failing"))
        self._load = Walks(climate.load.wander, draws(seed, "load"))
        self._rng = draws(seed, "requests")
        self._luck = draws(seed, "luck")

    def strike(self, incident: Incident) -> None:
        """Something hits the whole service, in addition to what the climate has."""
        self._climate = replace(self._climate, incidents=(*self._climate.incidents, incident))

    def step(self, start: float, width: float, pods: Sequence[Pod], weights: Weights) -> Step:
        """Serve for `width` seconds from `start` with these pods and weights in force."""
        roster = self._enrolled(pods)
        up = roster.up(start)
        requests = self._requests(roster, up, start, width, weights)
        level = self._level(roster, up, start, width, weights, requests / width)
        slow = np.minimum(self._slow(roster, start), 0.5)
        counts = self._rng.multinomial(
            requests.astype(np.int64), bucket_shares(self._climate.answers, level, slow)
        ).astype(np.float64)
        failing = np.clip(self._failing_share(roster, start, width), 0.0, MOST_ERRORS)
        errors = self._rng.binomial(requests.astype(np.int64), failing).astype(np.float64)
        restarts = self._crash(roster, up, start, width)
        return Step(counts, errors, restarts, roster.up(start + width))

    def _enrolled(self, pods: Sequence[Pod]) -> Roster:
        key = tuple(pods)
        if self._roster is None or key != self._key:
            self._roster = enrol(key, self._climate, self._seed, self._harm_of, self._roster)
            self._key = key
        return self._roster

    def _requests(self, roster: Roster, up: Bools, start: float, width: float, weights: Weights) -> Floats:
        load = self._climate.load
        swing = float(np.exp(self._load.step(("service",), width)[0] - load.wander.sd**2 / 2.0))
        day = 1.0 + load.diurnal * np.sin(2.0 * np.pi * start / 86400.0)
        rate = np.zeros(up.size)
        for arm in Arm:
            part = roster.balance * (roster.arms[arm] & up)
            total = part.sum()
            if total > 0.0:
                rate += load.per_second * swing * day * _reaching(load, weights, arm) * part / total
        return np.asarray(self._rng.poisson(rate * width), dtype=np.float64)

    def _level(
        self, roster: Roster, up: Bools, start: float, width: float, weights: Weights, rate: Floats
    ) -> Floats:
        uneven = self._climate.unevenness
        level: Floats = roster.level + self._drift.step(roster.nodes, width)[roster.node]
        level = level + self._wobble.step(("service",), width)[0] + self._jitter.step(roster.names, width)
        age = np.maximum(start - roster.started, 0.0)
        level += roster.cold * np.exp(-age / uneven.cold_memory)
        level += self._bursting(roster, start, width)
        if uneven.crowding:
            stable = max(int(roster.arms[Arm.STABLE].sum()), 1)
            usual = self._climate.load.per_second / stable
            level += uneven.crowding * np.log(np.maximum(rate, 0.1 * usual) / usual)
        for incident in self._climate.incidents:
            if incident.on(start):
                level += incident.slower * _hit(incident, roster)
        level += self._harmed(roster, up, start, weights)
        return level

    def _harmed(self, roster: Roster, up: Bools, start: float, weights: Weights) -> Floats:
        hurt = np.zeros(up.size)
        for harm, mine in self._versions(roster, start):
            minutes = np.maximum(start - roster.started, 0.0) / 60.0
            hurt += mine * (harm.slower + harm.leak * minutes)
            if harm.neighbours:
                place = np.array([pod.zone for pod in roster.pods]) if harm.far else roster.node
                crowded = np.isin(place, place[mine & up])
                hurt += harm.neighbours * (crowded & ~mine)
            share = sum(weights.share(arm) for arm in Arm if (roster.arms[arm] & mine).any())
            hurt += harm.backend * min(share, 1.0)
        return hurt

    def _versions(self, roster: Roster, start: float) -> list[tuple[Harm, Bools]]:
        """Each harm that is on, with the pods that run it."""
        return [
            (harm, mine)
            for harm, mine in roster.versions
            if start >= float(roster.ready[mine].min()) + harm.onset
        ]

    def _slow(self, roster: Roster, start: float) -> Floats:
        factor = np.ones(len(roster.names))
        for harm, mine in self._versions(roster, start):
            factor[mine] *= harm.tail
        share: Floats = self._climate.answers.slow_share * factor
        return share

    def _failing_share(self, roster: Roster, start: float, width: float) -> Floats:
        failures = self._climate.failures
        age = np.maximum(start - roster.started, 0.0)
        cold = failures.cold * np.exp(-age / failures.cold_memory)
        log = roster.errors + cold + self._failing.step(("service",), width)[0]
        log += sum(i.errors for i in self._climate.incidents if i.on(start))
        added = np.zeros(log.size)
        for harm, mine in self._versions(roster, start):
            added += harm.errors * mine
        share: Floats = failures.share * np.exp(log) + added
        return share

    def _bursting(self, roster: Roster, start: float, width: float) -> Floats:
        bursts = self._climate.unevenness.bursts
        if not bursts.per_hour:
            return np.zeros(len(roster.names))
        begins = self._luck.random(len(roster.names)) < bursts.per_hour * width / 3600.0
        length = bursts.seconds * self._luck.exponential(size=len(roster.names))
        roster.slow_until[begins] = start + length[begins]
        return (roster.slow_until > start).astype(np.float64) * bursts.size

    def _crash(self, roster: Roster, up: Bools, start: float, width: float) -> Floats:
        hazard = np.full(up.size, self._climate.failures.crashes)
        hazard += sum(i.crashes for i in self._climate.incidents if i.on(start))
        due = np.zeros(up.size, dtype=np.bool_)
        for harm, mine in self._versions(roster, start):
            hazard = hazard + harm.crashes * mine
            if harm.crash_after:
                due |= mine & (start + width - roster.started >= harm.crash_after)
        struck = up & (due | (self._luck.random(up.size) < -np.expm1(-hazard * width / 3600.0)))
        if struck.any():
            end = start + width
            in_a_row = np.where(end - roster.started > CALM, 0.0, roster.crashes)
            wait = np.where(in_a_row > 0, np.minimum(BACKOFF * 2.0 ** (in_a_row - 1), BACKOFF_AT_MOST), 0.0)
            back = end + wait + START_UP
            roster.crashes = np.where(struck, in_a_row + 1.0, roster.crashes)
            roster.down = np.where(struck, back, roster.down)
            roster.started = np.where(struck, back, roster.started)
        return struck.astype(np.float64)


def _reaching(load: Load, weights: Weights, arm: Arm) -> float:
    """Share of requests that an arm really gets."""
    share = weights.share(arm)
    if arm is Arm.BASELINE:
        return share * (1.0 - load.leak)
    return share + load.leak * weights.share(Arm.BASELINE) if arm is Arm.STABLE else share


def _hit(incident: Incident, roster: Roster) -> Floats:
    """1 for the pods that it slows."""
    if not incident.nodes:
        return np.ones(len(roster.names))
    found: Floats = np.isin(roster.nodes, incident.nodes)[roster.node].astype(np.float64)
    return found
