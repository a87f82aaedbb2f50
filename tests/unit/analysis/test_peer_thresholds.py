"""Rules of other tools that hold a canary against a fixed range: Flagger and Argo Rollouts."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from causal_rollouts.analysis.peers.argo import AnalysisRun
from causal_rollouts.analysis.peers.flagger import Flagger
from causal_rollouts.analysis.peers.limits import Ground, limits
from causal_rollouts.analysis.peers.traffic import Signal, quantile
from causal_rollouts.analysis.peers.verdict import PASSED
from causal_rollouts.model.metrics import Margins
from tests.unit.analysis.peer_tables import (
    EDGES,
    FAILING,
    GOOD,
    IDLE,
    OFFSET,
    SLOW,
    UNSEEN,
    Minute,
    release,
    traffic,
)

EVERY_MINUTE = AnalysisRun(interval=60.0, initial_delay=60.0)


# Quantiles as Prometheus interpolates them.


def test_a_quantile_is_linear_inside_its_bucket():
    assert quantile(np.array([50.0, 40.0, 10.0, 0, 0]), EDGES, 0.5) == pytest.approx(0.1)
    assert quantile(np.array([50.0, 40.0, 10.0, 0, 0]), EDGES, 0.25) == pytest.approx(0.05)
    assert quantile(np.array([50.0, 40.0, 10.0, 0, 0]), EDGES, 0.95) == pytest.approx(0.3)


def test_a_quantile_above_the_last_edge_is_the_last_edge():
    assert quantile(np.array([0, 0, 0, 1.0, 99.0]), EDGES, 0.5) == 0.8


def test_nothing_measured_is_told_from_nobody_asking():
    seen = traffic([IDLE, UNSEEN])
    assert math.isnan(seen.read(Signal.ERRORS, 0, 1) or 0.0)
    assert math.isnan(seen.read(Signal.P99, 0, 1) or 0.0)
    assert seen.read(Signal.P99, 1, 2) is None


# Thresholds out of the past.


def test_the_usual_limit_is_the_whole_past_and_a_margin():
    past = [GOOD] * 30 + [Minute(errors=0.03)] * 30
    assert limits(release([GOOD], past=past), Ground.USUAL, 60.0)[Signal.ERRORS] == pytest.approx(0.02)
    wide = release([GOOD], past=past, margins=Margins(0.25, 0.5))
    assert limits(wide, Ground.USUAL, 60.0)[Signal.ERRORS] == pytest.approx(0.025)


def test_the_worst_limit_is_the_worst_interval_of_a_few_pods_and_a_margin():
    few = [GOOD] * 57 + [Minute(errors=0.03)] * 3
    watched = release([GOOD], alike=few, margins=Margins(0.5, 0.5))
    assert limits(watched, Ground.WORST, 60.0)[Signal.ERRORS] == pytest.approx(0.045)
    # Three bad minutes of five: the worst interval is not the worst minute.
    assert limits(watched, Ground.WORST, 300.0)[Signal.ERRORS] == pytest.approx(1.5 * 0.022)


def test_points_keep_the_limit_of_a_service_without_errors_off_zero():
    past = [Minute(errors=0.0)] * 60
    watched = release([GOOD], past=past, margins=Margins(0.25, 0.5, revert_above_points=0.001))
    assert limits(watched, Ground.USUAL, 60.0)[Signal.ERRORS] == pytest.approx(0.001)


def test_a_past_without_requests_limits_nothing():
    watched = release([FAILING], past=[IDLE] * 60)
    for ground in Ground:
        assert limits(watched, ground, 60.0)[Signal.ERRORS] == math.inf


# Flagger: failed checks are counted over the release.


def test_flagger_rolls_back_at_the_fifth_failed_check_however_far_apart():
    minutes = ([GOOD] * 6 + [FAILING]) * 5
    found = Flagger().judge(release(minutes))
    assert (found.failed, found.at, found.why) == (True, OFFSET + 35 * 60.0, "errors")


def test_flagger_forgives_four_failed_checks():
    assert Flagger().judge(release(([GOOD] * 6 + [FAILING]) * 4 + [GOOD] * 30)) == PASSED


def test_flagger_counts_a_check_once_however_many_metrics_fail():
    worse = Minute(errors=0.05, slow=0.9)
    assert Flagger().judge(release([worse] * 4)) == PASSED
    assert Flagger().judge(release([FAILING, SLOW] * 3)).at == OFFSET + 5 * 60.0


def test_flagger_takes_a_canary_without_traffic_for_a_bad_one():
    for silent in (IDLE, UNSEEN):
        found = Flagger().judge(release([GOOD] * 3 + [silent] * 5))
        assert (found.failed, found.why) == (True, "errors: no values")


def test_flagger_blames_the_release_for_an_outage_of_everybody():
    found = Flagger().judge(release([FAILING] * 5, [FAILING] * 5))
    assert found.failed


def test_flagger_does_not_see_harm_inside_its_range():
    # Eight times the errors, and yet under the worst minute that the past has seen.
    past = [Minute(errors=0.001)] * 59 + [Minute(errors=0.01)]
    watched = release([Minute(errors=0.008)] * 60, [Minute(errors=0.001)] * 60, past=past)
    assert Flagger(ground=Ground.WORST).judge(watched) == PASSED
    assert Flagger().judge(watched).failed


def test_flagger_waits_for_a_whole_interval_before_its_first_check():
    watched = release([FAILING] * 2, width=15.0)
    assert Flagger(threshold=1).judge(watched).at == OFFSET + 60.0
    assert Flagger(interval=90.0, threshold=1).judge(watched).at == OFFSET + 90.0


def test_flagger_does_not_check_an_interval_that_was_cut_off():
    assert Flagger(interval=300.0, threshold=1).judge(release([FAILING] * 4)) == PASSED


# Argo Rollouts: measurements of each metric against a limit of its own.


def test_argo_aborts_at_the_first_failed_measurement_by_default():
    found = AnalysisRun().judge(release([GOOD] * 9 + [Minute(errors=0.06)] + [GOOD] * 5))
    assert (found.failed, found.at, found.why) == (True, OFFSET + 600.0, "errors")


def test_argo_with_a_limit_of_three_aborts_at_the_fourth():
    run = replace(EVERY_MINUTE, failure_limit=3)
    assert run.judge(release([GOOD, FAILING] * 3 + [GOOD] * 9)) == PASSED
    assert run.judge(release([GOOD, FAILING] * 4)).at == OFFSET + 8 * 60.0


def test_argo_counts_each_metric_for_itself():
    run = replace(EVERY_MINUTE, failure_limit=3)
    assert run.judge(release([FAILING, SLOW] * 3)) == PASSED
    assert run.judge(release([FAILING, SLOW] * 4)).why == "errors"


def test_argo_takes_a_value_that_is_no_number_for_a_failure():
    found = EVERY_MINUTE.judge(release([GOOD, IDLE]))
    assert (found.failed, found.at) == (True, OFFSET + 120.0)


def test_argo_aborts_a_fine_release_after_five_tries_without_a_result():
    run = AnalysisRun(interval=30.0, initial_delay=30.0)
    silent = [GOOD] + [UNSEEN] * 3
    found = run.judge(release(silent, width=10.0, margins=Margins(0.1, 0.1)))
    # The first query without a sample ends 30 s after the last one; then a try every ten seconds.
    assert (found.failed, found.at, found.why) == (True, OFFSET + 60 + 30 + 40, "errors: no result")


def test_argo_forgets_errors_once_there_is_a_result():
    run = AnalysisRun(interval=30.0, initial_delay=30.0)
    gaps = [GOOD, UNSEEN] * 3 + [GOOD]
    assert run.judge(release(gaps, width=10.0, margins=Margins(0.1, 0.1))) == PASSED


def test_argo_without_a_delay_begins_with_an_error_and_goes_on():
    run = AnalysisRun(interval=60.0, initial_delay=0.0)
    assert run.judge(release([GOOD] * 9)) == PASSED
    assert run.judge(release([FAILING] * 9)).failed


def test_argo_blames_the_release_for_an_outage_of_everybody():
    assert AnalysisRun().judge(release([FAILING] * 5, [FAILING] * 5)).failed


# What chance alone does to a range of 99% over a service that has 99.5%.


def share_failed(rule: Flagger | AnalysisRun, requests: int, ticks: int, runs: int) -> float:
    rng = np.random.default_rng(11)

    def fails() -> bool:
        errors = rng.binomial(requests, 0.005, ticks) / requests
        return rule.judge(release([Minute(requests, share) for share in errors])).failed

    return float(np.mean([fails() for _ in range(runs)]))


@pytest.mark.parametrize(("requests", "expected"), [(50, 0.92), (200, 0.57), (1000, 0.13)])
def test_argo_aborts_fine_releases_as_often_as_chance_says(requests: int, expected: float):
    assert share_failed(EVERY_MINUTE, requests, 10, 400) == pytest.approx(expected, abs=0.07)


@pytest.mark.parametrize(("ticks", "expected"), [(10, 0.05), (20, 0.47)])
def test_flagger_rolls_fine_releases_back_as_often_as_chance_says(ticks: int, expected: float):
    assert share_failed(Flagger(), 50, ticks, 200) == pytest.approx(expected, abs=0.07)
