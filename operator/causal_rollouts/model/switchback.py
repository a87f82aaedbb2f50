"""A probe: traffic is taken off the candidate and given back at times that were drawn beforehand.

When everybody gets worse at once, no contrast between arms can say whether the
release or an incident did it. Times that only chance chose can: what follows
them is caused by the traffic.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from causal_rollouts.model.bins import Grid
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.traffic import Change


@dataclass(frozen=True, slots=True)
class Switchback:
    """What a policy fixes of its probes.

    after: bins that everybody must have been worse before one begins. probes: most of them in a release.
    cycles: legs with and without traffic, each so many. shortest, longest: bins of a leg. share: part of the
    error budget that all probes of a release may spend together.
    """

    after: int = 10
    probes: int = 1
    cycles: int = 6
    shortest: int = 6
    longest: int = 12
    share: float = 0.3

    @property
    def bins(self) -> int:
        """Length of one probe."""
        return self.cycles * (self.shortest + self.longest)

    def legs(self, seed: int, number: int) -> tuple[bool, ...]:
        """Of each bin of the probe of that number in the release: shall the candidate have its traffic?"""
        return _drawn(self, random.Random(f"causal-rollouts/switchback/{seed}/{number}"))

    def others(self, seed: int, count: int) -> Iterator[tuple[bool, ...]]:
        """So many probes that were as likely as the real one."""
        luck = random.Random(f"causal-rollouts/switchback/{seed}/others")
        return islice(iter(lambda: _drawn(self, luck), None), count)


@dataclass(frozen=True, slots=True)
class Standing:
    """The probe that runs. first: its first bin; number: of the probes of this release, from 0."""

    first: int
    number: int


def standing(grid: Grid, timeline: Sequence[Change]) -> Standing | None:
    """The probe that the newest change belongs to, None where it belongs to none."""
    began = _began(timeline)
    if not began or timeline[-1].phase != Phase.PROBING:
        return None
    return Standing(grid.after(began[-1].time), len(began) - 1)


def drawn_for(plan: Switchback, seed: int, grid: Grid, timeline: Sequence[Change], now: float) -> bool | None:
    """Shall the candidate have its traffic now? None where no probe runs, or not one of its bins."""
    probe = standing(grid, timeline)
    at = grid.index(now) - probe.first if probe is not None else -1
    return plan.legs(seed, probe.number)[at] if probe is not None and 0 <= at < plan.bins else None


def probes_begun(timeline: Sequence[Change]) -> int:
    """How many probes a release has had so far."""
    return len(_began(timeline))


def _began(timeline: Sequence[Change]) -> list[Change]:
    before = (None, *timeline)
    return [
        change
        for change, last in zip(timeline, before, strict=False)
        if change.phase == Phase.PROBING and (last is None or last.phase != Phase.PROBING)
    ]


def _drawn(plan: Switchback, luck: random.Random) -> tuple[bool, ...]:
    """Cycles of a leg with and one without traffic, in random order and of random lengths, cut at the end."""
    legs: list[bool] = []
    while len(legs) < plan.bins:
        first = luck.random() < 0.5
        for on in (first, not first):
            legs += [on] * luck.randint(plan.shortest, plan.longest)
    return tuple(legs[: plan.bins])
