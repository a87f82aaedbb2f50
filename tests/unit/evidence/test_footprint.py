"""Use for each request: what is warned of, what is not, and what it says of the whole service."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from causal_rollouts.evidence.frame import LevelBins
from causal_rollouts.evidence.gate_state import CODEC
from causal_rollouts.evidence.levels import consume
from causal_rollouts.model.footprint import WARNING, Headroom
from causal_rollouts.stats.sampling_variance import sampling_variance
from tests.unit.evidence.footprint_world import CPU, FLEET, MEMORY, T0, Use, after, said, taken_in, used


def test_a_candidate_that_asks_its_backend_three_times_is_warned_of_in_the_first_stage():
    told = after(1, Use(cost=1.0, factor=3.0, counted=True))
    assert math.exp(told.effect) == pytest.approx(3.0, rel=0.1)
    assert told.grown
    assert told.standing is Headroom.EXCEEDED


def test_half_as_much_processor_time_again_is_warned_of_in_the_first_stage():
    found = [after(seed, Use(factor=1.5)) for seed in range(20)]
    assert sum(told.grown for told in found) >= 19
    assert sum(told.lower <= math.log(1.5) <= told.upper for told in found) >= 19


def test_a_candidate_that_needs_the_same_is_not_warned_of():
    found = [after(seed, Use(), bins=40) for seed in range(30)]
    assert not [told for told in found if told.grown or told.standing is Headroom.EXCEEDED]


def test_nodes_of_other_hardware_do_not_pass_for_the_release():
    # A third more or less on a node is in its stable pods' past; without them it would be in the effect.
    uneven = [after(seed, Use(nodes=0.3)).effect for seed in range(12)]
    assert float(np.std(uneven)) < 0.15
    assert not any(after(seed, Use(nodes=0.3)).grown for seed in range(12))


def test_the_whole_service_is_the_ratio_times_what_it_uses_now():
    told = after(2, Use(factor=1.5))
    assert told.present == pytest.approx(0.02 * 2000.0, rel=0.15)
    likely, low, high = told.whole
    assert (likely, low, high) == tuple(
        told.present * math.exp(x) for x in (told.effect, told.lower, told.upper)
    )
    assert told.canary / told.baseline == pytest.approx(1.5, rel=0.15)
    assert (told.requests, math.isnan(told.pods)) == (2000.0, True)


def test_a_gauge_is_held_against_pods():
    told = after(3, Use(cost=4e8, factor=1.5, gauge=True), metric=MEMORY)
    assert told.per == "pod"
    assert math.exp(told.effect) == pytest.approx(1.5, rel=0.1)
    assert told.present == pytest.approx(20 * 4e8, rel=0.1)
    assert told.grown


def test_headroom_is_judged_by_the_whole_interval():
    plain = after(1, Use(factor=1.5))
    judged = replace(plain, effect=math.log(1.35), lower=math.log(1.2), upper=math.log(1.4))
    for room, standing in (
        (None, Headroom.UNSTATED),
        (0.1, Headroom.EXCEEDED),
        (0.3, Headroom.UNCLEAR),
        (0.5, Headroom.WITHIN),
    ):
        assert replace(judged, headroom=room).standing is standing
    assert replace(judged, effect=math.nan).standing is Headroom.UNKNOWN
    assert not replace(judged, headroom=0.1).blocks
    assert replace(judged, headroom=0.1, waits=True).blocks


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_calls_so_rare_that_many_bins_have_none_are_still_compared(factor: float):
    rare = Use(cost=0.01, factor=factor, counted=True, requests=150.0)
    found = [after(seed, rare, bins=40) for seed in range(15)]
    assert sum(told.grown for told in found) <= (0 if factor == 1.0 else 15)
    assert np.mean([told.effect for told in found]) == pytest.approx(math.log(factor), abs=0.12)


def test_a_look_made_up_later_leaves_the_same_bits():
    release, table = used(4, Use(factor=1.2))
    often = taken_in(release, table, range(T0 + 2, T0 + 17, 2))
    once = taken_in(release, table, range(T0 + 16, T0 + 17, 2))
    assert CODEC.encode(often) == CODEC.encode(once)
    assert CODEC.decode(CODEC.encode(often)).levels.slots == often.levels.slots


def test_a_stage_that_shows_nothing_yet_says_nothing():
    told = after(5, Use(factor=3.0), bins=4)
    assert math.isnan(told.effect)
    assert (told.grown, told.standing) == (False, Headroom.UNKNOWN)


def test_windows_share_one_budget_of_warnings():
    release, table = used(6, Use(factor=1.5))
    state = taken_in(release, table, range(T0 + 2, T0 + 41, 2))
    both = said(release, state, T0 + 39)
    assert len(release.frame(T0 + 39).windows) == 2
    assert both.log_e > WARNING
    assert said(
        release, state, T0 + 39, replace(CPU, margins=replace(CPU.margins, revert_above=5.0))
    ).log_e == (-math.inf)


def test_a_bin_of_another_kind_than_latency_is_believed_up_to_its_own_clip():
    release, table = used(7, Use(cost=1.0, factor=8.0, pods=0.01, jitter=0.01))
    state = taken_in(release, table, range(T0 + 2, T0 + 21, 2))
    assert math.exp(said(release, state, T0 + 19).effect) == pytest.approx(8.0, rel=0.1)
    bins = LevelBins(
        table.ids, T0, table.requests[:, 120:], np.zeros_like(table.use[:, 120:]), table.lost[:, 120:], 9.0
    )
    assert consume(state.levels, release.frame(T0 + 21), bins, T0 + 22).next_bin == T0 + 22


def test_sampling_is_told_from_the_rest_of_the_noise():
    rng = np.random.default_rng(1)
    n = rng.integers(5, 200, (40, 200)).astype(float)
    y = rng.normal(0.0, np.sqrt(0.01 + 0.5 / n))
    assert sampling_variance(y, n) == pytest.approx(0.5, rel=0.2)
    assert sampling_variance(y, np.full_like(n, 50.0)) == 0.0
    assert sampling_variance(y[:, :1], n[:, :1]) == 0.0
    assert sampling_variance(rng.normal(0.0, 0.1, n.shape), n) < 0.05


def test_small_fleets_are_charged_for_what_they_cannot_know():
    few = replace(FLEET, stable=4, nodes=4, grows=(3,))
    assert not any(after(seed, Use(pods=0.1), bins=20, fleet=few).grown for seed in range(20))
