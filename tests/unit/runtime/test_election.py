"""Several copies, one Lease: at most one of them leads at any instant, whatever their clocks say."""

import asyncio
import random
from dataclasses import dataclass, field

import pytest

from causal_rollouts.adapters.kube import LEASE
from causal_rollouts.control.reconcile import Settings, reconcile
from causal_rollouts.ports import Broken, NotYet, Refused
from causal_rollouts.runtime.app import working
from causal_rollouts.runtime.election import DURATION, RETRY, TRUST, Election
from e2e.embedded.apiserver import ApiServer, Call
from tests.unit.control import scripted
from tests.unit.control.scripted import quick
from tests.unit.control.stories import Story
from tests.unit.control.test_api_faults import moves, over, step, without_fault
from tests.unit.control.test_crash_anywhere import by


@dataclass
class Copy:
    """One process: its clocks run from anywhere, and it may stand still."""

    api: ApiServer
    name: str
    offset: float = 0.0
    wrong: float = 0.0
    asleep: bool = False
    election: Election = field(init=False)
    due: float = 0.0

    def __post_init__(self) -> None:
        clocks = (lambda: self.api.time + self.offset, lambda: self.api.time + self.wrong)
        self.election = Election(self.api.client(), "op", "lease", self.name, *clocks)

    @property
    def leads(self) -> bool:
        return self.election.leads

    async def live(self) -> None:
        if not self.asleep and self.api.time >= self.due:
            self.due = self.api.time + RETRY
            await self.election.campaign()


@dataclass
class Copies:
    """led: seconds in which somebody led."""

    api: ApiServer = field(default_factory=ApiServer)
    all: list[Copy] = field(default_factory=list)
    led: int = 0

    async def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.api.time += 1
            for copy in self.all:
                await copy.live()
                assert sum(one.leads for one in self.all) <= 1, "two lead at once"
            self.led += any(one.leads for one in self.all)

    @property
    def leader(self) -> Copy | None:
        return next((copy for copy in self.all if copy.leads), None)


def two(**second: float) -> Copies:
    copies = Copies()
    copies.all = [Copy(copies.api, "a"), Copy(copies.api, "b", **second)]
    return copies


def spec(copies: Copies) -> dict:
    return copies.api.find(LEASE, "op", "lease")["spec"]


async def test_one_leads_and_keeps_leading():
    copies = two()
    await copies.run(100)
    assert copies.leader.name == "a"
    assert copies.led >= 99
    assert (spec(copies)["holderIdentity"], spec(copies)["leaseTransitions"]) == ("a", 0)
    assert spec(copies)["acquireTime"] < spec(copies)["renewTime"]


@pytest.mark.parametrize("wrong", [-86400.0, 86400.0])
async def test_a_clock_that_is_a_day_off_takes_nothing_and_waits_no_longer(wrong: float):
    copies = two(wrong=wrong, offset=1e6)
    await copies.run(60)
    assert copies.leader.name == "a"
    copies.all[0].asleep = True
    await copies.run(DURATION + 2 * round(RETRY))
    assert copies.leader.name == "b"


async def test_failover_takes_the_lease_and_two_attempts_at_most():
    """Measured: seconds from the last breath of the leader to the first pass that the other one may make."""
    waits = []
    for age in range(20, 30):
        copies = two()
        await copies.run(age)
        copies.all[0].asleep = True
        since = copies.api.time
        while not copies.all[1].leads:
            await copies.run(1)
        waits.append(copies.api.time - since)
    assert min(waits) > TRUST
    assert max(waits) <= DURATION + RETRY


async def test_a_leader_that_resigns_is_followed_at_once():
    copies = two()
    await copies.run(10)
    await copies.all[0].election.resign()
    copies.all[0].asleep = True
    assert copies.leader is None
    await copies.run(round(RETRY))
    assert copies.leader.name == "b"
    assert spec(copies)["leaseTransitions"] == 1


async def test_resigning_takes_the_lease_from_nobody_else():
    copies = two()
    await copies.run(10)
    copies.all[0].asleep = True
    await copies.run(30)
    await copies.all[0].election.resign()
    assert spec(copies)["holderIdentity"] == "b"


@pytest.mark.parametrize("asleep", [11, 20, 300])
async def test_a_leader_that_stood_still_wakes_without_a_lease(asleep: int):
    copies = two()
    await copies.run(10)
    copies.all[0].asleep = True
    await copies.run(asleep)
    assert not copies.all[0].leads
    copies.all[0].asleep = False
    await copies.run(30)
    assert copies.leader is not None


async def test_a_leader_that_cannot_renew_stops_before_another_may_begin():
    copies = two()
    await copies.run(10)

    def unreachable(call: Call) -> None:
        raise Broken("the API server does not answer")

    copies.api.before = unreachable
    await copies.run(round(TRUST) + 1)
    assert copies.leader is None
    copies.api.before = None
    await copies.run(3)
    assert copies.leader is not None


async def test_of_two_that_take_at_the_same_instant_one_loses():
    copies = two()
    first, second = (copy.election for copy in copies.all)
    await asyncio.gather(first.campaign(), second.campaign())
    assert first.leads is not second.leads


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_sleeps_and_fails_no_two_lead(seed: int):
    luck = random.Random(seed)
    copies = Copies()
    copies.all = [
        Copy(copies.api, name, offset=luck.uniform(-1e6, 1e6), wrong=luck.uniform(-1e5, 1e5))
        for name in "abc"
    ]

    def sometimes(call: Call) -> None:
        if luck.random() < 0.2:
            raise luck.choice([Broken("no answer"), NotYet("modified"), Refused("forbidden")])

    copies.api.before = sometimes
    for _ in range(60):
        copy = luck.choice(copies.all)
        copy.asleep = not copy.asleep
        await copies.run(luck.choice([1, 5, 12, 20, 40]))
    assert copies.led > 0


async def test_who_does_not_lead_makes_no_pass_and_shows_nothing():
    copies = two()
    await copies.run(3)
    forgotten: list[object] = []
    work = working(None, None, copies.all[1].election, forgotten.append)
    assert await work("shop/checkout") == RETRY
    with pytest.raises(AttributeError):
        await working(None, None, copies.all[0].election, forgotten.append)("shop/checkout")
    assert forgotten == ["shop/checkout"], "alerts of a leader that was"


@pytest.mark.parametrize("seed", range(4))
def test_a_release_goes_its_way_while_the_lead_changes(seed: int):
    """Leaders stand still in turn, without a lease or with: no effect is lost, none repeated."""
    luck = random.Random(seed)
    story = Story(quick().world)
    world, run = story.world, story.world.loop.run_until_complete
    world.api.writes.clear()
    story.request("good", START_SECONDS="1")
    copies = [Copy(world.api, name) for name in "ab"]
    world.operator_down = True
    with by(scripted.harmless):
        for second in range(600):
            step(story)
            if second % 25 == 24:
                for copy in copies:
                    copy.asleep = luck.random() < 0.4
            for copy in copies:
                run(copy.live())
                if copy.leads and not copy.asleep:
                    try:
                        run(reconcile(world.key, world.ports, Settings(world.grid)))
                    except (NotYet, Refused, Broken):
                        continue
            if over(story):
                break
    assert story.world.release()["outcome"] == "Promoted"
    assert moves(story) == without_fault("Promoted")
