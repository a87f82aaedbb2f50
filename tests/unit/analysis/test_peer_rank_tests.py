"""Rules of other tools that compare a canary with a baseline by ranks: Kayenta and PipeCD."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import mannwhitneyu, norm, rankdata

from causal_rollouts.analysis.peers.kayenta import Kayenta, Label, classify, summary_score
from causal_rollouts.analysis.peers.pipecd import AnalysisStage, p_higher
from causal_rollouts.analysis.peers.shift_interval import shift_interval
from causal_rollouts.analysis.peers.verdict import PASSED
from causal_rollouts.model.metrics import Margins
from tests.unit.analysis.peer_tables import GOOD, IDLE, OFFSET, UNSEEN, Minute, ar1, release

HIGH, NO_DATA, FINE = Label.HIGH, Label.NO_DATA, Label.AS_BEFORE


def wobbling(n: int, errors: float = 0.01, seed: int = 1, sd: float = 0.001) -> list[Minute]:
    """Minutes whose errors and slow requests wander a little, each on its own."""
    rng = np.random.default_rng(seed)
    return [Minute(errors=errors + sd * e, slow=0.005 + 0.0005 * s) for e, s in rng.normal(size=(n, 2))]


# The interval of Hodges and Lehmann, against the root of the test that it inverts.


def inverted(x: np.ndarray, y: np.ndarray, level: float) -> tuple[float, float]:
    def z(mu: float, quantile: float) -> float:
        both = np.concatenate((x - mu, y))
        n, pairs = both.size, x.size * y.size
        u = rankdata(both)[: x.size].sum() - x.size * (x.size + 1) / 2 - pairs / 2
        times = np.unique(both, return_counts=True)[1]
        sd = np.sqrt(pairs / 12 * (n + 1 - (times**3 - times).sum() / (n * (n - 1))))
        return (u - np.sign(u) * 0.5) / sd - quantile

    ends = (x.min() - y.max() - 1e-9, x.max() - y.min() + 1e-9)
    q = norm.ppf((1 + level) / 2)
    return brentq(z, *ends, args=(q,), xtol=1e-12), brentq(z, *ends, args=(-q,), xtol=1e-12)


@pytest.mark.parametrize(("m", "n", "ties"), [(8, 8, False), (12, 9, False), (40, 40, False), (15, 12, True)])
def test_the_interval_is_where_the_test_changes_its_mind(m: int, n: int, ties: bool):
    rng = np.random.default_rng(m)
    x, y = rng.normal(0.4, 1.0, m), rng.normal(0.0, 1.0, n)
    if ties:
        x, y = np.round(x, 1), np.round(y, 1)
    found = shift_interval(x, y, 0.98)
    assert (found.lower, found.upper) == pytest.approx(inverted(x, y, 0.98), abs=1e-6)
    assert found.estimate == np.median(np.subtract.outer(x, y))


def test_a_sample_against_itself_has_no_shift():
    x = np.arange(20.0)
    found = shift_interval(x, x, 0.98)
    assert found.estimate == 0.0
    assert found.lower == -found.upper < 0.0


# Kayenta: a metric.


def test_kayenta_calls_a_plain_increase_high():
    rng = np.random.default_rng(2)
    x, y = rng.normal(1.5, 0.1, 30), rng.normal(1.0, 0.1, 30)
    assert classify(x, y) is HIGH
    assert classify(y, x) is FINE


def test_the_tolerance_of_kayenta_says_nothing_of_the_size_of_a_change():
    # A thousandth more, and steady: a quarter of the estimate is smaller still.
    rng = np.random.default_rng(3)
    y = 1.0 + 1e-4 * rng.normal(size=30)
    assert classify(y[::-1] + 1e-3, y) is HIGH
    assert classify(y[::-1] + 1e-3, y, effect=1.05) is FINE


def test_kayenta_passes_what_is_noise_and_what_is_identical():
    rng = np.random.default_rng(4)
    assert classify(rng.normal(size=30), rng.normal(size=30)) is FINE
    x = rng.normal(size=30)
    assert classify(x, x[::-1]) is FINE
    assert classify(np.zeros(9), np.zeros(9)) is FINE


def test_kayenta_cannot_tell_the_size_of_errors_where_there_were_none():
    # The ratio of means does not exist, so even a wide margin does not hold it back.
    assert classify(np.full(20, 0.001), np.zeros(20), effect=100.0) is HIGH


def test_kayenta_passes_a_canary_that_is_terrible_half_of_the_time():
    y = np.linspace(0.9, 1.1, 10)
    x = np.concatenate((y[:5], 100.0 * y[5:]))
    assert classify(x, y) is FINE


def test_a_metric_without_data_on_one_side_is_not_judged():
    assert classify(np.array([]), np.ones(5)) is NO_DATA
    assert classify(np.ones(5), np.array([])) is NO_DATA


# Kayenta: scores.


def test_a_group_scores_its_share_of_passes():
    assert summary_score([[FINE] * 9 + [HIGH]]) == 90.0
    assert summary_score([[HIGH], [FINE], [FINE]]) == 66.67


def test_a_group_without_data_counts_as_a_pass():
    assert summary_score([[NO_DATA], [FINE], [FINE]]) == 100.0
    assert summary_score([[NO_DATA, HIGH], [FINE], [FINE]]) == 66.67


def test_half_of_the_metrics_without_data_fail_the_run():
    assert summary_score([[NO_DATA], [FINE]]) == 0.0
    assert summary_score([[NO_DATA], [FINE], [FINE]]) == 100.0


# Kayenta: an analysis.


def test_kayenta_fails_at_the_first_run_that_is_below_marginal():
    found = Kayenta().judge(release(wobbling(25, 0.02), wobbling(25, 0.01, seed=2)))
    assert (found.failed, found.at, found.why) == (True, OFFSET + 600.0, "errors")


def test_a_marginal_score_goes_on_to_the_last_run_and_fails_there():
    watched = release(wobbling(25, 0.02), wobbling(25, 0.01, seed=2))
    lenient = Kayenta(marginal=60.0)
    assert lenient.judge(watched).at == OFFSET + 1200.0
    assert lenient.judge(replace(watched, complete=False)) == PASSED
    assert Kayenta(marginal=60.0, passing=65.0).judge(watched) == PASSED


def test_every_run_of_kayenta_looks_back_to_the_first_stage():
    canary = wobbling(10) + wobbling(40, 0.02, seed=5)
    found = Kayenta().judge(release(canary, wobbling(50, seed=2)))
    # Two thirds of bad minutes are not High yet, three quarters are.
    assert found.at == OFFSET + 2400.0


def test_an_interval_longer_than_the_release_is_one_run_at_its_end():
    watched = release(wobbling(25, 0.02), wobbling(25, 0.01, seed=2))
    assert Kayenta(interval=3600.0).judge(watched).at == OFFSET + 1500.0
    assert Kayenta(interval=3600.0).judge(replace(watched, complete=False)) == PASSED


def test_kayenta_does_not_blame_the_release_for_an_outage_of_everybody():
    canary = wobbling(15) + wobbling(15, 0.2, seed=5)
    baseline = wobbling(15, seed=2) + wobbling(15, 0.2, seed=6)
    assert Kayenta().judge(release(canary, baseline)) == PASSED


def test_kayenta_without_any_data_fails():
    assert Kayenta().judge(release([UNSEEN] * 10)).failed
    assert Kayenta().judge(release([IDLE] * 10)).failed


def test_our_margins_hold_kayenta_back_from_a_change_that_is_allowed():
    watched = release(wobbling(25, 0.0115), wobbling(25, 0.01, seed=2), margins=Margins(0.25, 0.5))
    assert Kayenta().judge(watched).failed
    assert Kayenta(own_margins=True).judge(watched) == PASSED


@pytest.mark.parametrize(("phi", "expected"), [(0.0, 0.001), (0.5, 0.06), (0.8, 0.29), (0.9, 0.49)])
def test_kayenta_takes_minutes_for_independent(phi: float, expected: float):
    rng = np.random.default_rng(7)

    def either_way() -> bool:
        x, y = 100.0 + ar1(rng, 60, phi), 100.0 + ar1(rng, 60, phi)
        return HIGH in (classify(x, y), classify(y, x))

    assert np.mean([either_way() for _ in range(400)]) == pytest.approx(expected, abs=0.06)


# PipeCD: the test.


def test_the_test_of_pipecd_is_the_exact_one():
    rng = np.random.default_rng(8)
    for n in (3, 5, 6):
        x, y = rng.normal(size=n), rng.normal(size=n)
        exact = mannwhitneyu(x, y, alternative="greater", method="exact").pvalue
        assert p_higher(x, y) == pytest.approx(exact)


def test_many_points_are_tested_by_the_normal_approximation():
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=20), rng.normal(size=20)
    approximate = mannwhitneyu(x, y, alternative="greater", method="asymptotic").pvalue
    assert p_higher(x, y) == approximate


def test_equal_samples_are_not_tested():
    assert p_higher(np.zeros(6), np.zeros(6)) == 1.0


def test_ties_are_counted_with_a_whole_step_below():
    # Ranks 1.5 1.5 3.5 3.5: of six ways to part them one has the largest sum, four the next one down by two.
    assert p_higher(np.array([2.0, 2.0]), np.array([1.0, 1.0])) == pytest.approx(1 / 6)
    assert p_higher(np.array([2.0, 1.0]), np.array([2.0, 1.0])) == pytest.approx(5 / 6)
    # Ranks 1, 2.5, 2.5, 4, 5, 6: twelve of twenty sums reach that of x, and two more come within half a step.
    assert p_higher(np.array([0.0, 2.0, 3.0]), np.array([1.0, 1.0, 4.0])) == pytest.approx(14 / 20)


@pytest.mark.parametrize(("phi", "expected"), [(0.0, 0.26), (0.5, 0.62), (0.8, 0.76)])
def test_pipecd_fails_fine_stages_as_often_as_its_looks_say(phi: float, expected: float):
    rng = np.random.default_rng(10)

    def fails() -> bool:
        x, y = ar1(rng, 30, phi), ar1(rng, 30, phi)
        return any(p_higher(x[i : i + 5], y[i : i + 5]) <= 0.05 for i in range(0, 30, 5))

    assert np.mean([fails() for _ in range(400)]) == pytest.approx(expected, abs=0.06)


# PipeCD: a stage.

BY_A_HAIR = [Minute(errors=0.0101 + 1e-6 * i) for i in range(5)]
STRICT = AnalysisStage(failure_limit=0)


def test_pipecd_fails_a_release_however_small_the_difference():
    found = STRICT.judge(release(BY_A_HAIR))
    assert (found.failed, found.at, found.why) == (True, OFFSET + 300.0, "errors")


def test_pipecd_forgives_as_many_intervals_as_it_says():
    once = AnalysisStage().judge(release(BY_A_HAIR + [GOOD] * 20))
    twice = AnalysisStage().judge(release((BY_A_HAIR + [GOOD] * 5) * 2))
    assert once == PASSED
    assert (twice.failed, twice.at) == (True, OFFSET + 900.0)


def test_every_stage_of_pipecd_begins_with_a_clean_slate():
    minutes = (BY_A_HAIR + [GOOD] * 5) * 2
    assert AnalysisStage().judge(release(minutes, stages=(0, 10))) == PASSED


def test_pipecd_passes_two_sides_without_data_and_fails_one():
    both = release([UNSEEN] * 5, [UNSEEN] * 5)
    one = release([UNSEEN] * 5, [GOOD] * 5)
    assert STRICT.judge(both) == PASSED
    assert STRICT.judge(one).failed
    assert replace(STRICT, skip_on_no_data=True).judge(one) == PASSED


def test_pipecd_fails_an_interval_with_a_minute_without_requests():
    watched = release([GOOD] * 4 + [IDLE])
    assert STRICT.judge(watched).failed
    assert replace(STRICT, skip_on_no_data=True).judge(watched) == PASSED


def test_pipecd_does_not_blame_the_release_for_an_outage_of_everybody():
    outage = [Minute(errors=0.2)] * 5
    assert STRICT.judge(release([GOOD] * 5 + outage, [GOOD] * 5 + outage)) == PASSED


def test_pipecd_lets_a_better_release_pass():
    assert STRICT.judge(release([Minute(errors=0.001)] * 20)) == PASSED
