"""The operator dies before and after every single call of a release: the end is the same, no effect twice."""

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from causal_rollouts.adapters.kube import HTTP_ROUTE, POD, REPLICA_SET, SERVICE, Kind
from causal_rollouts.control import reconcile
from causal_rollouts.ports import Ports
from e2e.embedded.apiserver import OPERATOR
from e2e.embedded.shop import WORKERS
from e2e.embedded.world import EmbeddedWorld
from tests.unit.control import scripted
from tests.unit.control.ports_cut import through
from tests.unit.control.scripted import Silent, quick
from tests.unit.control.stories import Story

Event = Callable[[Story], None]


def nothing_else(_: Story) -> None:
    return


def deleted_in_the_last_stage(story: Story) -> None:
    held = story.world.rollout().get("metadata", {"deletionTimestamp": "gone"})
    if (story.phase, story.stage) == ("Observing", 1) and "deletionTimestamp" not in held:
        story.delete()


def replaced_in_mid_roll(story: Story) -> None:
    image = story.world.target()["spec"]["template"]["spec"]["containers"][0]["image"]
    if story.phase == "Promoting" and len(story.world.versions()) > 1 and image.endswith("good"):
        story.request("better", START_SECONDS="1")


STORIES: dict[str, tuple[scripted.Script, Event]] = {
    "promote": (scripted.harmless, nothing_else),
    "revert": (scripted.harm_in_a_stage, nothing_else),
    "undo while baking": (scripted.harm_while_baking, nothing_else),
    "deletion": (scripted.harmless, deleted_in_the_last_stage),
    "supersession": (scripted.harmless, replaced_in_mid_roll),
    "pre-period": (scripted.harmless, nothing_else),
    "revert by pods": (scripted.harm_in_a_stage, nothing_else),
    "pre-period by pods": (scripted.harmless, nothing_else),
    "revert of workers": (scripted.harm_in_a_stage, nothing_else),
    "pre-period of workers": (scripted.harmless, nothing_else),
    "probe of an incident": (scripted.everybody_worse(p=0.5), nothing_else),
    "probe of a bad release": (scripted.everybody_worse(p=0.0001), nothing_else),
}
PROBES = tuple(name for name in STORIES if name.startswith("probe"))
"""Told in a file of their own: long stories, and files run beside each other."""
OTHERS = tuple(name for name in STORIES if name not in PROBES)
PRE_PERIODS = {name: "6s" for name in STORIES if name.startswith("pre-period")}
PARTS = 8
LONGEST = 300


class Died(Exception):  # noqa: N818
    """The process is gone; whatever ran is cut off."""


@dataclass
class Knife:
    """Counts calls and dies at one of them. calls: (step, name, changed the API) in order."""

    world: EmbeddedWorld | None = None
    at: int = -1
    after: bool = False
    count: int = 0
    step: int = 0
    calls: list[tuple[int, str, bool]] = field(default_factory=list)
    _version: int = 0

    def cut(self, ports: Ports) -> Ports:
        return through(ports, before=self._before, after=self._after)

    async def _before(self, name: str) -> None:
        if self.count == self.at and not self.after:
            self.at = -1
            raise Died(name)
        self._version = self.world.api.version if self.world else 0

    async def _after(self, name: str) -> None:
        changed = self.world is not None and self.world.api.version != self._version
        self.calls.append((self.step, name, changed))
        self.count += 1
        if self.count - 1 == self.at and self.after:
            self.at = -1
            raise Died(name)


@dataclass
class Told:
    """A whole release. saved: the world before each step."""

    calls: list[tuple[int, str, bool]]
    saved: list[bytes]
    end: Any


@contextmanager
def by(script: scripted.Script) -> Iterator[None]:
    """Evidence as the script has it."""
    real = reconcile.look
    reconcile.look = scripted.looking(script)
    try:
        yield
    finally:
        reconcile.look = real


def go_on(name: str, story: Story, knife: Knife, saved: list[bytes] | None = None) -> Any:
    for step in range(LONGEST):
        STORIES[name][1](story)
        if saved is not None:
            saved.append(story.world.saved())
        knife.step = step
        try:
            story.world.step()
        except Died:
            story.world._due = 0.0
        story.promises._fleet_is_whole()
        if over(story):
            return how_it_ended(story)
    raise AssertionError(f"it did not end: {story.phase}, {story.world.errors[-3:]}")


def over(story: Story) -> bool:
    return story.phase == "Done" and not story.world.rollout().get("metadata", {}).get("finalizers")


def routed(name: str) -> Kind:
    """What shares the work in a story, by the end of its name."""
    return {"pods": POD, "workers": WORKERS}.get(name.rpartition(" ")[2], HTTP_ROUTE)


