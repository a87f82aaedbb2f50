"""Everybody gets worse in a stage: traffic goes off the candidate and back at drawn times, and that tells."""

from functools import cache

import pytest

from causal_rollouts.analysis.replay import replay
from causal_rollouts.analysis.simulation.climate import Incident
from causal_rollouts.model.switchback import Switchback
from e2e.embedded.world import EmbeddedWorld
from tests.unit.analysis.live_releases import recorded
from tests.unit.control.stories import HTTP_ROUTE, Story, tell

SWITCHBACK = {"after": 2, "probes": 1, "cycles": 5, "shortest": 4, "longest": 6, "budget": "0.3"}
BINS = Switchback(cycles=5, shortest=4, longest=6).bins
POLICY = {"probe": "Switchback", "switchback": SWITCHBACK}


def told(version: str, slower: float = 0.0) -> Story:
    """In the probe. slower: of everybody, from now on, for a reason that is not the release."""
    story = tell(policy=POLICY)
    story.request(version)
    assert story.reach("Observing", 0)
    if slower:
        story.world.source.strike(Incident(story.world.api.time, 5000.0, slower=slower))
    assert story.reach("Probing", seconds=400), story.reasons()
    return story


@cache
def _probing(version: str, slower: float = 0.0) -> bytes:
    return told(version, slower).world.saved()


def probing(version: str, slower: float = 0.0) -> Story:
    return Story(EmbeddedWorld.restored(_probing(version, slower)))


def test_a_release_that_slows_everybody_down_is_reverted():
    story = probing("greedy")
    assert story.end() == "Reverted"
    assert story.reasons()[-1] in {"BackendHarm", "CleaningUp"}
    assert "BackendHarm" in story.reasons()
    assert story.acts() == ["Probe", "Revert"]
    assert "makes everybody worse" in story.world.release()["why"]
    assert story.at_home()


def test_an_incident_that_lasts_is_not_blamed_on_the_release():
    story = probing("good", slower=0.4)
    assert story.reach("Observing")
    assert "ProbeSettled" in story.reasons()
    assert "BackendHarm" not in story.reasons()
    story.run(60)
    assert story.reasons()[-1] == "SharedIncident"
    assert (story.phase, story.weight > 0) == ("Observing", True)
    assert "Revert" not in story.acts()
    assert story.acts()[-1] == "Probe"


def test_after_the_incident_it_is_promoted():
    story = probing("good", slower=0.4)
    assert story.reach("Observing")
    story.world.source.strike(Incident(story.world.api.time, 5000.0, slower=-0.4))
    assert story.end(1500) == "Promoted"


def test_traffic_follows_the_draw():
    story = probing("good", slower=0.4)
    grid, timeline = story.world.grid, story.world.release()["timeline"]
    begun = next(c["time"] for c in timeline if c["phase"] == "Probing")
    seed = int(story.world.newest()["spec"]["registration"]["seed"])
    legs = Switchback(cycles=5, shortest=4, longest=6).legs(seed, 0)
    seen = []
    while story.phase == "Probing":
        at = grid.index(story.world.api.time) - grid.after(begun)
        if 0 <= at < BINS:
            seen.append((story.weight > 0) == legs[at])
        story.step()
    assert len(seen) > 4 * BINS
    # A leg begins a look or so late where traffic comes back: that is a rise, and waits for a valid window.
    assert sum(seen) / len(seen) > 0.8


def test_a_replay_decides_the_same():
    for story in (probing("greedy"), probing("good", slower=0.4)):
        assert story.run(400, until=lambda story=story: story.phase != "Probing")
        story.run(30)
        record, recording = recorded(story.world)
        lines = {line.time: line for line in replay(recording)}
        live = [
            d for d in record.decisions if d.decision.reason in {"Probing", "ProbeSettled", "BackendHarm"}
        ]
        assert len(live) >= 2
        for one in live:
            again = lines.get(one.time)
            if again is not None:
                assert (again.decision, again.reason, again.because) == (
                    one.decision.act,
                    one.decision.reason,
                    one.decision.because,
                )
        assert any(one.time in lines for one in live if one.decision.reason != "Probing")


def test_an_operator_that_is_away_in_a_leg_costs_power_and_nothing_else():
    story = probing("good", slower=0.4)
    story.run(40)
    story.world.operator_down = True
    story.run(70)
    story.world.operator_down = False
    assert story.reach("Observing")
    assert "Revert" not in story.acts()
    assert story.acts()[-1] == "Probe"


def test_without_metrics_no_traffic_comes_back():
    story = probing("good", slower=0.4)
    assert story.run(200, until=lambda: story.weight == 0)
    story.world.metrics.away = "connection refused"
    story.run(60)
    assert story.weight == 0
    story.world.metrics.away = ""
    assert story.reach("Observing")


def test_people_and_other_hands_come_first():
    story = probing("good", slower=0.4)
    story.ask("pause")
    assert story.reach("Paused")
    story.ask("resume")
    assert story.reach("Probing")
    story.edit(HTTP_ROUTE, lambda r: r["spec"]["rules"][0]["backendRefs"][0].update(weight=5000))
    story.run(5)
    assert story.phase in {"Probing", "Shifting"}
    story.ask("abort")
    assert story.end() == "Aborted"
    assert story.at_home()


@pytest.mark.parametrize("seconds", [20, 90])
def test_a_new_template_ends_it(seconds):
    story = probing("good", slower=0.4)
    story.run(seconds)
    story.request("better")
    assert story.run(60, until=lambda: len(story.world.records()) > 1)
    assert story.world.records()[0]["status"]["release"]["outcome"] == "Superseded"
