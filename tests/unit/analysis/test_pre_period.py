"""A simulated release with a past of the arms' own: by its own decisions, and recorded and replayed."""

from dataclasses import replace

import numpy as np

from causal_rollouts.analysis.closed_loop import Allocation, Case
from causal_rollouts.analysis.manifest import registration
from causal_rollouts.analysis.replay import replay
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
