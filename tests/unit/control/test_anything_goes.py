"""All that people, tools and machines do, in any order: the promises hold, and everything comes to rest."""

import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from causal_rollouts.adapters.kube import (
    DEPLOYMENT,
    HTTP_ROUTE,
    NODE,
    POD,
    POLICY,
    REPLICA_SET,
    ROLLOUT,
    SERVICE,
)
from causal_rollouts.control.reconcile import Settings, reconcile
from causal_rollouts.ports import Broken, NotYet, Refused
from e2e.embedded import shop
from e2e.embedded.apiserver import OPERATOR, Call
from e2e.embedded.controllers import add_nodes
from e2e.embedded.patches import clone
from e2e.embedded.world import NODES
from tests.unit.control import scripted
from tests.unit.control.on_record import follow_by_the_rules
from tests.unit.control.ports_cut import through
from tests.unit.control.scripted import quick
from tests.unit.control.stories import Story
from tests.unit.control.test_crash_anywhere import Died, by

STEPS = 300
CALM = 300
OFTEN = 0.1
HALF = 0.5
FRESH = 20.0
"""Seconds in which pods that somebody took are missed."""

LEAST_NODES = 3


@dataclass
class Chaos:
    """One seeded run. told: what was done, for whoever has to find out."""

    luck: random.Random
    pre_period: str = "0s"
    metrics: scripted.Silent = field(default_factory=scripted.Silent)
    story: Story = field(init=False)
    told: list[str] = field(default_factory=list)
    dying: bool = False
    rival: bool = False
    made: dict[str, Any] = field(init=False)
    policy: dict[str, Any] = field(init=False)
    shaken: float = 0.0
    _ports: Any = None

    def __post_init__(self) -> None:
        self.story = quick(self._cut, pre_period=self.pre_period)
        # What is checked besides by each edit does not know of pods that are missed.
        self.story.promises.disturbed = True
        made = self.story.world.rollout()
        self.made = {"metadata": {"name": "checkout"}, "spec": clone(made["spec"])}
        (policy,) = self.story.world.api.stored(POLICY)
        self.policy = {"metadata": {"name": policy["metadata"]["name"]}, "spec": clone(policy["spec"])}

    def _cut(self, ports: Any) -> Any:
        self.metrics, self._ports = ports.metrics, ports
        return through(ports, before=self._perhaps_die, after=self._perhaps_die)

    async def _perhaps_die(self, name: str) -> None:
        if self.dying and self.luck.random() < 0.08:
            raise Died(name)
        if self.rival and self.luck.random() < 0.05:
            world = self.story.world
            with contextlib.suppress(NotYet, Refused, Broken):
                await reconcile(world.key, self._ports, Settings(world.grid))

    def run(self) -> None:
        for _ in range(STEPS):
            if self.luck.random() < OFTEN:
                do = self.luck.choice(DOINGS)
                self.told.append(f"{self.story.world.api.time - 1.8e9:.0f} {do.__name__}")
                do(self)
            self.step()

    @property
    def gone(self) -> bool:
        return not self.story.world.rollout()

    def step(self, seconds: float = 1.0) -> None:
        try:
            self.story.world.step(seconds)
        except Died:
            self.story.world._due = 0.0
        promises = self.story.promises
        canary = promises._shares()[0]
        if canary > promises._canary + 1e-9:
            self._rise(canary)
        promises._canary = canary
        if self.story.world.api.time >= self.shaken:
            promises._fleet_is_whole()

    def _rise(self, canary: float) -> None:
        release, world = self.story.world.release(), self.story.world
        assert release["desired"]["weights"]["canary"] == round(1000 * canary)
        if release["stage"] >= 0:
            # Before the first stage both arms run the stable template, and weights are simply set again.
            assert world.api.time - release["looked"] <= 3 * 2 * world.grid.width + world.grid.delay

    def calm(self) -> None:
        """Everybody mends what they broke and goes home."""
        self.dying = self.rival = False
        self.metrics.away = False
        world = self.story.world
        world.operator_down, world.api.before = False, None
        if world.api.find(HTTP_ROUTE, "shop", "checkout") is None:
            world.api.add(HTTP_ROUTE, "shop", shop.route("checkout"), "git")
        _as_it_was(self)
        add_nodes(world.api, *(name for name in NODES if world.api.find(NODE, "", name) is None))
        for _ in range(CALM):
            self._mend()
            self.step()

    def _mend(self) -> None:
        """What a person does when the rollout says so."""
        story = self.story
        if self.gone:
            rollout(self)
        elif story.world.rollout()["spec"].get("suspend"):
            suspend(self)
        elif "half way" in story.condition("Ready").get("message", ""):
            story.world.api.bypass.add("ann")
            story.edit(DEPLOYMENT, lambda target: target["spec"].pop("paused", None), user="ann")
        elif story.phase == "Paused":
            story.ask("resume")
        elif story.phase == "PrePeriod" and story.condition("Ready").get("reason") == "SharedIncident":
            # Here everybody stays ill for ever, and before its first stage a release has no maxDuration.
            story.ask("abort")


