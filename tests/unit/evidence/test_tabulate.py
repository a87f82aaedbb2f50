"""Tables by hand: two pods, ten-second bins, two scrapes a bin."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from causal_rollouts.evidence.frame import CountBins, Frame, HistogramBins, RestartBins, Unit
from causal_rollouts.evidence.tables import Schedule
from causal_rollouts.evidence.tabulate import Wanted, tabulate
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.reasons import Validity
from causal_rollouts.model.telemetry import Series, Telemetry
from tests.unit.evidence.sample_world import COUNTER, ERRORS, HISTOGRAM, LATENCY, RESTARTS

GRID = Grid(10.0, 12.0, 5.0)
OLD = Pod("old", "u-old", Arm.STABLE, "u-old", "n1", "z", 0.0, 1.0)
FIRST = Pod("c-a", "u-a", Arm.CANARY, "canary-0", "n2", "z", 1000.0, 1012.0, 1034.0)
SECOND = Pod("c-b", "u-b", Arm.CANARY, "canary-0", "n2", "z", 1036.0, 1041.0)
NEW = Pod("new", "u-new", Arm.STABLE, "u-new", "n1", "z", 1001.0, 1002.0)
FRAME = Frame(
    (Unit("u-old", Arm.STABLE, "n1", 0), Unit("canary-0", Arm.CANARY, "n2", 101)),
    100, (100,), 2, {"n2": 101}, frozenset(), None, 105, 2,
)  # fmt: skip
TIMES = [998.0 + 5.0 * i for i in range(13)]  # 998 ... 1058: bins 99 to 105
EMPTY = Schedule(100, 100, 0.5)


def grown(pod, per_scrape, times=TIMES, start=100.0, **labels):
    """A counter of one pod that rises by the same amount every scrape."""
    values = [start + per_scrape * i for i in range(len(times))]
    return Series({"pod": pod, **labels}, list(times), values)


def buckets(pod, *per_scrape, les=("0.1", "1", "+Inf"), **more):
    """Cumulative buckets, `per_scrape` of each."""
    name = f"{HISTOGRAM}_bucket"
    return [
        grown(pod, n, __name__=name, le=le, **more) for le, n in zip(les, np.cumsum(per_scrape), strict=True)
    ]


def table(metric, series, frame=FRAME, pods=(OLD, FIRST, SECOND, NEW), edges=(), first=100):
    found = tabulate(
        GRID,
        pods,
        frame,
        EMPTY,
        Telemetry({metric.name: tuple(series)}),
        [Wanted(metric, first, 990.0, edges)],
    )
    return found.metrics[metric.name], found.share


def test_buckets_become_counts_of_each_unit_and_bin():
    found, share = table(LATENCY, [*buckets("old", 1, 2, 3), *buckets("new", 5, 5, 5)])
    assert isinstance(found.bins, HistogramBins)
    assert found.bins.ids == ("u-old", "canary-0")
    assert found.bins.edges.tolist() == [0.1, 1.0]
    assert found.bins.counts[0, 2].tolist() == [2, 4, 6]
    assert found.bins.lost[0].tolist() == [False] * 6
    assert share.total[2] == 42
    assert share.canary[2] == 0


def test_a_slot_is_the_sum_of_its_pods_and_silent_until_one_that_came_later_is_warm():
    alive, reborn = [t for t in TIMES if t < 1034.0], [t for t in TIMES if t > 1040.0]
    series = [
        grown("c-a", 3, alive, 0.0, __name__=COUNTER, code="200"),
        grown("c-b", 4, reborn, 4.0, __name__=COUNTER, code="200"),
    ]
    found, share = table(ERRORS, series)
    assert isinstance(found.bins, CountBins)
    # Before bin 101, in which the slot became ready, it is no unit; its traffic counts for the share.
    # The second one: from zero at its birth, in bin 104, and cold in this one and the next.
    assert found.bins.exposure[1].tolist() == [0, 6, 6, 3, 0, 0]
    assert found.bins.lost[1].tolist() == [True, False, False, False, True, True]
    assert found.expected[1].tolist() == [False, False, False, True, False, False]
    assert share.canary.tolist() == [6, 6, 6, 3, 8, 8]
    warm, _ = table(ERRORS, series, replace(FRAME, warm_up=1))
    assert warm.bins.exposure[1].tolist() == [0, 6, 6, 3, 0, 8]


def test_a_restart_counts_also_of_a_pod_that_came_later():
    name = "kube_pod_container_status_restarts_total"
    found, _ = table(
        RESTARTS, [Series({"pod": "c-b", "__name__": name, "container": "web"}, [1043.0, 1053.0], [0.0, 2.0])]
    )
    assert found.bins.restarts[1].tolist() == [0, 0, 0, 0, 0, 2]


def test_a_unit_without_a_sample_in_a_bin_is_lost_there_and_holds_nothing():
    times = [t for t in TIMES if not 1020.0 <= t < 1030.0]
    found, _ = table(ERRORS, [grown("old", 2, times, __name__=COUNTER, code="200")])
    assert found.bins.lost[0].tolist() == [False, False, True, False, False, False]
    assert found.bins.exposure[0].tolist() == [4, 4, 0, 4, 4, 4]


def test_events_are_those_that_match_and_requests_are_all():
    series = [
        grown("old", n, __name__=COUNTER, code=code) for n, code in ((10, "200"), (2, "404"), (1, "503"))
    ]
    found, _ = table(ERRORS, series)
    assert found.bins.events[0].tolist() == [2] * 6
    assert found.bins.exposure[0].tolist() == [26] * 6


def test_events_with_a_counter_of_their_own_are_not_requests():
    failed = replace(ERRORS, series="failed_total", of="done_total", bad=())
    series = [grown("old", 1, __name__="failed_total"), grown("old", 9, __name__="done_total")]
    found, _ = table(failed, series)
    assert (found.bins.events[0, 0], found.bins.exposure[0, 0]) == (2, 18)
    silent, _ = table(failed, series[:1])
    assert silent.bins.lost[0].all()


def test_a_stable_pod_is_lost_while_it_is_cold_and_a_slot_until_it_is_ready():
    cold = replace(FRAME, units=(replace(FRAME.units[0], ready=101), replace(FRAME.units[1], ready=102)))
    series = [grown(pod, 2, __name__=COUNTER, code="200") for pod in ("old", "c-a")]
    found, _ = table(ERRORS, series, frame=cold, pods=(OLD, FIRST, NEW))
    assert found.bins.lost[0].tolist() == [True, True, True, False, False, False]
    assert found.bins.lost[1].tolist() == [True, True, False, False, False, False]
    assert found.bins.exposure[0, :3].tolist() == [0, 0, 0]


def test_a_unit_is_expected_once_warm_and_a_stable_pod_until_it_goes():
    gone = replace(FRAME, units=(replace(FRAME.units[0], gone=103), FRAME.units[1]))
    series = [grown("old", 2, __name__=COUNTER, code="200")]
    found, _ = table(ERRORS, series, frame=gone, pods=(OLD, FIRST, NEW))
    assert found.expected[0].tolist() == [True, True, True, False, False, False]
    assert found.expected[1].tolist() == [False, False, False, True, True, True]


def test_frozen_edges_win_over_what_is_shown_now():
    other = [
        *buckets("old", 1, 2, 3, les=("0.2", "1", "+Inf")),
        *buckets("c-a", 1, 2, 3, les=("0.2", "1", "+Inf")),
    ]
    found, _ = table(LATENCY, other, edges=(0.1, 1.0))
    assert found.bins.edges.tolist() == [0.1, 1.0]
    assert found.bins.lost.all()
    assert {d.validity for d in found.defects} == {Validity.LAYOUT_CHANGED}
    fresh, _ = table(LATENCY, other)
    assert fresh.bins.edges.tolist() == [0.2, 1.0]
    assert not fresh.defects


def test_one_bucket_that_misses_a_bin_is_a_guess_and_leaves_only_that_bin_out():
    series = buckets("old", 1, 2, 3)
    kept = [i for i, t in enumerate(TIMES) if not 1020.0 <= t < 1030.0]
    series[1] = replace(series[1], times=[TIMES[i] for i in kept], values=[series[1].values[i] for i in kept])
    found, _ = table(LATENCY, series)
    assert found.bins.lost[0].tolist() == [False, False, True, False, False, False]
    assert [(d.bin, d.certain) for d in found.defects] == [(102, False)]
    # What the bin would have held arrives whole with the next scrape.
    assert found.bins.counts[0, 3].tolist() == [4, 8, 12]


def test_defects_of_pods_that_are_no_units_do_not_matter():
    broken = replace(grown("new", 1, __name__=COUNTER, code="200"), values=[math.nan] * len(TIMES))
    found, _ = table(ERRORS, [broken, grown("old", 1, __name__=COUNTER, code="200")])
    assert found.defects == ()


def test_restarts_come_with_the_seconds_in_which_they_would_have_been_seen():
    name = "kube_pod_container_status_restarts_total"
    series = [
        grown("old", 0, start=3.0, __name__=name, container="web"),
        grown("old", 0, start=1.0, __name__=name, container="proxy"),
        Series({"pod": "c-a", "__name__": name, "container": "web"}, [1018.0, 1028.0], [1.0, 3.0]),
    ]
    found, share = table(RESTARTS, series)
    assert isinstance(found.bins, RestartBins)
    assert found.bins.seconds[0].tolist() == [10.0] * 6
    assert found.bins.restarts[0].tolist() == [0] * 6
    # From its birth at 1000 to 1018, then to 1028; nothing after it was no longer seen.
    assert found.bins.seconds[1].tolist() == [0, 18, 10, 0, 0, 0]
    assert found.bins.restarts[1].tolist() == [0, 1, 2, 0, 0, 0]
    assert share is None


def test_no_series_is_a_table_in_which_all_is_lost():
    for metric, kind in ((ERRORS, CountBins), (RESTARTS, RestartBins)):
        found, _ = table(metric, [])
        assert isinstance(found.bins, kind)
        assert found.refusal.validity is Validity.NO_DATA
    assert table(LATENCY, [])[0].bins is None
    assert table(LATENCY, [], edges=(0.1, 1.0))[0].bins.lost.all()


def test_metrics_of_one_answer_share_one_table():
    answer = tuple(buckets("old", 1, 2, 3))
    two = (LATENCY, replace(LATENCY, name="again"))
    found = tabulate(
        GRID,
        (OLD,),
        FRAME,
        EMPTY,
        Telemetry({m.name: answer for m in two}),
        [Wanted(m, 100, 990.0) for m in two],
    )
    assert found.metrics["latency"] is found.metrics["again"]
