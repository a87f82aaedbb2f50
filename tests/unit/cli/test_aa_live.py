"""`aa --live` against a whole world: it asks, waits, and tells what was seen."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.main import main
from tests.unit.cli.town import Person
from tests.unit.control.stories import tell


class StoryTime:
    """Time passes in the story while a command waits."""

    def __init__(self, story):
        self._story = story

    def now(self):
        return self._story.world.api.time

    async def sleep(self, seconds):
        # The world has a loop of its own, which cannot run inside the command's.
        await asyncio.to_thread(self._story.run, seconds)


def aa(capsys, story, *words):
    @asynccontextmanager
    async def opener(where):
        client = story.world.api.client("ann", "causal-rollouts")
        yield Cluster(Person(client, "ann"), "shop", StoryTime(story))

    capsys.readouterr()
    code = main(["aa", "--live", "checkout", *words], opener)
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


def test_it_asks_waits_and_tells(capsys):
    story = tell()
    code, out, err = aa(capsys, story, "--for", "60s")
    assert code == Exit.OK
    assert "checkout-1: AATested: A/A test over" in out
    assert "told apart in 0 of 1 trials" in out
    assert "times the standard error" in out
    assert "PrePeriod" in err
    code, out, _ = aa(capsys, story, "--for", "60s", "-o", "json")
    assert code == Exit.OK
    told = json.loads(out)
    assert told["release"] == "checkout-2"
    assert [trial["toldApart"] for trial in told["trials"]] == [False, False]
    assert all(trial["lower"] < trial["effect"] < trial["upper"] for trial in told["trials"])


@pytest.mark.parametrize("lasting", ["0s", "7h", "soon"])
def test_a_time_that_makes_no_sense_is_refused(capsys, lasting):
    code, _, err = aa(capsys, tell(), "--for", lasting)
    assert code == Exit.USAGE
    assert "--for" in err


def test_it_waits_for_no_service_that_is_busy(capsys):
    story = tell()
    story.request("good")
    assert story.reach("Preparing")
    code, _, err = aa(capsys, story)
    assert code == Exit.FAILED
    assert "needs a service at rest" in err
    assert "causalrollouts.dev/aa" not in story.world.rollout()["metadata"].get("annotations", {})


def test_a_rollout_that_is_not_there_is_named(capsys):
    story = tell()

    @asynccontextmanager
    async def opener(where):
        yield Cluster(Person(story.world.api.client("ann"), "ann"), "shop", StoryTime(story))

    assert main(["aa", "--live", "basket"], opener) == Exit.USAGE
    assert 'CausalRollout "basket": not found' in capsys.readouterr().err