def better(chaos: Chaos) -> None:
    chaos.story.request(chaos.luck.choice(["good", "better", "best"]), START_SECONDS="1")


def back(chaos: Chaos) -> None:
    chaos.story.request("v1")


def aa(chaos: Chaos) -> None:
    if not chaos.gone:
        chaos.story.ask("aa", f"ann:{chaos.luck.choice([4, 20])}s")


def metrics(chaos: Chaos) -> None:
    chaos.metrics.away = not chaos.metrics.away


def operator(chaos: Chaos) -> None:
    chaos.story.world.operator_down = not chaos.story.world.operator_down


def dying(chaos: Chaos) -> None:
    chaos.dying = not chaos.dying


def two(chaos: Chaos) -> None:
    """A second operator."""
    chaos.rival = not chaos.rival


def rollout(chaos: Chaos) -> None:
    """Deleted, or made again."""
    world = chaos.story.world
    if chaos.gone:
        world.api.add(ROLLOUT, "shop", chaos.made, "git")
    elif "deletionTimestamp" not in world.rollout()["metadata"]:
        chaos.story.delete()


def annotate(chaos: Chaos) -> None:
    if chaos.gone:
        return
    verb = chaos.luck.choice(["pause", "resume", "abort", "retry", "promote", "resume"])
    chaos.story.ask(verb, chaos.luck.choice(["true", "ann:checkout-1", "ann:checkout-2"]))


def suspend(chaos: Chaos) -> None:
    def turn(rollout: dict[str, Any]) -> None:
        rollout["spec"]["suspend"] = not rollout["spec"].get("suspend", False)

    if not chaos.gone:
        chaos.story.edit(ROLLOUT, turn)


def route(chaos: Chaos) -> None:
    if chaos.story.world.api.find(HTTP_ROUTE, "shop", "checkout") is not None:
        chaos.story.edit(HTTP_ROUTE, lambda r: r.update(spec=shop.route("checkout")["spec"]))


def slot(chaos: Chaos) -> None:
    there = [
        s["metadata"]["name"]
        for s in chaos.story.world.api.stored(REPLICA_SET, "shop")
        if "causalrollouts.dev/slot" in s["metadata"].get("labels", {})
    ]
    if there:
        chaos.story.delete(REPLICA_SET, chaos.luck.choice(there))


def pod(chaos: Chaos) -> None:
    """One vanishes, of whichever arm."""
    there = [p for p in chaos.story.world.api.stored(POD, "shop") if "deletionTimestamp" not in p["metadata"]]
    if there:
        chaos.story.delete(POD, chaos.luck.choice(there)["metadata"]["name"])
        chaos.shaken = chaos.story.world.api.time + FRESH


