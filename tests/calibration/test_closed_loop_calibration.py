"""The error budget, counted over whole releases that the gate runs itself.

The short form is part of every test run and can only see a gross breach; the
slow one is what docs/calibration.md is made of. Seeds are fixed, so neither
fails by bad luck once it has passed.
"""

from __future__ import annotations

from math import comb

import pytest

from causal_rollouts.analysis.closed_loop import Allocation, Case, run
from causal_rollouts.analysis.simulated_release import End, Ended, SimulatedRelease
from causal_rollouts.analysis.simulation.scenarios import SCENARIOS, Kind
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Reason
from causal_rollouts.stats.binomial import clopper_pearson

ALPHA = 0.01
NULLS = [name for name, scenario in SCENARIOS.items() if scenario.kind is Kind.NULL]


def most(runs: int, rate: float, doubt: float) -> int:
    """Fewest events that a rate of `rate` exceeds with probability below `doubt`."""
    left, k = 1.0, 0
    while True:
        left -= comb(runs, k) * rate**k * (1 - rate) ** (runs - k)
        if left < doubt:
            return k
        k += 1


def ended(scenario: str, runs: int, seed: int, allocation: Allocation = Allocation.DESIGN) -> list[Ended]:
    return [run(Case(scenario, seed + i, allocation)) for i in range(runs)]


def worst(runs: list[Ended]) -> str:
    return ", ".join(f"{i}: {one.cause}" for i, one in enumerate(runs) if one.end is End.REVERTED)


def test_the_binomial_bound_is_the_textbooks():
    assert [most(10, 0.01, 0.001), most(30, 0.01, 0.001), most(300, 0.01, 0.001)] == [2, 3, 10]


def test_releases_that_change_nothing_are_hardly_ever_reverted():
    names = ("plain", "low-traffic", "missing", "shock", "drift", "cold-errors", "small-fleet")
    # Seeds of their own: with the same ones all scenarios would stand on three services.
    runs = [one for k, name in enumerate(names) for one in ended(name, 3, 70_000 + 10 * k)]
    reverted = sum(one.end is End.REVERTED for one in runs)
    assert reverted <= most(len(runs), ALPHA, 0.001), worst(runs)
    assert sum(one.end is End.PROMOTED for one in runs) >= len(runs) // 3


@pytest.mark.parametrize(("name", "least"), [("latency+50%", 5), ("errors+2pp", 5), ("crash-loop", 6)])
def test_gross_harm_is_reverted(name: str, least: int):
    runs = ended(name, 6, 71_000)
    assert sum(one.end is End.REVERTED for one in runs) >= least
    assert not any(one.end is End.PROMOTED for one in runs)


class Told(SimulatedRelease):
    """Keeps the reason of every decision."""

    def __init__(self, case: Case) -> None:
        super().__init__(case.setting(), case.seed)
        self.reasons: set[Reason] = set()

    def _look(self, index: int, now: float) -> Decision:
        decision = super()._look(index, now)
        self.reasons.add(decision.reason)
        return decision


def test_a_busier_canary_is_held_for_its_load_and_neither_promoted_nor_reverted():
    told = Told(Case("load-imbalance", 72_000))
    assert told.run().end is End.PAUSED
    assert Reason.DESIGN_UNSOUND in told.reasons


@pytest.mark.slow
def test_unequal_load_is_never_promoted():
    runs = ended("load-imbalance", 60, 72_000)
    assert not any(one.end is End.PROMOTED for one in runs)


@pytest.mark.slow
@pytest.mark.parametrize("name", NULLS)
def test_no_null_is_reverted_more_often_than_declared(name: str):
    runs = ended(name, 200, 80_000)
    reverted = sum(one.end is End.REVERTED for one in runs)
    assert reverted <= most(len(runs), ALPHA, 0.001), worst(runs)


UNEVEN = ("plain", "uneven-fresh", "unequal-nodes", "slow-nodes", "drift", "strong-drift", "slow-jitter")
"""Process lottery, node effects and drift: what a pre-period is for, and what could fool it."""


@pytest.mark.slow
@pytest.mark.parametrize("name", UNEVEN)
def test_a_pre_period_keeps_the_same_promise(name: str):
    runs = ended(name, 100, 81_000, Allocation.BEFORE)
    reverted = sum(one.end is End.REVERTED for one in runs)
    assert reverted <= most(len(runs), ALPHA, 0.001), worst(runs)
    told_apart = sum(one.cause == Reason.CONTAMINATED for one in runs)
    assert told_apart <= most(len(runs), ALPHA, 0.001)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n, s in SCENARIOS.items() if s.kind is Kind.MARGIN])
def test_a_release_at_the_margin_is_hardly_ever_promoted(name: str):
    runs = ended(name, 200, 80_000)
    promoted = sum(one.end is End.PROMOTED for one in runs)
    assert clopper_pearson(promoted, len(runs))[0] <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "metric", "least"),
    [("footprint+50%", "cpu", 15), ("calls-x3", "calls", 19), ("memory+50%", "memory", 15)],
)
def test_a_footprint_that_grew_is_warned_of_in_the_first_stage_and_never_reverts(
    name: str, metric: str, least: int
):
    # A fleet with a pod on each node cannot tell its nodes from its pods: there half as much is seen later.
    runs = ended(name, 20, 74_000)
    assert sum(one.warned.get(metric) == 0 for one in runs) >= least
    assert not [one for one in runs if one.end is End.REVERTED and one.cause in {"cpu", "calls", "memory"}]
    assert sum(one.end is End.REVERTED for one in runs) <= most(len(runs), ALPHA, 0.001), worst(runs)
    others = sum(other != metric for one in runs for other in one.warned)
    assert others <= most(2 * len(runs), ALPHA, 0.001)


@pytest.mark.slow
def test_a_candidate_that_needs_what_stable_needs_is_hardly_ever_warned_of():
    runs = ended("even-use", 100, 75_000)
    assert sum(len(one.warned) for one in runs) <= most(3 * len(runs), ALPHA, 0.001)
    assert sum(one.end is End.REVERTED for one in runs) <= most(len(runs), ALPHA, 0.001), worst(runs)
