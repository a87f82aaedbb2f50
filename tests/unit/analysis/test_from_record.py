"""A release of the embedded world, recorded from its record and its metrics, is decided again to the bit."""

from __future__ import annotations

import pytest

from causal_rollouts.analysis.manifest import registration
from causal_rollouts.analysis.recording import read, write
from causal_rollouts.analysis.replay import _Replay as Replay
from causal_rollouts.analysis.replay import replay
from causal_rollouts.evidence.gate_state import encode
from e2e.embedded.world import EmbeddedWorld
from tests.unit.analysis.live_releases import decided_again, recorded, story
from tests.unit.control.stories import ROLLOUT, during, tell


@pytest.mark.parametrize(("version", "away"), [("slow", 0.0), ("good", 0.0), ("failing", 40.0)])
def test_what_was_decided_live_is_decided_again(version, away):
    world = story(version, away)
    record, recording = recorded(world)
    assert {glance.time for glance in record.glances} <= {line.time for line in replay(recording)}
    assert decided_again(world) >= 5


def paused_and_resumed() -> EmbeddedWorld:
    told = during("Observing", 0)
    told.run(20)
    told.ask("pause", "ann:checkout-1 lunch")
    told.run(100)
    told.ask("resume", "ann:checkout-1")
    told.end(1500)
    return told.world


def out_of_time() -> EmbeddedWorld:
    ladder = [{"weight": 10, "minDuration": "30s", "maxDuration": "60s"}]
    told = tell(policy={"stages": ladder, "evidence": {"promoteContinuous": "20"}})
    told.request("good")
    assert told.reach("Observing", stage=0)
    told.ask("extend", "ann:checkout-1 a little more")
    assert told.reach("Paused")
    told.run(70)
    told.ask("resume", "ann:checkout-1")
    told.run(45)
    told.ask("promote", "eve:checkout-1 seen enough")
    told.end(1500)
    return told.world


def aborted_without_metrics() -> EmbeddedWorld:
    told = during("Observing", 1)
    told.world.metrics.away = "connection refused"
    told.run(100)
    told.ask("abort", "ann:checkout-1")
    told.run(5)
    told.world.metrics.away = ""
    told.end()
    return told.world


def suspended_and_superseded() -> EmbeddedWorld:
    told = during("Observing", 0)
    told.edit(ROLLOUT, lambda rollout: rollout["spec"].update(suspend=True))
    told.run(100)
    told.request("better")
    told.run(30)
    return told.world


def with_a_past_of_its_own() -> EmbeddedWorld:
    told = tell(policy={"arms": {"prePeriod": "4m"}})
    told.request("slow")
    assert told.reach("PrePeriod")
    told.run(40)
    told.ask("pause", "ann:checkout-1")
    told.run(60)
    told.ask("resume", "ann:checkout-1")
    told.end(2000)
    return told.world


@pytest.mark.parametrize(
    "play",
    [
        paused_and_resumed,
        out_of_time,
        aborted_without_metrics,
        suspended_and_superseded,
        with_a_past_of_its_own,
    ],
)
def test_what_people_pods_and_clocks_caused_is_decided_again(play):
    assert decided_again(play()) >= 4


def test_the_state_of_a_running_release_is_the_same_bytes():
    world = tell().world
    world.request("good")
    assert world.run(900, until=lambda: world.release().get("stage") == 1)
    world.run(60)
    record, recording = recorded(world)
    again = Replay(recording, registration(recording))
    for look in recording.looks:
        again.tick(look, ends_stage=False)
    assert encode(again._state) == record.state


def test_it_is_the_same_after_a_detour_over_files(tmp_path):
    _, recording = recorded(story("slow"))
    write(recording, tmp_path)
    assert [line.json() for line in replay(read(tmp_path))] == [line.json() for line in replay(recording)]
