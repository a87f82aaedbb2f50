"""A version of the real cluster that was quicker itself and took the CPU of its nodes."""

from pathlib import Path

import pytest

from causal_rollouts.analysis.recording import read
from causal_rollouts.analysis.replay import replay

RECORDED = Path(__file__).parents[2] / "recordings" / "neighbour-harm"


def test_it_is_reverted_for_its_neighbours_though_its_own_pods_are_quicker() -> None:
    line = next(line for line in replay(read(RECORDED)) if line.decision == "Revert")
    latency, neighbours = line.metrics[:2]
    assert (line.stage, line.reason) == (0, "NeighbourHarm")
    assert latency.effect == pytest.approx(-0.174, abs=0.001)
    assert latency.log_e_harm is None
    assert neighbours.effect == pytest.approx(0.180, abs=0.001)
    assert (neighbours.lower, neighbours.upper) == pytest.approx((0.073, 0.297), abs=0.001)
    # What it did to others counts in its favour where stable pods beside it are the comparison.
    assert latency.naive == pytest.approx(-0.222, abs=0.001)
    assert neighbours.naive is None
