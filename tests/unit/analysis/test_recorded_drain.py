"""A node of the real cluster was drained as the first stage began: the canary pod that came was cold."""

from dataclasses import replace
from pathlib import Path

import pytest

from causal_rollouts.analysis.recording import read
from causal_rollouts.analysis.replay import replay
from causal_rollouts.model.arms import Arm

RECORDED = Path(__file__).parents[2] / "recordings" / "node-drained"


def test_a_cold_pod_in_the_place_of_a_drained_one_is_not_the_release() -> None:
    lines = list(replay(read(RECORDED)))
    last = [line for line in lines if line.metrics][-1]
    assert not any(line.decision == "Revert" for line in lines)
    assert (last.decision, last.reason) == ("Hold", "StageTooYoung")
    assert last.metrics[0].log_e_harm == pytest.approx(3.87, abs=0.01)


def test_counted_at_once_it_passes_for_the_release() -> None:
    """So it was judged then: the same samples, as if the slot had had one pod all the time."""
    recording = read(RECORDED)
    (first, second) = (pod for pod in recording.pods if pod.slot == "canary-0" and pod.arm is Arm.CANARY)
    early = replace(second, ready=first.ready)
    pods = tuple(early if pod is second else pod for pod in recording.pods)
    lines = list(replay(replace(recording, pods=pods)))
    last = [line for line in lines if line.metrics][-1]
    assert (last.decision, last.reason) == ("Revert", "HarmProven")
    assert last.metrics[0].log_e_harm == pytest.approx(5.81, abs=0.01)
