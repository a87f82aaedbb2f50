"""A release of the embedded world, recorded from its record and its metrics, is decided again to the bit."""

from __future__ import annotations

import pytest

from causal_rollouts.analysis.manifest import registration
from causal_rollouts.analysis.recording import read, write
from causal_rollouts.analysis.replay import _Replay as Replay
from causal_rollouts.analysis.replay import replay
from causal_rollouts.analysis.replay_line import line
from causal_rollouts.api.plain import from_plain
from causal_rollouts.evidence.gate_state import encode
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.reasons import Act
from tests.unit.analysis.live_releases import recorded, story
from tests.unit.control.stories import tell


@pytest.mark.parametrize(("version", "away"), [("slow", 0.0), ("good", 0.0), ("failing", 40.0)])
def test_what_was_decided_live_is_decided_again(version, away):
    record, recording = recorded(story(version, away))
    lines = {line.time: line for line in replay(recording)}
    assert len(lines) == len(record.glances)
    judged = [d for d in record.decisions if d.evidence]
    assert judged
    for decision in judged:
        told = lines[decision.time]
        evidence = from_plain(Evidence, decision.evidence)
        live = line(told.time, told.bin, told.stage, told.weight, decision.decision, Act.HOLD, evidence)
        assert (told.metrics, told.log_harm, told.log_threshold) == (
            live.metrics,
            live.log_harm,
            live.log_threshold,
        )
    last = judged[-1].decision
    assert lines[judged[-1].time].reason == last.reason
    assert lines[judged[-1].time].decision == last.act


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
