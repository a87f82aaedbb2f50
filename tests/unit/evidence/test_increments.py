"""Increments by hand: what a counter counted between two scrapes, and where that belongs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causal_rollouts.evidence.increments import gather, increments, last_seen, without
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.telemetry import Series

GRID = Grid(width=10.0, delay=12.0, scrape=5.0)
OLD = -math.inf
REACH = 80.0


def counted(*series, born=OLD, since=0.0, until=1e9, reach=REACH, target=0):
    """[(counter, bin, amount, seconds)] of series given as (times, values), all of one target."""
    counters = [(0, 0, Series({}, times, values)) for times, values in series]
    targets = [target] * len(counters)
    samples = gather(counters, targets, since, until)
    found = increments(samples, GRID, np.full(len(counters), born), reach)
    return list(
        zip(
            found.counter.tolist(),
            found.bin.tolist(),
            found.amount.tolist(),
            found.seconds.tolist(),
            strict=True,
        )
    )


def test_an_increment_belongs_to_the_bin_of_its_later_sample():
    assert counted(([8.0, 13.0, 18.0, 23.0], [100, 103, 110, 110])) == [
        (0, 1, 3.0, 5.0),
        (0, 1, 7.0, 5.0),
        (0, 2, 0.0, 5.0),
    ]


def test_a_sample_at_the_edge_opens_the_next_bin():
    assert [row[1] for row in counted(([5.0, 10.0, 20.0], [0, 1, 2]))] == [1, 2]


def test_the_first_sample_is_only_a_start():
    assert counted(([8.0], [100])) == []


def test_a_drop_is_a_reset_and_counts_the_new_value():
    assert counted(([3.0, 8.0, 13.0], [50, 4, 9])) == [(0, 0, 4.0, 5.0), (0, 1, 5.0, 5.0)]


def test_a_lost_scrape_loses_no_request():
    assert counted(([3.0, 8.0, 28.0], [0, 2, 12])) == [(0, 0, 2.0, 5.0), (0, 2, 10.0, 20.0)]


def test_after_a_silence_beyond_reach_the_counter_starts_anew():
    assert counted(([3.0, 93.0, 98.0], [0, 50, 51])) == [(0, 9, 1.0, 5.0)]


def test_a_pod_born_in_view_counts_from_zero():
    assert counted(([13.0, 18.0], [7, 9]), born=4.0) == [(0, 1, 7.0, 9.0), (0, 1, 2.0, 5.0)]


def test_a_pod_born_long_before_its_first_sample_does_not():
    assert counted(([113.0, 118.0], [7, 9]), born=4.0) == [(0, 11, 2.0, 5.0)]


def test_a_status_code_that_appears_for_the_first_time_counts_whole():
    found = counted(([3.0, 8.0, 13.0], [10, 11, 12]), ([13.0], [2]))
    assert (1, 1, 2.0, 5.0) in found


def test_a_target_seen_for_the_first_time_is_a_start_for_all_its_counters():
    assert counted(([3.0], [10]), ([3.0], [400])) == []


def test_counters_that_start_moments_apart_are_not_taken_for_new_ones():
    assert counted(([3.0], [10]), ([4.5], [400])) == []


def test_a_whole_scrape_is_left_out_if_one_value_in_it_is_bad():
    a = Series({}, [3.0, 8.0, 13.0], [1, math.nan, 5])
    b = Series({}, [3.0, 8.0, 13.0], [10, 20, 30])
    samples = gather([(0, 0, a), (0, 1, b)], [0, 0], 0.0, 99.0)
    found = increments(without(samples, ~np.isfinite(samples.value)), GRID, np.full(2, OLD), REACH)
    assert found.amount.tolist() == [4.0, 20.0]


def test_samples_after_the_look_are_not_read():
    assert counted(([3.0, 8.0, 13.0], [0, 2, 9]), until=10.0) == [(0, 0, 2.0, 5.0)]


def test_the_next_tick_is_asked_to_begin_where_the_quietest_counter_was_last_seen():
    quiet, busy, gone = (
        Series({}, [3.0, 40.0], [1, 1]),
        Series({}, [3.0, 58.0], [1, 1]),
        Series({}, [3.0], [1]),
    )
    samples = gather([(0, 0, s) for s in (quiet, busy, gone)], [0, 0, 0], 0.0, 99.0)
    assert last_seen(samples, 20.0) == 40.0


def test_without_any_sample_there_is_nothing():
    samples = gather([], [], 0.0, 9.0)
    assert increments(samples, GRID, np.zeros(0), REACH).amount.size == 0
    assert last_seen(samples, 0.0) == math.inf


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_samples_may_come_as_any_sequence(kind):
    assert counted((kind([3.0, 8.0]), kind([1.0, 4.0]))) == [(0, 0, 3.0, 5.0)]


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(st.integers(0, 50), min_size=2, max_size=40),
    lost=st.sets(st.integers(1, 38)),
    cut=st.integers(1, 39),
)
def test_sums_over_bins_are_what_the_counter_says_and_a_cut_changes_nothing(steps, lost, cut):
    times = [3.0 + 5.0 * i for i in range(len(steps))]
    total = np.cumsum(steps).tolist()
    kept = [i for i in range(len(steps)) if i not in lost or i == len(steps) - 1]
    t, v = [times[i] for i in kept], [float(total[i]) for i in kept]
    whole = counted((t, v), reach=1e9)
    assert sum(row[2] for row in whole) == v[-1] - v[0]
    # The same in two parts, each told from the last sample that the part before had seen.
    edge = math.floor(times[min(cut, len(times) - 1)] / 10.0) * 10.0
    seen = [x for x in t if x < edge]
    first = [row for row in counted((t, v), until=edge, reach=1e9) if row[1] < edge / 10]
    second = [
        row for row in counted((t, v), since=seen[-1] if seen else 0.0, reach=1e9) if row[1] >= edge / 10
    ]
    assert first + second == whole