def node(chaos: Chaos) -> None:
    """One vanishes with its pods, or is there again."""
    api = chaos.story.world.api
    name = chaos.luck.choice(NODES)
    found = api.find(NODE, "", name)
    if found is None:
        add_nodes(api, name)
    elif len(api.stored(NODE)) > LEAST_NODES:
        api.remove(NODE, found, "Background", "git")
        for one in list(api.stored(POD, "shop")):
            if one["spec"].get("nodeName") == name and api.find(POD, "shop", one["metadata"]["name"]):
                chaos.story.delete(POD, one["metadata"]["name"])
        chaos.shaken = api.time + FRESH


def policy(chaos: Chaos) -> None:
    """Edited, deleted, or as it was."""
    api = chaos.story.world.api
    found = next(iter(api.stored(POLICY)), None)
    if found is None or found["spec"] != chaos.policy["spec"]:
        _as_it_was(chaos)
    elif chaos.luck.random() < HALF:
        api.remove(POLICY, found, "Background", "git")
    else:
        new = clone(found)
        new["spec"]["defaults"]["stages"] = [{"weight": 10, "minDuration": "8s", "maxDuration": "1m"}]
        api.change(POLICY, found, new, "git", manager="git")


def _as_it_was(chaos: Chaos) -> None:
    api = chaos.story.world.api
    found = next(iter(api.stored(POLICY)), None)
    if found is None:
        api.add(POLICY, "", clone(chaos.policy), "git", "git")
    elif found["spec"] != chaos.policy["spec"]:
        api.change(POLICY, found, {**found, "spec": clone(chaos.policy["spec"])}, "git", manager="git")


def hour(chaos: Chaos) -> None:
    """The clock jumps."""
    chaos.step(3600.0)


def arm_service(chaos: Chaos) -> None:
    name = chaos.luck.choice(["checkout-canary", "checkout-baseline"])
    if chaos.story.world.api.find(SERVICE, "shop", name) is not None:
        chaos.story.delete(SERVICE, name)


def refusals(chaos: Chaos) -> None:
    word = chaos.luck.choice(["create", "patch", "merge", "delete"])

    def refuse(call: Call) -> None:
        if call.user == OPERATOR and call.verb == word and call.kind != "RolloutRecord":
            raise Refused(f"denied: {word}")

    chaos.story.world.api.before = None if chaos.story.world.api.before else refuse


DOINGS: tuple[Callable[[Chaos], None], ...] = (
    better,
    better,
    back,
    aa,
    metrics,
    operator,
    dying,
    two,
    rollout,
    annotate,
    annotate,
    suspend,
    route,
    slot,
    pod,
    node,
    policy,
    policy,
    hour,
    arm_service,
    refusals,
)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_the_promises_hold_and_it_comes_to_rest(seed: int) -> None:
    chaos = Chaos(random.Random(seed), pre_period="6s" if seed % 2 else "0s")
    scripts = (
        scripted.harmless,
        scripted.harm_in_a_stage,
        scripted.harm_while_baking,
        scripted.everybody_worse(p=0.5),
        scripted.everybody_worse(p=0.0001),
    )
    with by(scripts[seed % len(scripts)]):
        try:
            chaos.run()
            chaos.calm()
        except AssertionError as broken:
            raise AssertionError(f"{broken}; after {chaos.told[-12:]}") from broken
    story = chaos.story
    assert story.at_home(), chaos.told
    assert story.phase in {"Done", ""}, (story.phase, chaos.told)
    assert len(story.world.versions()) == 1, chaos.told
    assert not story.world.rollout()["metadata"].get("finalizers"), chaos.told
    follow_by_the_rules(story.world)
    story.world.errors.clear()
    before = len(story.world.api.writes)
    for _ in range(70):
        chaos.step()
    assert [call for call in story.world.api.writes[before:] if call.user == OPERATOR] == []
    assert story.world.errors == []
