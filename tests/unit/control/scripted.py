"""A small, quick world whose evidence is written by the story: for stories of the machine, not of the gate.

No service is simulated; a look says what the script says of the record alone,
so a release takes the same way however often it is told.
"""

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from causal_rollouts.adapters.kube import HTTP_ROUTE, Kind
from causal_rollouts.analysis.simulation.climate import Climate
from causal_rollouts.control.look import Looked
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.evidence import ProbeTest
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.switchback import probes_begun, standing
from causal_rollouts.ports import Broken, MetricsSource, Record, Scope
from e2e.embedded.world import EmbeddedWorld
from tests.unit.control.promises import WatchedApi
from tests.unit.control.stories import Story, traffic_of
from tests.unit.decision.situations import evidence

Script = Callable[[Record, int], dict[str, object]]
"""What the evidence of a bin is, where it differs from an ordinary good stage's."""

PROVEN: dict[str, object] = {"log_harm": 9.0}

QUICK: dict[str, Any] = {
    "history": "2m",
    "arms": {"minPods": 1},
    "bake": "3s",
    "stages": [
        {"weight": 20, "minDuration": "4s", "maxDuration": "5m"},
        {"weight": 40, "minDuration": "4s", "maxDuration": "5m"},
    ],
    "probe": "Switchback",
    "switchback": {"after": 0, "cycles": 5, "shortest": 4, "longest": 4},
}

BY_PODS = [{**stage, "weight": weight} for stage, weight in zip(QUICK["stages"], (20, 33), strict=True)]
"""The same where the number of pods makes the share."""


@dataclass(slots=True)
class QuickWorld(EmbeddedWorld):
    """Bins of two seconds, and nobody who serves."""

    @property
    def grid(self) -> Grid:
        return Grid(width=2.0, delay=3.0, scrape=1.0)

    def _serve(self, now: float) -> None:
        return


def harmless(_: Record, __: int) -> dict[str, object]:
    return {}


def harm_in_a_stage(record: Record, _: int) -> dict[str, object]:
    return PROVEN if record.release.phase is Phase.OBSERVING and record.release.stage == 1 else {}


def harm_while_baking(record: Record, _: int) -> dict[str, object]:
    return PROVEN if record.release.phase is Phase.BAKING else {}


def everybody_worse(p: float) -> Script:
    """In the first stage, until a probe is over and its test gives p."""

    def script(record: Record, newest: int) -> dict[str, object]:
        timeline, plan = record.release.timeline, record.registration.probe
        probe = standing(record.registration.grid, timeline)
        if probe is None or plan is None:
            return {"shared": 0.0 if probes_begun(timeline) else 0.4}
        if newest < probe.first + plan.bins - 1:
            return {"shared": 0.4}
        test = ProbeTest("latency", p, 0.003, 0.3, plan.bins, plan.bins, 0.0001)
        return {"shared": 0.4, "probe": test}

    return script


def looking(script: Script) -> Callable[[Record, MetricsSource, float], Awaitable[Looked]]:
    """A stand-in for `control.look.look`."""

    async def look(record: Record, metrics: MetricsSource, now: float) -> Looked:
        try:
            await metrics.fetch(record.registration.metrics[0], Scope("shop", ()), 0.0, now)
        except Broken as error:
            return Looked(provider_error=str(error))
        newest = record.registration.grid.last_look(now)
        found = evidence(bin=newest, **script(record, newest))
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
def _rested(pre_period: str, routed: Kind) -> bytes:
    world = QuickWorld(Climate(), {}, api=WatchedApi(), replicas=3, routed=routed)
    story = Story(world)
    arms = {"arms": {"minPods": 1, "prePeriod": pre_period}}
    ladder = {"stages": BY_PODS} if world.by_pods else {}
    story.apply({**QUICK, **arms, **ladder}, {"traffic": traffic_of(world)})
    world.run(12)
    return world.saved()


def quick(
    cut: Callable[[Any], Any] = lambda ports: ports, *, pre_period: str = "0s", routed: Kind = HTTP_ROUTE
) -> Story:
    """Three pods under the gate, at rest."""
    rested = _rested(pre_period, routed)
    return Story(EmbeddedWorld.restored(rested, lambda ports: cut(replace(ports, metrics=Silent()))))
