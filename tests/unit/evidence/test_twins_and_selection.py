"""Which series are a metric's, and which of them tell one story twice."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from causal_rollouts.evidence import selection
from causal_rollouts.evidence.matching import BadPattern, Patterns
from causal_rollouts.evidence.selection import Selected
from causal_rollouts.evidence.tables import Refusal
from causal_rollouts.evidence.twins import merge_twins
from causal_rollouts.model.metrics import RESTARTS_SERIES, Matcher
from causal_rollouts.model.reasons import Validity
from causal_rollouts.model.telemetry import Series
from tests.unit.evidence.sample_world import ERRORS, LATENCY, RESTARTS

ROSTER = {"a": 0, "b": 1}


def series(times=(1.0, 2.0), values=(1.0, 2.0), **labels):
    return Series(labels, list(times), list(values))


def matches(labels, *matchers):
    return Patterns([Matcher(tuple(m.items())) for m in matchers], "metrics[errors].bad").match(labels)


def test_patterns_are_anchored():
    assert matches({"code": "503"}, {"code": "5.."})
    assert not matches({"code": "1503"}, {"code": "5.."})
    assert not matches({"code": "5034"}, {"code": "5.."})


def test_all_labels_of_a_matcher_must_match_and_any_matcher_is_enough():
    both = {"code": "5..", "route": "/pay"}
    assert matches({"code": "500", "route": "/pay"}, both)
    assert not matches({"code": "500", "route": "/"}, both)
    assert matches({"code": "500", "route": "/"}, both, {"route": "/"})


def test_an_absent_label_reads_as_the_empty_text():
    assert matches({}, {"error": ""})
    assert not matches({}, {"error": ".+"})


def test_a_bad_pattern_says_where_it_stands():
    with pytest.raises(BadPattern, match=r'metrics\[errors\]\.bad: "5\('):
        matches({}, {"code": "5("})


def test_series_that_follow_each_other_are_one_counter():
    a = series((1, 2), (5, 6), pod="a", instance="10.0.0.1:80")
    b = series((3, 4), (1, 2), pod="a", instance="10.0.0.2:80")
    counters, clashes = merge_twins([(0, 0, b), (0, 0, a)])
    assert clashes == []
    assert [(s.times, s.values) for _, _, s in counters] == [([1, 2, 3, 4], [5, 6, 1, 2])]


def test_series_that_take_turns_are_twins_from_the_first_return_on():
    a = series((1, 3, 5), (5, 6, 7), pod="a", job="x")
    b = series((2, 4, 6), (5, 6, 7), pod="a", job="y")
    _, clashes = merge_twins([(0, 0, a), (0, 0, b)])
    assert clashes == [(0, 3), (0, 4), (0, 5), (0, 6)]


def test_two_replicas_of_one_prometheus_are_twins_at_the_same_instants():
    a = series((1, 2), (5, 6), pod="a", prometheus_replica="0")
    b = series((1, 2), (5, 6), pod="a", prometheus_replica="1")
    assert merge_twins([(0, 0, a), (0, 0, b)])[1] == [(0, 1), (0, 2)]


def test_the_same_series_delivered_twice_is_one():
    a = series((1, 2, 3), (5, 6, 7), pod="a", job="x")
    counters, clashes = merge_twins([(0, 0, a), (0, 0, replace(a, times=[2, 3], values=[6, 7]))])
    assert clashes == []
    assert counters[0][2].values == [5, 6, 7]


def test_routes_and_containers_are_things_of_their_own():
    placed = [(0, 0, series(pod="a", route=r, container=c)) for r in "xy" for c in "pq"]
    counters, clashes = merge_twins(placed)
    assert (len(counters), clashes) == (4, [])


def test_the_order_of_twins_does_not_matter():
    parts = [series((k, k + 9), (k, k + 1), pod="a", instance=str(k)) for k in range(4)]
    placed = [(0, 0, s) for s in parts]
    first = merge_twins(placed)
    for seed in range(5):
        random.Random(seed).shuffle(placed)
        found = merge_twins(placed)
        assert found[1] == first[1]
        assert found[0][0][2].values == first[0][0][2].values


def bucket(pod, le, **more):
    return series(__name__=f"{LATENCY.series}_bucket", pod=pod, le=le, **more)


def test_buckets_at_or_below_zero_stand_in_the_next_one():
    found = selection.buckets(LATENCY, [bucket("a", le) for le in ("0", "0.1", "+Inf")], ROSTER)
    assert isinstance(found, Selected)
    assert found.edges == (0.1, float("inf"))
    assert len(found.placed) == 2


def test_edges_that_differ_in_writing_only_are_the_same():
    found = selection.buckets(LATENCY, [bucket("a", "1"), bucket("b", "1.0"), bucket("a", "+Inf")], ROSTER)
    assert isinstance(found, Selected)
    assert found.edges == (1.0, float("inf"))


def test_pods_that_are_not_of_the_release_are_left_out():
    found = selection.buckets(LATENCY, [bucket(p, le) for p in "abz" for le in ("1", "+Inf")], ROSTER)
    assert isinstance(found, Selected)
    assert {owner for owner, _, _ in found.placed} == {0, 1}


def test_most_stable_pods_decide_the_layout():
    those = [bucket("a", le) for le in ("1", "+Inf")] + [bucket("b", le) for le in ("2", "+Inf")]
    found = selection.buckets(LATENCY, those, ROSTER)
    assert isinstance(found, Selected)
    assert selection.layout_of(found, [0]) == (1.0, float("inf"))
    assert selection.layout_of(found, [1]) == (2.0, float("inf"))


@pytest.mark.parametrize(
    ("given", "validity", "word"),
    [
        ([], Validity.NO_DATA, "check the name"),
        ([bucket("z", "1")], Validity.NO_DATA, "scraped"),
        ([series(__name__="other", pod="a")], Validity.WRONG_TYPE, "other"),
        ([series(__name__=f"{LATENCY.series}_bucket", le="1")], Validity.WRONG_TYPE, "label pod"),
        ([bucket("a", "fast"), bucket("a", "+Inf")], Validity.WRONG_TYPE, "label le"),
        ([bucket("a", "+Inf")], Validity.WRONG_TYPE, "finite edge"),
        ([bucket("a", "1")], Validity.WRONG_TYPE, "Inf"),
    ],
)
def test_what_cannot_be_used_is_said_in_words(given, validity, word):
    found = selection.buckets(LATENCY, given, ROSTER)
    assert isinstance(found, Refusal)
    assert found.validity is validity
    assert word in found.note


def test_requests_and_errors_share_a_counter():
    those = [series(__name__=ERRORS.series, pod="a", code=c) for c in ("200", "404", "503")]
    found = selection.events(ERRORS, those, ROSTER)
    assert isinstance(found, Selected)
    assert [column for _, column, _ in found.placed] == [selection.EXPOSURE] * 2 + [selection.BOTH]


def test_errors_may_have_a_counter_of_their_own():
    failed = replace(ERRORS, series="failed_total", of="done_total", bad=())
    those = [series(__name__=n, pod="a") for n in ("failed_total", "done_total")]
    found = selection.events(failed, those, ROSTER)
    assert isinstance(found, Selected)
    assert [column for _, column, _ in found.placed] == [selection.EVENT, selection.EXPOSURE]


def test_restarts_are_those_of_every_container():
    name = RESTARTS_SERIES
    those = [series(__name__=name, pod="a", container=c) for c in ("web", "sidecar")]
    found = selection.restarts(RESTARTS, those, ROSTER)
    assert isinstance(found, Selected)
    assert len(found.placed) == 2
