"""Errors of whole releases in seeded worlds: what is reverted, what may be promoted, what is ignored."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from causal_rollouts.evidence import errors
from causal_rollouts.evidence.frame import CountBins
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import Gating, Margins, Metric, MetricKind
from tests.unit.evidence.count_world import (
    T0,
    Fleet,
    Plan,
    cut,
    errors_of,
    findings,
    highest,
    plan_of,
)

MARGINS = Margins(revert_above=0.25, promote_below=0.5, revert_above_points=0.001, promote_below_points=0.003)
METRIC = Metric("errors", MetricKind.ERRORS, "http_requests_total", MARGINS, Gating.BOTH)
WEIGHT = 0.2
REVERT = math.log(100.0)
PROMOTE = 3.0
RUNS = 8


def story(fleet: Fleet, run: int, every: int = 4):
    rng = np.random.default_rng([20, run])
    plan = plan_of(fleet, rng)
    table = errors_of(plan, rng)
    return plan, table, list(story_of(plan, table, every))


def story_of(plan: Plan, table: CountBins, every: int = 4):
    def judge(state, frame):
        return errors.judge(state, frame, METRIC, 0.95)

    return findings(plan, table, errors.begin, errors.absorb, judge, every)


def reverted(told) -> int | None:
    return next((at for at, finding in told if highest(finding, WEIGHT) >= REVERT), None)


def promoted(told) -> int | None:
    return next((at for at, finding in told if finding.log_e_safe >= PROMOTE), None)


NULLS = {
    "plain": Fleet(),
    "pods that differ much": Fleet(pod_sd=0.3, node_sd=0.2),
    "low traffic": Fleet(requests=20.0),
    "few pods": Fleet(stable=6, nodes=5, grows=(2, 3, 4)),
    "cold pods": Fleet(cold=3.0),
    "whole-service incident": Fleet(incident=(20, 30, 6.0)),
    "drifting nodes": Fleet(drift_sd=0.2),
    "missing scrapes": Fleet(missing=0.15),
    "no errors at all": Fleet(rate=0.0),
    "almost no errors": Fleet(rate=1e-5),
}


def test_a_release_that_changes_nothing_is_not_reverted_for_errors():
    false = [
        (name, run) for name, fleet in NULLS.items() for run in range(RUNS) if reverted(story(fleet, run)[2])
    ]
    # A gate that reverts at its declared 1% for errors alone passes this in all but one of 1,000 seeds.
    assert len(false) <= binom.ppf(0.999, RUNS * len(NULLS), 0.01), false


@pytest.mark.parametrize(
    ("fleet", "within"),
    [
        (Fleet(canary_adds=0.02), 40),
        (Fleet(canary_adds=0.02, requests=20.0), 119),
        (Fleet(canary_adds=0.02, onset=50), 119),
        (Fleet(canary_adds=0.02, incident=(20, 30, 4.0)), 60),
        (Fleet(canary_adds=0.02, cold=3.0), 60),
        (Fleet(canary_adds=0.02, rate=0.0), 40),
        (Fleet(canary_adds=0.005, rate=0.0), 80),
        (Fleet(canary_adds=0.005, rate=0.001), 80),
    ],
)
def test_errors_that_the_release_causes_are_reverted(fleet, within):
    caught = [reverted(story(fleet, run)[2]) for run in range(5)]
    assert all(at is not None and at <= within for at in caught), caught


def test_the_same_errors_in_the_baseline_do_not_revert():
    other = {Arm.CANARY: Arm.BASELINE, Arm.BASELINE: Arm.CANARY, Arm.STABLE: Arm.STABLE}
    plan, table, told = story(Fleet(canary_adds=0.02), 0)
    assert reverted(told) is not None
    swapped = replace(plan, units=tuple(replace(u, arm=other[u.arm]) for u in plan.units))
    assert reverted(story_of(swapped, table)) is None


def test_a_harmless_release_gathers_the_evidence_to_be_promoted():
    at = [promoted(story(Fleet(), run)[2]) for run in range(RUNS)]
    assert sum(a is not None for a in at) >= RUNS // 2


def test_a_service_that_never_fails_can_be_promoted():
    for rate in (0.0, 1e-5):
        assert promoted(story(Fleet(rate=rate), 0)[2]) is not None


def test_an_effect_at_the_margin_is_not_called_safe():
    false = [
        promoted(story(Fleet(rate=rate, canary_adds=0.003, grows=(6, 10, 14)), run)[2])
        for rate in (0.0, 0.001, 0.005)
        for run in range(RUNS)
    ]
    assert sum(at is not None for at in false) <= binom.ppf(0.999, len(false), math.exp(-PROMOTE)), false


def test_a_harm_below_the_declared_points_is_not_reverted_however_many_times_the_rate_it_is():
    for run in range(3):
        assert reverted(story(Fleet(rate=1e-5, canary_adds=0.0005, requests=2000.0), run)[2]) is None


def test_nothing_is_held_against_a_release_whose_estimate_is_below_the_margin():
    """A better release, and one a little worse than the margin allows to be called harm."""
    for times in (0.5, 1.15):
        _, finding = story(Fleet(canary_times=times, rate=0.02, pod_sd=0.0, node_sd=0.0), 0, every=59)[2][-1]
        assert finding.effect < finding.harm_margin
        assert {track.log_e for track in finding.tracks if track.window == T0} == {-math.inf}


def test_errors_that_begin_in_a_later_stage_are_evidence_of_its_window_too():
    onset = 50
    plan, _, told = story(Fleet(canary_adds=0.05, onset=onset), 0)
    later = [window for window in plan.frame(T0 + onset).windows if window > T0]
    assert later
    highest_of = {track.window: track.log_e for track in told[-1][1].tracks if track.share == 0.2}
    assert all(highest_of[window] > REVERT for window in later)


def test_the_interval_holds_the_truth_at_every_look():
    truth = math.log(3.0)
    missed = [
        any(not f.lower <= truth <= f.upper for _, f in story(Fleet(canary_times=3.0), run)[2])
        for run in range(RUNS)
    ]
    assert sum(missed) <= binom.ppf(0.999, RUNS, 0.05)
    _, finding = story(Fleet(canary_times=3.0), 0)[2][-1]
    assert finding.upper - finding.lower < 1.6
    assert finding.effect == pytest.approx(truth, abs=0.4)


def test_margins_are_the_larger_of_share_and_points_with_a_floor_under_the_rate():
    _, finding = story(Fleet(rate=0.0), 0)[2][0]
    assert finding.harm_margin == pytest.approx(math.log(1 + 0.001 / 1e-4))
    assert finding.safe_margin == pytest.approx(math.log(1 + 0.003 / 1e-4))
    assert math.isnan(finding.effect)
    _, finding = story(Fleet(rate=0.05), 0)[2][0]
    assert finding.harm_margin == pytest.approx(math.log(1.25))
    assert finding.safe_margin == pytest.approx(math.log(1.5))


def absorbed(plan: Plan, table: CountBins, **frame):
    state = errors.begin(plan.frame(T0 - 1), cut(table, plan.first, T0))
    last = plan.looks[-1]
    return errors.absorb(state, plan.frame(last, **frame), cut(table, T0, last + 1))


def same(one: errors.ErrorState, other: errors.ErrorState) -> bool:
    return all(
        np.array_equal(a.log_l, b.log_l)
        for a, b in zip((*one.counts.windows, *one.fresh), (*other.counts.windows, *other.fresh), strict=True)
    )


def spoiled(plan: Plan, table: CountBins, which: np.ndarray, *, lost: bool = False) -> CountBins:
    """Every request of some unit-bins fails."""
    return replace(
        table,
        events=np.where(which, table.exposure, table.events),
        lost=table.lost | which if lost else table.lost,
    )


@pytest.mark.parametrize("what", ["blackout", "warm-up", "lost", "before the first stage"])
def test_bins_that_do_not_count_leave_no_trace(what):
    plan, table, _ = story(Fleet(), 1, every=59)
    at = plan.at[None, :] + np.zeros((len(plan.units), 1), dtype=int)
    ready = np.array([u.ready for u in plan.units])[:, None]
    excluded = frozenset(range(T0 + 40, T0 + 42)) if what == "blackout" else frozenset()
    which = {
        "blackout": np.isin(at, sorted(excluded)),
        "warm-up": plan.young[:, None] & (at < np.maximum(ready, T0) + 4),
        "lost": plan.canary[:, None] & (at == T0 + 30),
        "before the first stage": plan.young[:, None] & (at < T0),
    }[what]
    clean, dirty = table, spoiled(plan, table, which, lost=what == "lost")
    if what == "lost":
        clean = replace(table, lost=table.lost | which)
    assert same(absorbed(plan, clean, excluded=excluded), absorbed(plan, dirty, excluded=excluded))
    assert not same(absorbed(plan, table), absorbed(plan, spoiled(plan, table, at == T0 + 30)))


def test_stable_pods_say_nothing_once_promotion_replaces_them():
    plan, table, _ = story(Fleet(), 2, every=59)
    late = ~plan.young[:, None] & (plan.at >= T0 + 80)[None, :]
    dirty = spoiled(plan, table, late)
    assert same(absorbed(plan, table, until_stable=T0 + 80), absorbed(plan, dirty, until_stable=T0 + 80))
    assert not same(absorbed(plan, table), absorbed(plan, dirty))


def test_a_canary_without_a_baseline_of_its_own_start_does_not_count():
    plan, table, _ = story(Fleet(), 3, every=59)
    late = {f"baseline-{i}" for i in (6, 7)}
    alone = replace(plan, units=tuple(u for u in plan.units if u.id not in late))
    kept = [i for i, u in enumerate(plan.units) if u.id not in late]
    lonely = np.array([u.id in {"canary-6", "canary-7"} for u in alone.units])[:, None]
    fewer = CountBins(alone.ids, table.first, table.events[kept], table.exposure[kept], table.lost[kept])
    assert same(
        absorbed(alone, fewer), absorbed(alone, spoiled(alone, fewer, lonely & (alone.at > 0)[None, :]))
    )
