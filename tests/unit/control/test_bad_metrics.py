"""A metric that cannot be used: no rise, no blame, a condition that says which and why; it heals alone."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.telemetry import Series
from causal_rollouts.ports import Ports, Refused, Scope
from tests.unit.control.stories import Story, during, tell

Found = tuple[Series, ...]


class Bent:
    """A metrics source that answers one metric wrongly while `bend` is set."""

    def __init__(self, source, name: str = "latency") -> None:
        self.source = source
        self.name = name
        self.bend: Callable[[Found], Found] | None = None

    async def fetch(self, metric: Metric, scope: Scope, start: float, end: float) -> Found:
        found = await self.source.fetch(metric, scope, start, end)
        return self.bend(found) if self.bend and metric.name == self.name else found


def bent(ports: Ports) -> Ports:
    return replace(ports, metrics=Bent(ports.metrics))


def nothing(_: Found) -> Found:
    return ()


def not_a_number(found: Found) -> Found:
    return tuple(replace(s, values=[math.nan] * len(s.values)) for s in found)


def two_series(found: Found) -> Found:
    return (*found, *(replace(s, labels={**s.labels, "instance": "other:8080"}) for s in found))


def falling(found: Found) -> Found:
    """A gauge where a counter was promised."""
    return tuple(replace(s, values=[v if i % 2 else 0.0 for i, v in enumerate(s.values)]) for s in found)


def refused(_: Found) -> Found:
    raise Refused('metric "latency": parse error at char 3')


BENDS = {
    "nothing": (nothing, "NoData", "nothing arrived"),
    "not a number": (not_a_number, "NotANumber", "not a number"),
    "two series": (two_series, "DuplicateSeries", "scraped by two targets"),
    "the wrong type": (falling, "WrongType", "values fall"),
    "a refused query": (refused, "NoData", "parse error"),
}


def bend(story: Story, how: Callable[[Found], Found] | None) -> None:
    story.world.ports.metrics.bend = how


@pytest.mark.parametrize("what", BENDS)
def test_it_holds_a_release_before_its_first_stage(what: str) -> None:
    how, reason, words = BENDS[what]
    story = tell(cut=bent)
    bend(story, how)
    story.request("good")
    story.run(60)
    assert story.phase == "Preparing"
    assert story.weight == 0
    told = story.condition("EvidenceValid")
    assert told["status"] == "False"
    assert "latency" in told["message"]
    assert words in told["message"] or reason == told["reason"], told
    bend(story, None)
    assert story.goes_on()


@pytest.mark.parametrize("what", sorted(BENDS.keys() - {"the wrong type"}))
def test_it_holds_a_release_in_a_stage_and_blames_nobody(what: str) -> None:
    how, reason, words = BENDS[what]
    story = during("Observing", 0, cut=bent)
    bend(story, how)
    story.run(90)
    assert (story.phase, story.weight) == ("Observing", 100)
    told = story.condition("EvidenceValid")
    assert told["status"] == "False"
    assert "latency" in told["message"]
    assert words in told["message"] or reason == told["reason"], told
    assert "Harm" not in {d["decision"]["verdict"] for d in story.world.decisions()}
    bend(story, None)
    assert story.goes_on()


def test_another_metric_still_reverts_while_one_is_silent() -> None:
    story = during("Observing", 0, version="failing", cut=bent)
    bend(story, nothing)
    assert story.end(seconds=120) == "Reverted"
    assert "errors" in story.world.release()["why"]
