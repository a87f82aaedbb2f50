"""The API server fails or refuses: weights stand, nobody is blamed, no effect is lost or done twice."""

import functools
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from causal_rollouts.adapters.kube import DEPLOYMENT, HTTP_ROUTE, POD, RECORD, REPLICA_SET, ROLLOUT, SERVICE
from causal_rollouts.control.reconcile import Settings, reconcile
from causal_rollouts.ports import Broken, NotYet, Refused
from e2e.embedded.apiserver import OPERATOR, Call
from e2e.embedded.world import EmbeddedWorld
from tests.unit.control import scripted
from tests.unit.control.scripted import quick
from tests.unit.control.stories import Story
from tests.unit.control.test_crash_anywhere import by, effects

Before = Callable[[Call], None]
READS = {"get", "list"}
MINUTE = 60
ENDS = {"Promoted": scripted.harmless, "Reverted": scripted.harm_in_a_stage}


def silent(call: Call) -> None:
    raise Broken(f"the API server does not answer {call.verb} {call.kind}")


class Overloaded:
    """429 to two calls of three."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, call: Call) -> None:
        self.count += 1
        if self.count % 3:
            raise Broken("Too many requests, please try again later")


def conflicting(call: Call) -> None:
    if call.verb not in READS:
        raise NotYet(f'{call.kind} "{call.name}": the object has been modified')


def may_not_read(call: Call) -> None:
    if call.verb in READS:
        raise Broken(f"{call.kind} is forbidden: User operator cannot {call.verb}")


def may_not_write(call: Call) -> None:
    if call.verb not in READS:
        raise Refused(f"{call.kind} is forbidden: User operator cannot {call.verb}")


def webhook(*kinds: str) -> Before:
    def refuse(call: Call) -> None:
        if call.verb not in READS and call.kind in kinds:
            raise Refused(f'admission webhook "guard.example" denied the request: no {call.kind}')

    return refuse


FAULTS: dict[str, Callable[[], Before]] = {
    "it does not answer": lambda: silent,
    "it is overloaded (429)": Overloaded,
    "every write conflicts (409)": lambda: conflicting,
    "reading is forbidden": lambda: may_not_read,
    "writing is forbidden": lambda: may_not_write,
    "a webhook denies routes": lambda: webhook("HTTPRoute"),
    "a webhook denies slots": lambda: webhook("ReplicaSet"),
    "a webhook denies the target": lambda: webhook("Deployment"),
    "a webhook denies Services": lambda: webhook("Service"),
    "a webhook denies the record": lambda: webhook("RolloutRecord"),
    "a webhook denies the rollout": lambda: webhook("CausalRollout"),
}
DENIED = sorted(name for name in FAULTS if "webhook" in name)
PLACES = [("Preparing", -1), ("Observing", 0), ("Shifting", 1), ("Promoting", 1), ("Reverting", 1)]


def fault(story: Story, before: Before | None) -> None:
    def asked(call: Call) -> None:
        if call.user == OPERATOR and before is not None:
            before(call)

    story.world.api.before = asked


def step(story: Story) -> None:
    """A step of a story whose evidence is scripted: a rise is right when the record asked for it."""
    promises, before = story.promises, story.promises._canary
    story.world.step()
    canary = promises._shares()[0]
    if canary > before + 1e-9:
        assert story.world.release()["desired"]["weights"]["canary"] == round(1000 * canary)
    promises._canary = canary
    promises._fleet_is_whole()


def run(story: Story, seconds: int, until: Callable[[], bool] = lambda: False) -> bool:
    for _ in range(seconds):
        step(story)
        if until():
            return True
    return False


@functools.cache
def at(end: str, phase: str, stage: int) -> bytes:
    """A release on its way to an end, saved in a phase."""
    story = quick()
    story.world.api.writes.clear()
    story.request("good", START_SECONDS="1")
    with by(ENDS[end]):
        assert run(story, 200, until=lambda: (story.phase, story.stage) == (phase, stage))
    return story.world.saved()


def begun(end: str, phase: str, stage: int) -> Story:
    return Story(EmbeddedWorld.restored(at(end, phase, stage), silently))


def silently(ports: Any) -> Any:
    return replace(ports, metrics=scripted.Silent())


@functools.cache
def without_fault(end: str) -> Counter[tuple[str, str, str]]:
    story = begun(end, "Preparing", -1)
    with by(ENDS[end]):
        assert run(story, 300, until=lambda: over(story))
    return moves(story)


def moves(story: Story) -> Counter[tuple[str, str, str]]:
    """Effects; how often an arm's Service was brought up to date is no matter."""
    return Counter({what: n for what, n in effects(story).items() if what[:2] != ("update", "Service")})