@functools.cache
def uncut(name: str) -> Told:
    knife, saved = Knife(), []
    story = quick(knife.cut, pre_period=PRE_PERIODS.get(name, "0s"), routed=routed(name))
    knife.world = story.world
    story.world.api.writes.clear()
    story.request("good", START_SECONDS="1")
    with by(STORIES[name][0]):
        end = go_on(name, story, knife, saved)
    return Told(knife.calls, saved, end)


def how_it_ended(story: Story) -> dict[str, Any]:
    api, release = story.world.api, story.world.release()
    sets = api.stored(REPLICA_SET, "shop")
    return {
        "records": [
            (r["metadata"]["name"], r["status"]["release"]["outcome"]) for r in story.world.records()
        ],
        "acts": story.acts(),
        "timeline": [(c.get("stage"), c["weights"], c["phase"]) for c in release["timeline"]],
        "slots": sorted(p["slot"]["arm"] for p in release["desired"].get("slots", [])),
        "route": (story.world.route() or {}).get("spec"),
        "serving": story.world.serving(),
        "services": [s["metadata"]["name"] for s in api.stored(SERVICE, "shop")],
        "paused": story.world.target()["spec"].get("paused"),
        "sets": sorted((rs["metadata"]["name"], rs["spec"]["replicas"]) for rs in sets),
        "pods": pods(story),
        "annotations": story.world.rollout().get("metadata", {}).get("annotations"),
        "effects": effects(story),
    }


def pods(story: Story) -> Counter[tuple[str, str]]:
    """By arm and version; those that are about to go left out."""
    return Counter(
        (pod["metadata"]["labels"]["causalrollouts.dev/arm"], story.world._version(pod))
        for pod in story.world.api.stored(POD, "shop")
        if "deletionTimestamp" not in pod["metadata"]
    )


def effects(story: Story) -> Counter[tuple[str, str, str]]:
    """Everything that the operator did to others; orphans go by twos or threes, as they are found."""
    return Counter(
        (call.verb, call.kind, call.name)
        for call in story.world.api.writes
        if call.user == OPERATOR and call.kind in {"ReplicaSet", "HTTPRoute", "Deployment", "Service"}
    )


def places(calls: list[tuple[int, str, bool]]) -> Iterator[tuple[int, bool]]:
    """(call, after it) of every place that differs.

    To die after one call is to die before the next of the same pass; and before the first effect of a
    pass, at whatever call, is to have made no pass at all.
    """
    begun: set[int] = set()
    for k, (step, _, changed) in enumerate(calls):
        if changed:
            if step not in begun:
                yield k, False
            begun.add(step)
            yield k, True


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", OTHERS)
def test_dying_before_or_after_a_call_changes_nothing_in_the_end(name: str, part: int) -> None:
    dies_at_each_place(name, part)


@pytest.mark.parametrize("name", OTHERS)
def test_dying_in_every_second_pass_at_another_call_each_time(name: str) -> None:
    dies_in_every_second_pass(name)


def dies_at_each_place(name: str, part: int) -> None:
    """Of this part of all places; the end is that of the uncut release."""
    told = uncut(name)
    all_of_them = list(places(told.calls))
    assert len(all_of_them) > 60
    for k, after in all_of_them[part::PARTS]:
        step = told.calls[k][0]
        first = next(i for i, call in enumerate(told.calls) if call[0] == step)
        knife = Knife(at=k - first, after=after)
        story = Story(EmbeddedWorld.restored(told.saved[step], lambda p, knife=knife: knife.cut(bare(p))))
        knife.world = story.world
        with by(STORIES[name][0]):
            end = go_on(name, story, knife)
        assert knife.at == -1, "the call was never made"
        assert end == told.end, f"died {'after' if after else 'before'} {told.calls[k][1]} of step {step}"


def dies_in_every_second_pass(name: str) -> None:
    """At another call each time."""
    told = uncut(name)
    knife = Knife()
    story = Story(EmbeddedWorld.restored(told.saved[0], lambda p: knife.cut(bare(p))))
    knife.world = story.world
    passes = 0
    with by(STORIES[name][0]):
        for step in range(4 * LONGEST):
            STORIES[name][1](story)
            if step % 2:
                passes += 1
                knife.at, knife.after = knife.count + passes % 23, bool(passes % 3)
            else:
                knife.at = -1
            try:
                story.world.step()
            except Died:
                story.world._due = 0.0
            story.promises._fleet_is_whole()
            if over(story):
                break
    assert how_it_ended(story) == told.end


def bare(ports: Ports) -> Ports:
    from dataclasses import replace

    return replace(ports, metrics=Silent())
