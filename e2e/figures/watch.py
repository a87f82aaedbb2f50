"""A release as it looks from outside: what the route says and who answered, a few times a second."""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import sqrt
from typing import Generic, Protocol, TypeVar

from e2e.demo.queue import QueueStats
from e2e.demo.traffic import LoadStats
from e2e.looking import sampled
from e2e.shop import Seen, Shop

EVERY = 0.5
SETTLES = 3.0
"""Seconds until counts of a load (written once a second) belong to the weights alone."""


S = TypeVar("S", LoadStats, QueueStats)
S_co = TypeVar("S_co", LoadStats, QueueStats, covariant=True)


class Counting(Protocol[S_co]):
    """A load or a queue: whatever counts what each arm did."""

    def stats(self) -> S_co: ...


@dataclass(frozen=True, slots=True)
class Sight(Generic[S]):
    """One look. stats: counts so far."""

    weights: Seen
    stats: S


@dataclass(frozen=True, slots=True)
class Share:
    """What an arm answered while weights stood still. weight, observed: fractions; error: standard."""

    arm: str
    weight: float
    observed: float
    error: float
    requests: int

    @property
    def off(self) -> float:
        """Distance from the weight in standard errors."""
        return (self.observed - self.weight) / self.error


def watching(shop: Shop, load: Counting[S]) -> AbstractContextManager[list[Sight[S]]]:
    """Every sight while the body runs."""
    return sampled(lambda: Sight(shop.weights(), load.stats()), EVERY)


def shares(seen: Sequence[Sight[S]]) -> list[Share]:
    """One for each arm and each stretch of ten seconds or more in which weights did not move."""
    found = []
    for stretch in _stretches(seen):
        settled = [s for s in stretch if s.weights.time >= stretch[0].weights.time + SETTLES]
        if len(settled) < 2 or settled[-1].weights.time - settled[0].weights.time < 10:
            continue
        told = settled[-1].stats.since(settled[0].stats)
        total = sum(answers.requests for answers in told.arms.values())
        for arm, thousandths in _arms(settled[0].weights):
            weight = thousandths / 1000
            found.append(
                Share(arm, weight, told.share(arm), sqrt(weight * (1 - weight) / total), total),
            )
    return found


def first_answer(seen: Sequence[Sight[S]], arm: str) -> float | None:
    """When an arm was first seen to have answered; counts are at most a second old."""
    before = seen[0].stats.arms[arm].requests if arm in seen[0].stats.arms else 0
    later = (s.weights.time for s in seen if arm in s.stats.arms and s.stats.arms[arm].requests > before)
    return next(later, None)


def home_again(seen: Sequence[Sight[S]]) -> float:
    """When weights were first seen at home after the last exposure: onset of rest for users."""
    exposed = [at for at, sight in enumerate(seen) if sight.weights.canary or sight.weights.baseline]
    return seen[min(exposed[-1] + 1, len(seen) - 1)].weights.time if exposed else time.time()


def _arms(weights: Seen) -> list[tuple[str, int]]:
    both = [("canary", weights.canary), ("baseline", weights.baseline)]
    return [(arm, weight) for arm, weight in both if weight]


def _stretches(seen: Sequence[Sight[S]]) -> Iterator[list[Sight[S]]]:
    stretch: list[Sight[S]] = []
    for sight in seen:
        if stretch and _arms(stretch[-1].weights) != _arms(sight.weights):
            yield stretch
            stretch = []
        stretch.append(sight)
    if stretch:
        yield stretch
