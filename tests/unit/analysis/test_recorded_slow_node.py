"""A node of the real cluster slowed down under a canary before its release: with and without the past."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from causal_rollouts.analysis.recording import read
from causal_rollouts.analysis.replay import replay
from causal_rollouts.analysis.replay_line import ReplayLine

RECORDED = Path(__file__).parents[2] / "recordings" / "slow-node"


@cache
def decided(*, forget: bool) -> list[ReplayLine]:
    recording = read(RECORDED)
    if forget:
        recording = replace(recording, timeline=tuple(c for c in recording.timeline if c.stage is not None))
    return list(replay(recording))


def last_of_the_first_stage(lines: list[ReplayLine]) -> ReplayLine:
    return [line for line in lines if line.stage == 0][-1]


def test_with_its_past_the_release_goes_on() -> None:
    line = last_of_the_first_stage(decided(forget=False))
    latency, neighbours = line.metrics[:2]
    assert (line.decision, line.reason) == ("Advance", "SafetyProven")
    assert latency.effect == pytest.approx(0.045, abs=0.001)
    assert (latency.lower, latency.upper) == pytest.approx((-0.229, 0.417), abs=0.001)
    assert neighbours.effect == pytest.approx(-0.008, abs=0.001)


def test_without_it_the_node_looks_like_the_release() -> None:
    line = last_of_the_first_stage(decided(forget=True))
    latency, neighbours = line.metrics[:2]
    assert (line.decision, line.reason) == ("Hold", "StageContradicts")
    assert latency.effect == pytest.approx(0.142, abs=0.001)
    assert (latency.lower, latency.upper) == pytest.approx((-0.187, 0.604), abs=0.001)
    assert neighbours.effect == pytest.approx(0.119, abs=0.001)


def test_the_arms_were_no_twins_in_the_pre_period_and_were_not_taken_for_the_release() -> None:
    before = [line for line in decided(forget=False) if line.reason == "PrePeriod"]
    assert max(line.metrics[0].effect or 0.0 for line in before) > 0.1
    assert {line.decision for line in before} == {"Hold"}
