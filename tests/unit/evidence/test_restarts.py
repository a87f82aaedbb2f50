"""Crashing canaries in seeded worlds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.stats import binom

from causal_rollouts.evidence import restarts
from causal_rollouts.evidence.frame import RestartBins
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import Gating, Margins, Metric, MetricKind
from tests.unit.evidence.count_world import (
    BIN_SECONDS,
    T0,
    Fleet,
    Plan,
    cut,
    findings,
    highest,
    plan_of,
    restarts_of,
)

MARGINS = Margins(revert_above=1.0, promote_below=1.0, revert_above_points=0.1)
METRIC = Metric("restarts", MetricKind.RESTARTS, "", MARGINS, Gating.REVERT_ONLY)
WEIGHT = 0.12
REVERT = math.log(100.0)


def world(fleet: Fleet, run: int, per_hour: float, canary: float = 0.0) -> tuple[Plan, RestartBins]:
    rng = np.random.default_rng([40, run])
    plan = plan_of(fleet, rng)
    return plan, restarts_of(plan, rng, per_hour=per_hour, canary_per_hour=canary)


def told(plan: Plan, table: RestartBins, every: int = 2):
    def judge(state, frame):
        return restarts.judge(state, frame, METRIC)

    return list(findings(plan, table, restarts.begin, restarts.absorb, judge, every))


def reverted(story) -> int | None:
    return next((at for at, finding in story if highest(finding, WEIGHT, (1.0, 1.0)) >= REVERT), None)


NULLS = {
    "none": (Fleet(), 0.0),
    "rare": (Fleet(), 0.02),
    "usual": (Fleet(), 0.3),
    "few pods": (Fleet(stable=6, nodes=5, grows=(2, 3, 4)), 0.05),
    "everybody crashes for ten minutes": (Fleet(incident=(30, 40, 300.0)), 0.02),
}


def test_a_release_that_changes_nothing_is_not_reverted_for_restarts():
    false = [
        (name, run)
        for name, (fleet, rate) in NULLS.items()
        for run in range(10)
        if reverted(told(*world(fleet, run, rate)))
    ]
    assert len(false) <= binom.ppf(0.999, 10 * len(NULLS), 0.01), false


def test_canaries_that_crash_every_ten_minutes_are_reverted():
    caught = [reverted(told(*world(Fleet(), run, 0.02, 6.0))) for run in range(10)]
    assert all(at is not None and at <= 100 for at in caught), caught


def quiet(plan: Plan) -> RestartBins:
    return RestartBins(plan.ids, plan.first, np.zeros(plan.alive.shape), plan.alive * BIN_SECONDS)


def with_restarts(plan: Plan, table: RestartBins, *events: tuple[str, int]) -> RestartBins:
    counts = table.restarts.copy()
    for unit, at in events:
        counts[plan.ids.index(unit), T0 + at - plan.first] += 1
    return replace(table, restarts=counts)


def test_three_restarts_of_canaries_revert_where_nobody_else_restarts():
    plan, table = world(Fleet(grows=(3, 3, 3)), 0, 0.0)
    three = with_restarts(plan, quiet(plan), ("canary-0", 12), ("canary-1", 20), ("canary-2", 28))
    two = with_restarts(plan, quiet(plan), ("canary-0", 12), ("canary-1", 20))
    assert reverted(told(plan, three)) is not None
    assert reverted(told(plan, two)) is None
    assert table.restarts.sum() == 0


def test_one_pod_that_crash_loops_counts_once_in_eight_bins():
    plan, _ = world(Fleet(), 0, 0.0)
    loop = with_restarts(plan, quiet(plan), *(("canary-0", at) for at in range(20, 28)))
    once = with_restarts(plan, quiet(plan), ("canary-0", 20))
    assert told(plan, loop)[-1][1] == told(plan, once)[-1][1]
    twice = with_restarts(plan, quiet(plan), ("canary-0", 20), ("canary-0", 28))
    assert told(plan, twice)[-1][1].tracks[0].log_e > told(plan, once)[-1][1].tracks[0].log_e


def test_once_the_controls_restart_too_only_the_comparison_of_arms_counts():
    plan, _ = world(Fleet(), 0, 0.0)
    crash = [("canary-0", 12), ("canary-1", 20), ("canary-2", 28), ("canary-3", 29)]
    incident = [(f"pod-{i:02d}", 11) for i in range(6)]
    finding = told(plan, with_restarts(plan, quiet(plan), *crash, *incident))[-1][1]
    assert "surged" in finding.note
    assert finding.tracks[0].log_e == -math.inf
    assert math.isfinite(finding.tracks[1].log_e)
    calm = told(plan, with_restarts(plan, quiet(plan), *crash))[-1][1]
    assert calm.note == ""
    assert calm.tracks[0].log_e > 4.0


def test_restarts_beside_those_of_a_control_wait_and_later_ones_count():
    """A single restart of forty pods is not yet an incident of all, and four canaries are not yet harm."""
    plan, _ = world(Fleet(stable=40, grows=(8, 8, 8)), 0, 0.0)
    crash = [(f"canary-{i}", 13 + i // 2) for i in range(5)]
    alone = told(plan, with_restarts(plan, quiet(plan), *crash))
    beside = told(plan, with_restarts(plan, quiet(plan), *crash, ("pod-00", 11)))
    assert reverted(alone) is not None
    assert reverted(beside) is None
    waits = [finding for _, finding in beside if "restart too" in finding.note]
    assert waits
    assert {finding.tracks[0].log_e for finding in waits} == {-math.inf}
    assert beside[-1][1].note == ""
    goes_on = [*crash, ("pod-00", 11), *((f"canary-{i}", 40 + i) for i in range(4))]
    assert reverted(told(plan, with_restarts(plan, quiet(plan), *goes_on))) is not None


def test_what_came_before_a_control_restarts_is_held_for_as_long_as_that_is_new():
    plan, _ = world(Fleet(stable=40, grows=(8, 8, 8)), 0, 0.0)
    crash = [(f"canary-{i}", 13) for i in range(4)]
    at_once = reverted(told(plan, with_restarts(plan, quiet(plan), *crash)))
    held = reverted(told(plan, with_restarts(plan, quiet(plan), *crash, ("pod-00", 13))))
    assert at_once is not None
    assert held is not None
    assert 8 <= held - at_once <= 20


def test_restarts_count_again_soon_after_a_control_restarted():
    plan, _ = world(Fleet(stable=12, grows=(8, 8, 8)), 0, 0.0)
    at = {"at once": 15, "soon": 25}
    found = {}
    for name, later in at.items():
        crash = [("canary-0", 12), ("canary-1", 12), *((f"canary-{i}", later) for i in (2, 3, 4))]
        found[name] = reverted(told(plan, with_restarts(plan, quiet(plan), *crash, ("pod-00", 13))))
    assert found["at once"] is None
    assert found["soon"] is not None


def test_a_control_that_restarts_never_adds_evidence_of_harm():
    plan, _ = world(Fleet(stable=40, grows=(8, 8, 8)), 0, 0.0)
    rng = np.random.default_rng(41)
    for _ in range(20):
        crash = [(f"canary-{i}", int(rng.integers(5, 100))) for i in range(6)]
        control = (f"pod-{int(rng.integers(40)):02d}", int(rng.integers(5, 100)))
        without = told(plan, with_restarts(plan, quiet(plan), *crash))
        beside = told(plan, with_restarts(plan, quiet(plan), *crash, control))
        assert all(
            b.tracks[0].log_e <= w.tracks[0].log_e for (_, b), (_, w) in zip(beside, without, strict=True)
        )


def test_what_canaries_did_before_the_first_stage_does_not_count():
    plan, _ = world(Fleet(), 0, 0.0)
    before = with_restarts(plan, quiet(plan), *((f"canary-{i}", -1) for i in range(4)))
    finding = told(plan, before)[-1][1]
    assert finding.tracks[0].log_e == -math.inf
    assert math.isnan(finding.effect)


def test_restarts_of_the_past_raise_what_is_tolerated():
    plan, _ = world(Fleet(), 0, 0.0)
    crash = [("canary-0", 12), ("canary-1", 20), ("canary-2", 28)]
    past = [(f"pod-{i:02d}", -20 - i) for i in range(8)]
    used_to = told(plan, with_restarts(plan, quiet(plan), *crash, *past))[-1][1]
    never = told(plan, with_restarts(plan, quiet(plan), *crash))[-1][1]
    assert used_to.tracks[0].log_e < never.tracks[0].log_e - 3.0


def test_declared_margins_set_the_null_rate():
    plan, _ = world(Fleet(), 0, 0.0)
    strict = restarts.begin(plan.frame(T0 - 1), cut(quiet(plan), plan.first, T0), MARGINS)
    loose = restarts.begin(
        plan.frame(T0 - 1),
        cut(quiet(plan), plan.first, T0),
        replace(MARGINS, revert_above=4.0, revert_above_points=2.0),
    )
    frame = plan.frame(T0 + 40)
    expected = [
        restarts.absorb(state, frame, cut(quiet(plan), T0, T0 + 41)).expected for state in (strict, loose)
    ]
    assert expected[1] > 5.0 * expected[0]


def test_an_incident_while_the_fleet_rolls_is_not_blamed_on_the_release():
    """Only baseline is left to compare with then; its few slots cannot show an incident in time."""
    fleet = Fleet(stable=40, nodes=8, grows=(12, 12, 12), incident=(60, 72, 500.0))
    rolls = T0 + 56

    def accused(run: int) -> bool:
        plan, table = world(fleet, run, 0.02)
        kept = {"baseline-0", "baseline-1"}
        few = tuple(u for u in plan.units if u.arm is not Arm.BASELINE or u.id in kept)
        plan = replace(plan, units=few)
        rows = [table.ids.index(u.id) for u in few]
        ids = tuple(u.id for u in few)
        thin = replace(table, ids=ids, restarts=table.restarts[rows], seconds=table.seconds[rows])
        state = restarts.begin(plan.frame(T0 - 1), cut(thin, plan.first, T0))
        for now in plan.looks:
            frame = plan.frame(now, until_stable=rolls if now >= rolls else None)
            state = restarts.absorb(state, frame, cut(thin, state.next_bin, now + 1))
            if highest(restarts.judge(state, frame, METRIC), WEIGHT, (1.0, 1.0)) >= REVERT:
                return True
        return False

    assert not any(accused(run) for run in range(10))


def test_a_small_fleet_sees_an_incident_of_its_own_too():
    plan, _ = world(Fleet(stable=6, nodes=4), 0, 0.0)
    crash = [("canary-0", 12), ("canary-1", 20), ("canary-2", 28), ("canary-3", 29)]
    incident = [(f"pod-{i:02d}", 11) for i in range(3)]
    finding = told(plan, with_restarts(plan, quiet(plan), *crash, *incident))[-1][1]
    assert "surged" in finding.note
