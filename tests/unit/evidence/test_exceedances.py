"""Slow requests and tails of whole releases in seeded worlds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from causal_rollouts.evidence import exceedances
from causal_rollouts.evidence.frame import HistogramBins, Lottery
from causal_rollouts.model.metrics import Gating, Margins, Metric, MetricKind
from tests.unit.evidence.count_world import (
    EDGES,
    T0,
    Fleet,
    Plan,
    cut,
    findings,
    highest,
    latencies_of,
    plan_of,
)

MARGINS = Margins(revert_above=0.5, promote_below=1.5)
TAIL = Metric("tail", MetricKind.TAIL, "http_request_duration_seconds", MARGINS, Gating.REVERT_ONLY)
SLOW = replace(TAIL, name="slow", kind=MetricKind.SLOW)
WEIGHT = {MetricKind.TAIL: 0.12, MetricKind.SLOW: 0.06}
REVERT = math.log(100.0)
FLEET = Fleet(pod_sd=0.03, node_sd=0.05)
TAIL_SHARE = 0.0037
RUNS = 5


def lottery_of(fleet: Fleet) -> Lottery:
    """What latency would have shown of this fleet."""
    return Lottery(fleet.pod_sd**2, fleet.stable - fleet.nodes, fleet.drift_sd**2, fleet.drift_phi, 20.0)


def world(fleet: Fleet, run: int) -> tuple[Plan, HistogramBins]:
    rng = np.random.default_rng([30, run])
    plan = plan_of(fleet, rng)
    return plan, latencies_of(plan, rng)


def told(fleet: Fleet, run: int, metric: Metric = TAIL, every: int = 4):
    plan, table = world(fleet, run)
    return list(told_of(plan, table, metric, every))


def told_of(plan: Plan, table: HistogramBins, metric: Metric = TAIL, every: int = 4):
    return findings(
        plan,
        table,
        lambda frame, history: exceedances.begin(frame, history, metric, lottery_of(plan.fleet)),
        exceedances.absorb,
        lambda state, frame: exceedances.judge(state, frame, metric),
        every,
    )


def reverted(story, kind: MetricKind) -> int | None:
    return next((at for at, finding in story if highest(finding, WEIGHT[kind]) >= REVERT), None)


NULLS = {
    "plain": FLEET,
    "low traffic": replace(FLEET, requests=20.0),
    "unequal nodes": replace(FLEET, node_sd=0.15),
    "unequal pods": replace(FLEET, pod_sd=0.06),
    "drifting nodes": replace(FLEET, drift_sd=0.1),
    "whole-service incident": replace(FLEET, incident=(20, 30, 2.0), node_sd=0.1),
}


def test_a_release_that_changes_nothing_is_not_reverted_for_slow_requests():
    false = [
        (name, metric.name, run)
        for name, fleet in NULLS.items()
        for metric in (TAIL, SLOW)
        for run in range(RUNS)
        if reverted(told(fleet, run, metric), metric.kind)
    ]
    assert len(false) <= binom.ppf(0.999, RUNS * len(NULLS) * 2, 0.01), false


def test_a_tail_that_the_release_makes_three_times_as_long_is_reverted():
    caught = [
        reverted(told(replace(FLEET, canary_adds=2 * TAIL_SHARE), run), MetricKind.TAIL) for run in range(10)
    ]
    assert sum(at is not None for at in caught) >= binom.ppf(0.01, 10, 0.85), caught


def test_many_slow_requests_are_reverted_soon():
    caught = [
        reverted(told(replace(FLEET, canary_adds=0.05), run, SLOW), MetricKind.SLOW) for run in range(RUNS)
    ]
    assert all(at is not None and at <= 60 for at in caught), caught


def test_what_drifting_nodes_alone_could_do_is_not_scored_and_says_so():
    finding = told(replace(FLEET, drift_sd=0.2, canary_adds=0.05), 0)[-1][1]
    assert not finding.identified
    assert "pods and nodes alone can move the share over" in finding.note
    assert "it takes more slots or nodes" in finding.note
    assert all(track.log_e == -math.inf for track in finding.tracks)
    assert finding.log_e_safe == -math.inf


def test_pods_that_differ_in_latency_are_known_to_differ_more_in_its_tail():
    plan, table = world(FLEET, 0)
    frame, history = plan.frame(T0 - 1), cut(table, plan.first, T0)
    calm = exceedances.begin(frame, history, TAIL, replace(lottery_of(FLEET), sig_p2=0.0)).history
    loud = exceedances.begin(
        frame, history, TAIL, replace(lottery_of(FLEET), sig_p2=0.05**2, gam=1e-3)
    ).history
    # Log-normal about 80 ms with a log sd of .6: the log share over .4 s falls by 5 for one of log latency.
    assert calm.v_pod < loud.v_pod
    assert loud.v_pod / 0.05**2 == pytest.approx(25.0, rel=0.25)
    assert loud.v_drift / 1e-3 == pytest.approx(25.0, rel=0.25)


def edge(metric: Metric, share_over: dict[float, float] | None = None) -> float:
    plan, table = world(FLEET, 0)
    return exceedances.begin(plan.frame(T0 - 1), cut(table, plan.first, T0), metric, None).edge


def test_edges_are_chosen_from_the_past():
    assert edge(SLOW) == 0.3  # 1.4% lie over .3 s, .4% over .4 s
    assert edge(TAIL) == 0.4  # .1% lie over .5 s
    assert edge(replace(SLOW, over=0.2)) == 0.2
    assert edge(replace(SLOW, share=0.05)) == 0.2
    assert edge(replace(TAIL, share=0.0005)) == 0.5


def test_a_threshold_between_edges_is_refused_and_the_edges_are_named():
    assert exceedances.edge_of(replace(SLOW, over=0.35), EDGES.tolist()) is None
    assert exceedances.edge_of(replace(SLOW, over=0.3), EDGES.tolist()) == 0.3
    with pytest.raises(ValueError, match=r"over: no bucket edge 0\.35 s; edges are .*0\.3, 0\.4"):
        edge(replace(SLOW, over=0.35))


def test_a_histogram_that_lost_its_edge_is_named():
    plan, table = world(FLEET, 0)
    frame, history = plan.frame(T0 - 1), cut(table, plan.first, T0)
    state = exceedances.begin(frame, history, TAIL, None)
    other = replace(cut(table, T0, T0 + 2), edges=EDGES * 1.1)
    with pytest.raises(ValueError, match=r"no bucket edge 0\.4 s"):
        exceedances.absorb(state, plan.frame(T0 + 1), other)


def counted(plan: Plan, table: HistogramBins, until_stable: int | None = None) -> np.ndarray:
    """Totals of the first window after the whole release."""
    state = exceedances.begin(plan.frame(T0 - 1), cut(table, plan.first, T0), TAIL, lottery_of(plan.fleet))
    last = plan.looks[-1]
    frame = plan.frame(last, until_stable=until_stable)
    state = exceedances.absorb(state, frame, cut(table, T0, last + 1))
    return state.counts.windows[0].totals


def everything_slow(table: HistogramBins, rows: np.ndarray, begin: int, end: int) -> HistogramBins:
    counts = table.counts.copy()
    columns = slice(begin - table.first, end - table.first)
    total = counts[rows, columns].sum(axis=2)
    counts[rows, columns] = 0.0
    counts[rows, columns, -1] = total
    return replace(table, counts=counts)


def test_bins_in_which_the_whole_service_is_slow_are_left_out():
    plan, table = world(FLEET, 1)
    stable = ~plan.young
    slow = everything_slow(table, stable, T0 + 30, T0 + 40)
    # Ten bins, and three more that still have one of them among the newest four.
    missing = counted(plan, table)[1] - counted(plan, slow)[1]
    row = plan.canary & np.array([u.ready < T0 for u in plan.units])
    columns = slice(T0 + 30 - table.first, T0 + 43 - table.first)
    assert missing == table.counts[row, columns].sum()


def test_while_stable_pods_are_replaced_baseline_shows_the_incident():
    plan, table = world(FLEET, 1)
    baseline = plan.young & ~plan.canary
    slow = everything_slow(table, baseline, T0 + 90, T0 + 100)
    assert counted(plan, slow, until_stable=T0 + 80)[1] < counted(plan, table, until_stable=T0 + 80)[1]
    assert counted(plan, slow)[1] == counted(plan, table)[1]


def test_a_baseline_slot_beside_a_canary_is_no_control():
    plan, table = world(FLEET, 2)
    beside = next(u for u in plan.units if u.id == "baseline-0")
    home = next(u for u in plan.units if u.id == "canary-0").node
    moved = replace(plan, units=tuple(replace(u, node=home) if u is beside else u for u in plan.units))
    row = np.array([u.id == "baseline-0" for u in plan.units])
    columns = slice(T0 + 4 - table.first, None)
    assert counted(plan, table)[3] - counted(moved, table)[3] == table.counts[row, columns].sum()
    everybody = replace(
        plan,
        units=tuple(replace(u, node=home) if u.id.startswith("baseline") else u for u in plan.units),
    )
    assert counted(everybody, table)[3] == counted(plan, table)[3]
