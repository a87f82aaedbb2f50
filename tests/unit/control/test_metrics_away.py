"""No metrics for three minutes, in each phase: nothing rises, nobody is blamed, and it goes on after."""

from dataclasses import replace

import pytest

from causal_rollouts.adapters.kube import POD
from causal_rollouts.analysis.simulation.climate import Scraping
from tests.unit.control.stories import Story, during, tell

AWAY = 180


def candidates(story: Story) -> int:
    """Pods of the Deployment itself that run the candidate."""
    return sum(
        story.world._version(pod) == "good"
        for pod in story.world.api.stored(POD, "shop")
        if pod["metadata"]["labels"]["causalrollouts.dev/arm"] == "stable"
    )


def lose_metrics(story: Story) -> None:
    story.world.metrics.away = "connection refused"


def metrics_are_back(story: Story) -> None:
    story.world.metrics.away = ""


BLAMELESS = {"NoData", "Inconclusive", "Safe", "ProviderError"}


@pytest.mark.parametrize(
    ("phase", "stage"),
    [("Preparing", -1), ("Shifting", 0), ("Observing", 0), ("Shifting", 1), ("Observing", 1), ("Baking", 1)],
)
def test_weights_stand_while_metrics_are_away_and_the_release_goes_on_after(phase: str, stage: int) -> None:
    story = during(phase, stage)
    lose_metrics(story)
    assert story.run(45, until=lambda: story.condition("EvidenceValid").get("status") == "False")
    held = story.weight
    story.run(AWAY)
    assert (story.phase, story.stage) == (phase, stage)
    assert story.canary[-1] == held
    assert {d["decision"]["verdict"] for d in story.world.decisions()} <= BLAMELESS
    assert "connection refused" in story.condition("EvidenceValid")["message"]
    metrics_are_back(story)
    assert story.goes_on()


def test_the_fleet_does_not_roll_while_metrics_are_away() -> None:
    story = during("Promoting", 1)
    story.run(4)
    lose_metrics(story)
    story.run(15)
    stopped_at = candidates(story)
    assert 0 < stopped_at < story.world.replicas
    story.run(AWAY)
    assert candidates(story) == stopped_at
    assert story.phase == "Promoting"
    metrics_are_back(story)
    assert story.end() == "Promoted"


UNDECIDED = {
    "onInconclusive": "Revert",
    "evidence": {"promoteContinuous": "20"},
    "stages": [{"weight": 10, "minDuration": "60s", "maxDuration": "100s"}],
}
"""A ladder on which nothing can be proven safe, so that only the clock ends a stage."""


def test_max_duration_ends_a_stage_that_proves_nothing() -> None:
    story = tell(policy=UNDECIDED)
    story.request("good")
    assert story.end(seconds=200) == "Reverted"
    assert "OutOfTime" in story.reasons()
    assert "Harm" not in {d["decision"]["verdict"] for d in story.world.decisions()}


def scrapes_stop(story: Story, seconds: float) -> None:
    """The metrics server answers, but nothing is scraped."""
    source = story.world.source
    outage = Scraping(outages=((story.world.api.time, seconds),))
    source._climate = replace(source._climate, scraping=outage)


@pytest.mark.parametrize("silent", [False, True], ids=["no answer", "answers without samples"])
def test_the_clock_of_max_duration_stands_while_nothing_is_seen(silent: bool) -> None:
    story = tell(policy=UNDECIDED)
    story.request("good")
    assert story.reach("Observing")
    if silent:
        scrapes_stop(story, AWAY)
    else:
        lose_metrics(story)
    story.run(AWAY)
    assert story.phase == "Observing"
    metrics_are_back(story)
    before = story.world.api.time
    assert story.end(seconds=200) == "Reverted"
    assert "OutOfTime" in story.reasons()
    assert story.world.api.time - before > 20


@pytest.mark.parametrize("verb", ["abort"])
def test_abort_works_with_metrics_away(verb: str) -> None:
    for phase, stage in (
        ("Preparing", -1),
        ("Shifting", 0),
        ("Observing", 1),
        ("Promoting", 1),
        ("Baking", 1),
    ):
        story = during(phase, stage)
        lose_metrics(story)
        story.run(2)
        story.ask(verb)
        assert story.end(seconds=90) == "Aborted", phase
        assert story.at_home()
        assert story.world.versions() == {"v1"}


def test_a_revert_under_way_is_finished_without_metrics() -> None:
    story = during("Reverting", 0, version="slow")
    lose_metrics(story)
    assert story.end(seconds=60) == "Reverted"
    assert story.at_home()
