"""One error budget: what everything may spend adds up to it, whatever is registered."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_rollouts.evidence import budget
from causal_rollouts.evidence.frame import Finding, Frame, Track
from causal_rollouts.model.metrics import Gating, MetricKind
from causal_rollouts.model.registration import Stage
from tests.unit.evidence.sample_world import ERRORS, LATENCY, METRICS, RESTARTS, SLOW, World

REG = World().registration()
BOOK = {
    ("latency", MetricKind.LATENCY): 0.45,
    ("latency", MetricKind.NEIGHBOUR): 0.05,
    ("slow", MetricKind.SLOW): 0.06,
    ("tail", MetricKind.TAIL): 0.12,
    ("errors", MetricKind.ERRORS): 0.20,
    ("restarts", MetricKind.RESTARTS): 0.12,
}


def with_metrics(*metrics):
    return replace(REG, metrics=metrics)


def frame_of(planned, windows=(100,)):
    return Frame((), 100, windows, planned, {}, frozenset(), None, 200, 4)


def finding(*tracks):
    return Finding(tracks, 0.0, 0.0, 0.0, 0.0, 0.0, 0.05, 0.1)


def test_all_kinds_have_the_weights_of_the_recipe():
    assert budget.shares(REG) == pytest.approx(BOOK)


def test_absent_kinds_give_their_weight_to_the_rest_in_proportion():
    found = budget.shares(with_metrics(ERRORS, RESTARTS))
    assert found == pytest.approx(
        {("errors", MetricKind.ERRORS): 0.625, ("restarts", MetricKind.RESTARTS): 0.375}
    )


def test_two_metrics_of_a_kind_halve_it():
    found = budget.shares(with_metrics(ERRORS, replace(ERRORS, name="failed")))
    assert found == pytest.approx({("errors", MetricKind.ERRORS): 0.5, ("failed", MetricKind.ERRORS): 0.5})


def test_a_metric_that_only_reports_spends_nothing():
    found = budget.shares(with_metrics(LATENCY, replace(ERRORS, gating=Gating.REPORT_ONLY)))
    assert set(found) == {("latency", MetricKind.LATENCY), ("latency", MetricKind.NEIGHBOUR)}


@given(st.sets(st.sampled_from(METRICS), min_size=1), st.integers(1, 5))
def test_no_registration_can_spend_more_than_the_budget(metrics, stages):
    reg = replace(with_metrics(*metrics), stages=(Stage(100, 1, 1),) * stages)
    windows = tuple(100 + 10 * k for k in range(stages))
    frame = frame_of(stages, windows)
    total = math.fsum(
        share * budget.window_share(reg, frame, kind, window)
        for (_, kind), share in budget.shares(reg).items()
        for window in windows
    )
    assert total == pytest.approx(1.0)


def test_the_first_window_has_most_and_later_ones_share_the_rest():
    frame = frame_of(3, (100, 120))
    assert budget.window_share(REG, frame, MetricKind.LATENCY, 100) == 0.6
    assert budget.window_share(REG, frame, MetricKind.LATENCY, 120) == pytest.approx(0.2)
    assert budget.window_share(REG, frame, MetricKind.RESTARTS, 100) == 1.0
    assert budget.window_share(REG, frame, MetricKind.RESTARTS, 120) == 0.0
    assert budget.window_share(REG, frame_of(1), MetricKind.LATENCY, 100) == 1.0


def test_a_process_has_the_product_of_its_shares():
    two = finding(Track(100, 1.0, 0.8), Track(100, 2.0, 0.2))
    found = budget.processes(REG, frame_of(3), ERRORS, MetricKind.ERRORS, "errors", two)
    assert [math.exp(p.log_weight) for p in found] == pytest.approx([0.2 * 0.6 * 0.8, 0.2 * 0.6 * 0.2])


def test_what_was_spent_is_the_weighted_sum_and_never_less_than_the_worst():
    def process(log_e, weight):
        track = finding(Track(100, log_e))
        found = budget.processes(with_metrics(SLOW), frame_of(1), SLOW, MetricKind.SLOW, "slow", track)
        return replace(found[0], log_weight=math.log(weight))

    one, two = process(5.0, 0.3), process(4.0, 0.2)
    assert budget.spent([one]) == pytest.approx(5.0 + math.log(0.3))
    assert budget.spent([one, two]) == pytest.approx(math.log(0.3 * math.exp(5) + 0.2 * math.exp(4)))
    assert budget.spent([one, process(-math.inf, 0.5)]) == pytest.approx(5.0 + math.log(0.3))
    assert budget.spent([]) == -math.inf
    assert budget.spent([process(2000.0, 0.5)]) == pytest.approx(2000.0 + math.log(0.5))
