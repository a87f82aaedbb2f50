"""The story on the embedded default: the operator's own loop over an in-process API and simulated telemetry.

Good for seeing what the tool does in seconds; proves nothing about a real cluster.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from causal_rollouts.analysis.simulation.climate import (
    HARMLESS,
    Answers,
    Climate,
    Failures,
    Harm,
    Incident,
    Load,
    Unevenness,
    Wander,
)
from e2e import rollouts
from e2e.demo.manifests import App
from e2e.embedded.world import EmbeddedWorld
from e2e.story.telling import Teller

Json = dict[str, Any]
HISTORY = 480.0
EDGES = tuple(round(0.002 * 1.4**i, 6) for i in range(24))
CLIMATE = Climate(
    answers=Answers(median=0.025, spread=0.39, edges=EDGES),
    load=Load(150.0),
    unevenness=Unevenness(pods=0.03, nodes=0.03, drift=Wander(0.03, 60.0), wobble=Wander(0.06, 60.0)),
    failures=Failures(share=0.005),
)
HARMS = {"v1": HARMLESS, "v2": HARMLESS, "v3": Harm(slower=math.log(1.6))}


@dataclass(slots=True)
class EmbeddedScene:
    """chapters.Scene over one embedded world."""

    world: EmbeddedWorld
    _slow: float = 0.0

    def request(self, version: str, build: str = "") -> None:
        self.world.request(version, **({"BUILD": build} if build else {}))

    def abort(self) -> None:
        self.world.annotate("abort")
        self.world.run(120, until=lambda: bool(self.newest()["status"].get("final")))

    def newest(self) -> Json:
        return self.world.newest()

    def records(self) -> list[Json]:
        return self.world.records()

    def releases(self) -> int:
        return len(self.world.records())

    def slow_world(self, factor: float) -> None:
        self._slow = factor

    def calm_world(self) -> None:
        self._slow = 0.0

    def sleep(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            if self._slow:
                self.world.source.strike(Incident(self.now(), 1.0, slower=math.log(self._slow)))
            self.world.step()

    def now(self) -> float:
        return self.world.api.now()

    def running_versions(self) -> set[str]:
        return self.world.versions()

    def rest(self, version: str) -> None:
        self.request(version)
        self.world.run(60, until=lambda: not self.world.target()["spec"].get("paused"))


@contextmanager
def scene() -> Iterator[tuple[EmbeddedScene, Teller]]:
    """A world with eight minutes of history."""
    world = EmbeddedWorld(CLIMATE, HARMS)
    teller = Teller(started=world.api.now(), now=world.api.now)
    teller.say("in-process API, simulated pods, traffic and telemetry; time runs as fast as it can")
    world.apply(
        rollouts.policy(), rollouts.rollout(App("demo", world.name, "shop"), stages=rollouts.stages("60s"))
    )
    world.run(HISTORY)
    teller.say(f"v1 runs in {world.replicas} pods under {CLIMATE.load.per_second:g} requests a second")
    yield EmbeddedScene(world), teller
