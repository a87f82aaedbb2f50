"""Releases of nothing over a service's own past: what the gate makes of them."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from causal_rollouts.analysis.past import NoPast, past, recorded_past, replicas_beside_arms
from causal_rollouts.analysis.pseudo_release import End, PseudoEnd, _PseudoRelease, pseudo_releases, room
from causal_rollouts.analysis.pseudo_tally import pseudo_tally
from causal_rollouts.evidence.frame import HistogramBins
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.registration import Stage, Times
from tests.unit.analysis.pasts import long_past, long_recording, registration, small_recording


def run(reg, ground, runs=6, seed=0):
    return list(pseudo_releases(reg, ground, runs, seed))


def slowed(ground, slots, begin=0):
    """The past in which requests of some pods took two buckets longer, from bin `begin` on."""
    tables = {}
    for name, table in ground.tables.items():
        bins = table.bins
        if isinstance(bins, HistogramBins):
            counts = bins.counts.copy()
            rows = [i for i, unit in enumerate(bins.ids) if unit in slots]
            cut = np.ix_(rows, range(max(0, begin - bins.first), counts.shape[1]))
            counts[cut] = np.roll(counts[cut], 2, axis=2)
            bins = replace(bins, counts=counts)
        tables[name] = replace(table, bins=bins)
    return replace(ground, tables=tables)


def test_a_quiet_service_is_never_reverted_and_mostly_promoted():
    ends = run(registration(), long_past(), 8)
    assert not [one for one in ends if one.end is End.REVERTED]
    assert sum(one.end is End.PROMOTED for one in ends) >= 4


def test_the_same_seed_gives_the_same_runs_and_another_one_others():
    reg, ground = registration(), long_past()
    assert run(reg, ground, 2) == run(reg, ground, 2)
    assert run(reg, ground, 2) != run(reg, ground, 2, seed=1)


def test_pods_that_were_always_far_slower_than_others_neither_revert_nor_promote():
    ground = long_past()
    half = {pod.slot for pod in ground.pods[::2]}
    ends = run(registration(), slowed(ground, half), 4)
    assert not [one for one in ends if one.end in {End.PROMOTED, End.REVERTED}]


def test_pods_that_turn_slow_just_when_they_play_the_canary_are_reverted_with_the_metric_that_fired():
    ground, reg = long_past(), registration()
    where = room(reg, ground)

    def played(past_):
        return _PseudoRelease(reg, past_, where.replicas, where.earliest, Random(1))

    canaries = {pod.slot for slot, pod in played(ground)._actors.items() if slot.startswith("canary")}
    ended = played(slowed(ground, canaries, where.earliest)).run()
    assert ended.end is End.REVERTED
    assert ended.cause in {"latency", "slow", "tail"}


def test_every_start_has_a_history_before_it_and_a_ladder_behind_it():
    reg, ground = registration(), long_past()
    where = room(reg, ground)
    assert (where.earliest - ground.first) * reg.grid.width >= reg.times.history
    assert (ground.last - where.latest) * reg.grid.width >= sum(s.min_duration for s in reg.stages)
    begins = {one.begin for one in run(reg, ground, 3)}
    assert len(begins) > 1
    assert all(where.earliest <= reg.grid.index(begin) <= where.latest for begin in begins)


def test_a_shorter_history_than_the_policys_will_do_down_to_the_gates_own():
    reg = registration()
    long = replace(reg, times=Times(history=2 * 3600.0))
    assert room(long, long_past()).earliest < long_past().first + 2 * 3600.0 / reg.grid.width


def test_arms_and_what_stays_are_all_pods_of_the_fleet():
    reg = registration()
    replicas = replicas_beside_arms(reg, 16)
    assert 2 <= replicas < 16
    assert replicas_beside_arms(reg, 7) == 0


def test_too_few_pods_are_told_with_the_number_that_is_needed():
    reg = registration()
    ground = recorded_past(reg, small_recording(6))
    with pytest.raises(NoPast, match=r"pods: 6 stable pods .* 8 are needed"):
        room(reg, ground)


def test_a_single_pod_is_no_past():
    reg = registration()
    recording = long_recording()
    one = next(pod for pod in recording.pods if pod.arm is Arm.STABLE)
    with pytest.raises(NoPast, match=r"pods: 1 stable pod"):
        recorded_past(reg, replace(recording, pods=(one,)))


def test_too_short_a_past_says_how_long_it_must_be():
    long = registration(stages=(Stage(100, 7200.0, 9000.0),))
    with pytest.raises(NoPast, match=r"history: 122 min .* at least 1\d\d are needed"):
        room(long, long_past())


def test_a_metric_that_the_pods_do_not_have_is_named():
    reg = registration()
    metrics = tuple(replace(m, series="no_such_seconds") if m.name == "latency" else m for m in reg.metrics)
    with pytest.raises(NoPast, match=r"metrics\[latency\]: .*no_such_seconds"):
        recorded_past(replace(reg, metrics=metrics), long_recording())


def test_no_samples_at_all_are_told():
    with pytest.raises(NoPast, match=r"samples\.jsonl\.gz"):
        recorded_past(registration(), replace(long_recording(), series=()))
    ground = long_past()
    with pytest.raises(NoPast, match="metrics"):
        past(registration(), ground.pods, {}, ground.first, ground.last)


def test_the_tally_has_the_exact_bounds_and_counts_every_run():
    reg, ground = registration(), long_past()
    ends = [PseudoEnd(0.0, End.PROMOTED, 600.0, 1, "SafetyProven", placebo=False)] * 5
    told = pseudo_tally(reg, ground, ends)
    assert sum(one.runs for one in told.ends) == 5
    reverted = next(one for one in told.ends if one.end is End.REVERTED)
    assert reverted.bounds == pytest.approx((0.0, 1 - 0.025 ** (1 / 5)))
    assert told.apart >= 1
