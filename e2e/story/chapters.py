"""What happens in the story, the same on a real cluster and on the embedded one.

Outcomes are checked here and nowhere else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from e2e.story.telling import Teller

Json = dict[str, Any]
INCIDENT = 120.0
SLOWDOWN = 1.7
PATIENCE = 700.0
"""Seconds for v2; of 150 simulated as here 144 were promoted within 560, none between that and a pause."""
HELD = "held"


class Scene(Protocol):
    """Where the story plays."""

    def request(self, version: str, build: str = "") -> None: ...
    def abort(self) -> None: ...
    def newest(self) -> Json: ...
    def releases(self) -> int: ...
    def slow_world(self, factor: float) -> None: ...
    def calm_world(self) -> None: ...
    def sleep(self, seconds: float) -> None: ...
    def now(self) -> float: ...
    def running_versions(self) -> set[str]: ...
    def rest(self, version: str) -> None: ...


@dataclass(slots=True)
class Result:
    """What went wrong, nothing if all is as it should be."""

    wrong: list[str] = field(default_factory=list)

    def expect(self, text: str, *, holds: bool) -> None:
        """Note a broken expectation."""
        if not holds:
            self.wrong.append(text)


def tell(scene: Scene, teller: Teller) -> Result:
    """A bad release, then a good one with an incident in its middle."""
    result = Result()
    teller.chapter("Chapter 1: v3 is released; its answers take 1.6 times as long.")
    outcome = _release(scene, teller, "v3", limit=900)
    result.expect(f"v3 should be Reverted, it was {outcome}", holds=outcome == "Reverted")
    result.expect("after the revert users should be on v1", holds=scene.running_versions() == {"v1"})
    teller.say(f"v3 ended {outcome}; users are on {', '.join(sorted(scene.running_versions()))}")
    scene.rest("v1")

    teller.chapter("Chapter 2: v2 is released, as good as v1; in its middle the whole service slows down.")
    incident = _Incident(scene, teller)
    outcome = _release(scene, teller, "v2", limit=PATIENCE, meanwhile=incident.step)
    scene.calm_world()
    if outcome == HELD:
        teller.say(
            "-- v2 does no harm, and its few pods cannot show it: once in some twenty stories it is held so."
        )
        teller.say("-- It was not reverted. It is aborted and released once more, as a person would.")
        scene.abort()
        outcome = _release(scene, teller, "v2", limit=PATIENCE, build="2")
    result.expect("the incident should have come in a stage of v2", holds=incident.began is not None)
    result.expect(f"v2 should be Promoted, it was {outcome}", holds=outcome == "Promoted")
    result.expect("after the promotion users should be on v2", holds=scene.running_versions() == {"v2"})
    result.expect(
        f"during the incident v2 should not have taken more traffic: {incident.weights}",
        holds=not incident.rose,
    )
    teller.say(f"v2 ended {outcome}; users are on {', '.join(sorted(scene.running_versions()))}")
    return result


def _release(
    scene: Scene,
    teller: Teller,
    version: str,
    limit: float,
    build: str = "",
    meanwhile: Callable[[Json], None] = lambda _: None,
) -> str:
    """Its outcome; HELD where it waits for people, or for evidence at the limit."""
    before = scene.releases()
    scene.request(version, build)
    began = scene.now()
    while scene.now() - began < limit:
        if scene.releases() > before:
            record = scene.newest()
            status = record.get("status") or {}
            teller.decisions(record["metadata"]["name"], status.get("decisions") or [])
            meanwhile(status.get("release") or {})
            if status.get("final"):
                return str(status["release"]["outcome"])
            if (status.get("release") or {}).get("phase") == "Paused":
                return HELD
        scene.sleep(2.0)
    return HELD


@dataclass(slots=True)
class _Incident:
    """The service slows down for two minutes, once v2 is in its first stage."""

    scene: Scene
    teller: Teller
    began: float | None = None
    over: bool = False
    weights: list[int] = field(default_factory=list)

    def step(self, release: Json) -> None:
        if self.began is None:
            if release.get("phase") == "Observing":
                self.began = self.scene.now()
                self.scene.slow_world(SLOWDOWN)
                self.teller.say(
                    f"-- the whole service slows down {SLOWDOWN:g}-fold, for a reason that is not v2"
                )
            return
        if self.over:
            return
        self.weights.append(int(release["desired"]["weights"]["canary"]))
        if self.scene.now() - self.began >= INCIDENT:
            self.over = True
            self.scene.calm_world()
            self.teller.say("-- the incident is over")

    @property
    def rose(self) -> bool:
        """Weight went up while everything was slow."""
        return bool(self.weights) and max(self.weights) > self.weights[0]
