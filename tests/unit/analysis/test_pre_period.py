"""A simulated release with a past of the arms' own: by its own decisions, and recorded and replayed."""

from dataclasses import replace

import numpy as np

from causal_rollouts.analysis.closed_loop import Allocation, Case
from causal_rollouts.analysis.manifest import registration
from causal_rollouts.analysis.opinion import Question
from causal_rollouts.analysis.replay import replay
from causal_rollouts.analysis.second_opinion import second_opinion
from causal_rollouts.analysis.simulate import simulate
from causal_rollouts.analysis.simulated_release import End, SimulatedRelease
from causal_rollouts.analysis.simulation.scenarios import SCENARIOS
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.registration import ArmsPlan


def recorded(scenario: str, seed: int):
    drawn = SCENARIOS[scenario].draw(np.random.default_rng([seed, 7]))
    setting = replace(drawn, arms=ArmsPlan(pre_period=240.0), stage_seconds=(240.0, 120.0, 120.0))
    return simulate(setting, seed)


def test_the_candidate_runs_after_the_pre_period_only_and_on_the_same_nodes() -> None:
    recording = recorded("plain", 3)
    arms = [pod for pod in recording.pods if pod.arm is not Arm.STABLE]
    before = {pod.slot: pod for pod in arms if pod.deleted is not None}
    after = {pod.slot: pod for pod in arms if pod.deleted is None}
    assert before
    for slot, pod in before.items():
        assert after[slot].node == pod.node
        assert after[slot].created == pod.deleted
    assert registration(recording).arms.pre_period == 240.0


def test_a_replay_tells_the_pre_period_the_replacement_and_the_stages() -> None:
    lines = list(replay(recorded("latency+50%", 3)))
    reasons = [line.reason for line in lines if line.stage is None]
    assert reasons.count("PrePeriod") >= 6
    assert reasons.index("PrePeriod") < reasons.index("Replacing")
    assert all(line.decision == "Hold" for line in lines if line.stage is None)
    assert any(line.decision == "Revert" for line in lines if line.stage == 0)


def test_a_release_comes_through_it_as_from_the_bytes_of_the_record() -> None:
    case = Case("latency+25%", 2, Allocation.BEFORE)
    ended = SimulatedRelease(case.setting(), case.seed).run()
    again = SimulatedRelease(case.setting(), case.seed, encoded=True).run()
    assert ended.end is End.REVERTED
    assert replace(again, state_bytes=0) == ended


def test_a_second_opinion_compares_changes_where_the_arms_have_a_past() -> None:
    latency = second_opinion(recorded("latency+50%", 3)).metrics[0]
    said = {one.method: one for one in latency.said if one.question is Question.RELEASE}
    changes = next(one for method, one in said.items() if method.startswith("change scores"))
    levels = next(one for method, one in said.items() if method.startswith("difference of slot levels"))
    assert changes.lower < np.log(1.5) < changes.upper
    assert levels.lower < np.log(1.5) < levels.upper
    study = said["event study"]
    assert {span.end <= 0 for span in study.spans} == {True, False}
    assert all(span.lower < 0 < span.upper for span in study.spans if span.end <= 0)
    assert all(span.effect > 0.2 for span in study.spans if span.begin >= 0)
    assert said["randomisation test of changes"].p == 1 / 8
    assert "pre-trend" in said
    assert said["imputation (Borusyak, Jaravel, Spiess)"].effect > 0.2


def test_without_a_pre_period_it_says_why_it_compares_levels() -> None:
    drawn = SCENARIOS["plain"].draw(np.random.default_rng([3, 7]))
    opinion = second_opinion(simulate(replace(drawn, stage_seconds=(240.0, 120.0, 120.0)), 3))
    absent = {one.method for one in opinion.metrics[0].absent}
    assert {"change scores", "pre-trend", "imputation over stages", "breakdown Mbar"} <= absent
