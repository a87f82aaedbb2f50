"""Two copies of the operator on one API: whoever is late loses, and no effect is repeated."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from causal_rollouts.control.reconcile import Settings, reconcile
from causal_rollouts.ports import Broken, NotYet, Ports, Refused
from e2e.embedded.apiserver import OPERATOR, Call
from tests.unit.control.ports_cut import through
from tests.unit.control.stories import Story, during, tell


@dataclass
class Rival:
    """A second operator that makes whole passes between the calls of the first."""

    luck: random.Random
    often: float
    story: Story | None = None
    busy: bool = False
    passes: int = 0
    lost: list[str] = field(default_factory=list)
    ports: Ports | None = None

    def cut(self, ports: Ports) -> Ports:
        self.ports = ports
        return through(ports, before=self.interrupt)

    async def interrupt(self, _: str) -> None:
        if self.story is None or self.busy or self.luck.random() > self.often:
            return
        world = self.story.world
        self.busy = True
        try:
            self.passes += 1
            await reconcile(world.key, self.ports, Settings(world.grid))
        except (NotYet, Refused, Broken) as error:
            self.lost.append(str(error))
        finally:
            self.busy = False


def effects(story: Story, since: int) -> Counter[tuple[str, str, str]]:
    """What the operator did to the world; its own bookkeeping and events left out."""
    return Counter(
        (call.verb, call.kind, call.name)
        for call in story.world.api.writes[since:]
        if call.user == OPERATOR and call.kind in {"ReplicaSet", "HTTPRoute", "Deployment", "Pod"}
    )


def told(cut: Callable[[Ports], Ports] | None, rival: Rival | None, version: str, end: str) -> Any:
    story = tell(cut=cut) if cut else tell()
    since = len(story.world.api.writes)
    if rival:
        rival.story = story
    story.request(version)
    assert story.end() == end
    return story, effects(story, since)


@pytest.mark.parametrize(("version", "end"), [("good", "Promoted"), ("slow", "Reverted")])
def test_no_effect_is_repeated(version: str, end: str) -> None:
    rival = Rival(random.Random(7), often=0.1)
    story, done = told(rival.cut, rival, version, end)
    _, alone = told(None, None, version, end)
    assert done == alone
    assert rival.passes > 20
    assert any("has been modified" in text for text in [*rival.lost, *story.world.errors])
    assert len(story.world.records()) == 1
    moves = [(c["stage"], c["weights"]) for c in story.world.release()["timeline"]]
    assert moves == [(c["stage"], c["weights"]) for c in _.world.release()["timeline"]]


def test_a_copy_that_acts_on_an_old_view_loses_before_it_acts() -> None:
    """It read while slots had to go, and wakes in the next, which has slots of the same names."""
    story = during("Reverting", 0, version="slow")
    story.world.api.before = keeping_sets
    story.run(10)
    late = Sleeper()
    old = through(story.world.ports, before=late.sleep)
    task = story.world.loop.create_task(reconcile(story.world.key, old, Settings(story.world.grid)))
    while not late.asleep:
        story.world.loop.run_until_complete(asyncio.sleep(0))
    story.world.api.before = None
    assert story.end(seconds=60) == "Reverted"
    story.request("good")
    assert story.reach("Observing", 0)
    calls: list[Call] = []
    story.world.api.before = calls.append
    late.go.set()
    with pytest.raises(NotYet, match="has been modified"):
        story.world.loop.run_until_complete(task)
    assert "delete" not in {call.verb for call in calls}


def keeping_sets(call: Call) -> None:
    if call.verb == "delete" and call.kind == "ReplicaSet":
        raise Refused("denied by policy keep-all")


class Sleeper:
    """Falls asleep when everything else has been read."""

    def __init__(self) -> None:
        self.asleep = False
        self.go = asyncio.Event()

    async def sleep(self, call: str) -> None:
        if call == "rollouts.rollouts_on":
            self.asleep = True
            await self.go.wait()