def over(story: Story) -> bool:
    return story.phase == "Done" and not story.world.rollout()["metadata"].get("finalizers")


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize(("phase", "stage"), PLACES)
def test_a_minute_of_it_changes_nothing_in_the_end(name: str, phase: str, stage: int) -> None:
    end = "Reverted" if phase == "Reverting" else "Promoted"
    story = begun(end, phase, stage)
    with by(ENDS[end]):
        held = story.weight
        fault(story, FAULTS[name]())
        for _ in range(MINUTE):
            step(story)
            if "429" not in name and "webhook" not in name:
                assert story.weight == held
        fault(story, None)
        assert run(story, 300, until=lambda: over(story)), story.world.errors[-3:]
    assert story.world.release()["outcome"] == end
    assert end == "Reverted" or "Harm" not in {d["decision"]["verdict"] for d in story.world.decisions()}
    assert moves(story) == without_fault(end)
    assert len(story.world.records()) == 1


@pytest.mark.parametrize(
    "name", ["a webhook denies routes", "a webhook denies slots", "a webhook denies the target"]
)
def test_the_status_says_what_the_api_server_refuses(name: str) -> None:
    story = begun("Promoted", "Preparing", -1)
    fault(story, FAULTS[name]())
    with by(scripted.harmless):
        run(story, 60)
    told = story.condition("Ready")
    assert "denied the request" in told["message"], told
    assert story.weight <= 400


class Deaf(scripted.QuickWorld):
    """Its watches are closed and tell nothing: the operator only finds what it looks for."""

    __slots__ = ()

    def _fingerprint(self) -> str:
        return ""


def deaf(story: Story) -> Story:
    story.world.__class__ = Deaf
    return story


def test_without_any_event_a_release_begins_and_ends() -> None:
    story = deaf(quick())
    with by(scripted.harmless):
        run(story, 5)
        story.request("good", START_SECONDS="1")
        assert run(story, 65, until=lambda: story.phase == "Preparing"), "the resync did not find it"
        assert run(story, 300, until=lambda: over(story))
    assert story.world.release()["outcome"] == "Promoted"


def test_a_rollout_that_vanished_unseen_is_forgotten() -> None:
    """As after a relist (410 Gone) that tells of no deletion."""
    story = deaf(begun("Promoted", "Observing", 0))
    world = story.world
    world.api.forget(ROLLOUT, world.api.find(ROLLOUT, "shop", "checkout"))
    before = len(world.api.writes)
    again = world.loop.run_until_complete(reconcile(world.key, world.ports, Settings(world.grid)))
    assert again is None
    assert len(world.api.writes) == before


@pytest.mark.parametrize("order", [1, -1], ids=["rollout last", "rollout first"])
@pytest.mark.parametrize(("phase", "stage"), [("Preparing", -1), ("Observing", 0), ("Promoting", 1)])
def test_a_namespace_that_terminates_is_not_held_up(phase: str, stage: int, order: int) -> None:
    story = begun("Promoted", phase, stage)
    world = story.world

    def terminating(call: Call) -> None:
        if call.verb == "create" and call.namespace == "shop":
            raise Refused(f'{call.kind} is forbidden: namespace "shop" is being terminated')

    world.api.before = terminating
    kinds = [HTTP_ROUTE, RECORD, SERVICE, DEPLOYMENT, REPLICA_SET, POD, ROLLOUT][::order]
    for _ in range(60):
        for kind in kinds:
            for obj in list(world.api.stored(kind, "shop")):
                if "deletionTimestamp" not in obj["metadata"]:
                    world.api.remove(kind, obj, "Background", "namespace-controller")
        world.step()
    assert not world.rollout(), f"{world.errors[-2:]}"
    assert [obj for kind in kinds for obj in world.api.stored(kind, "shop")] == []
