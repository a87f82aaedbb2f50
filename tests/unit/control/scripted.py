"""A small, quick world whose evidence is written by the story: for stories of the machine, not of the gate.

No service is simulated; a look says what the script says of the record alone,
so a release takes the same way however often it is told.
"""

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from causal_rollouts.analysis.simulation.climate import Climate
from causal_rollouts.control.look import Looked
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.release import Release
from causal_rollouts.ports import Broken, MetricsSource, Record, Scope
from e2e.embedded.world import EmbeddedWorld
from tests.unit.control.promises import WatchedApi
from tests.unit.control.stories import Story
from tests.unit.decision.situations import evidence

Script = Callable[[Release], bool]
"""Is the harm of this release proven?"""

QUICK = {
    "history": "2m",
    "arms": {"minPods": 1},
    "bake": "3s",
    "stages": [
        {"weight": 20, "minDuration": "4s", "maxDuration": "5m"},
        {"weight": 40, "minDuration": "4s", "maxDuration": "5m"},
    ],
}


@dataclass(slots=True)
class QuickWorld(EmbeddedWorld):
    """Bins of two seconds, and nobody who serves."""

    @property
    def grid(self) -> Grid:
        return Grid(width=2.0, delay=3.0, scrape=1.0)

    def _serve(self, now: float) -> None:
        return


def harmless(_: Release) -> bool:
    return False


def harm_in_a_stage(release: Release) -> bool:
    return release.phase is Phase.OBSERVING and release.stage == 1


def harm_while_baking(release: Release) -> bool:
    return release.phase is Phase.BAKING


def looking(script: Script) -> Callable[[Record, MetricsSource, float], Awaitable[Looked]]:
    """A stand-in for `control.look.look`."""

    async def look(record: Record, metrics: MetricsSource, now: float) -> Looked:
        try:
            await metrics.fetch(record.registration.metrics[0], Scope("shop", ()), 0.0, now)
        except Broken as error:
            return Looked(provider_error=str(error))
        newest = record.registration.grid.last_look(now)
        found = evidence(bin=newest, log_harm=9.0 if script(record.release) else -2.0)
        return Looked(replace(found, placebo=0.0), b"state", newest)

    return look


class Silent:
    """A metrics source that nobody reads. away: it does not answer."""

    def __init__(self) -> None:
        self.away = False

    async def fetch(self, *_: object) -> tuple[()]:
        if self.away:
            raise Broken("connection refused")
        return ()


@functools.cache
def _rested(pre_period: str) -> bytes:
    world = QuickWorld(Climate(), {}, api=WatchedApi(), replicas=3)
    story = Story(world)
    story.apply({**QUICK, "arms": {"minPods": 1, "prePeriod": pre_period}}, {})
    world.run(12)
    return world.saved()


def quick(cut: Callable[[Any], Any] = lambda ports: ports, *, pre_period: str = "0s") -> Story:
    """Three pods under the gate, at rest."""
    return Story(
        EmbeddedWorld.restored(_rested(pre_period), lambda ports: cut(replace(ports, metrics=Silent())))
    )
