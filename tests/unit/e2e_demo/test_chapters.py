"""The story of the demo: what is checked, and what one held release does to it."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from e2e.story.chapters import tell
from e2e.story.telling import Teller

END = {"v3": ("Done", "Reverted"), "v2": ("Done", "Promoted")}
HELD = ("Paused", None)


@dataclass
class Scripted:
    """Releases that stand in their first stage for 150 s and then end as told, by version and build."""

    ends: dict[tuple[str, str], tuple[str, str | None]] = field(default_factory=dict)
    time: float = 0.0
    asked: list[tuple[str, str, float]] = field(default_factory=list)
    aborted: int = 0
    slow: bool = False

    def request(self, version: str, build: str = "") -> None:
        self.asked.append((version, build, self.time))

    def abort(self) -> None:
        self.aborted += 1

    def releases(self) -> int:
        return sum(1 for version, _, _ in self.asked if version != "v1")

    def newest(self) -> dict[str, Any]:
        version, build, since = self.asked[-1]
        phase, outcome = self.ends.get((version, build), END[version])
        if self.time - since < 150:
            phase, outcome = "Observing", None
        state = {"phase": phase, "outcome": outcome, "desired": {"weights": {"canary": 100}}}
        return {"metadata": {"name": "x-1"}, "status": {"final": outcome is not None, "release": state}}

    def running_versions(self) -> set[str]:
        last = self.newest()["status"]["release"]["outcome"]
        return {self.asked[-1][0]} if last == "Promoted" else {"v1"}

    def slow_world(self, factor: float) -> None:
        self.slow = factor > 1

    def calm_world(self) -> None:
        self.slow = False

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def now(self) -> float:
        return self.time

    def rest(self, version: str) -> None:
        self.request(version)


def told(**ends: tuple[str, str | None]) -> tuple[list[str], Scripted, Teller]:
    scene = Scripted({(name[:2], name[3:]): end for name, end in ends.items()})
    teller = Teller(started=0.0, now=scene.now)
    return tell(scene, teller).wrong, scene, teller


def test_a_story_as_it_should_be() -> None:
    wrong, scene, _ = told()
    assert (wrong, scene.aborted, scene.slow) == ([], 0, False)
    assert [(version, build) for version, build, _ in scene.asked] == [("v3", ""), ("v1", ""), ("v2", "")]


@pytest.mark.parametrize("held", [HELD, ("Observing", None)])
def test_a_held_v2_is_told_aborted_and_released_once_more(held: tuple[str, None]) -> None:
    wrong, scene, teller = told(v2=held)
    assert (wrong, scene.aborted) == ([], 1)
    assert scene.asked[-1][:2] == ("v2", "2")
    assert any("not reverted" in line for line in teller.lines)


def test_held_twice_is_wrong() -> None:
    wrong, scene, _ = told(v2=HELD, v2_2=HELD)
    assert scene.aborted == 1
    assert "v2 should be Promoted, it was held" in wrong


def test_a_reverted_v2_is_wrong_at_once() -> None:
    wrong, scene, _ = told(v2=("Done", "Reverted"))
    assert scene.aborted == 0
    assert "v2 should be Promoted, it was Reverted" in wrong


def test_a_v3_that_is_held_is_wrong() -> None:
    wrong, *_ = told(v3=HELD)
    assert "v3 should be Reverted, it was held" in wrong
