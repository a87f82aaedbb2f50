"""What earlier A/A tests told of fresh pods, put together for the next release."""

import pytest

from causal_rollouts.model.scatter import TRIALS, Scatter, together


def test_each_counts_by_its_degrees_of_freedom():
    (found,) = together([(Scatter("latency", 1.0, 3.0),), (Scatter("latency", 5.0, 1.0),)])
    assert (found.metric, found.ratio, found.df) == ("latency", pytest.approx(2.0), pytest.approx(4.0))


def test_metrics_are_kept_apart_and_what_says_nothing_is_left_out():
    past = [(Scatter("latency", 1.0, 3.0), Scatter("cpu", 2.0, 1.0)), (), (Scatter("cpu", 9.0, 0.0),)]
    assert together(past) == (Scatter("latency", 1.0, 3.0), Scatter("cpu", 2.0, 1.0))
    assert together([]) == ()


def test_what_is_long_ago_is_forgotten():
    past = [(Scatter("latency", 100.0, 4.0),), *([(Scatter("latency", 1.0, 4.0),)] * TRIALS)]
    assert together(past) == (Scatter("latency", 1.0, 4.0 * TRIALS),)
    assert together([past[0], *([()] * TRIALS)]) == ()
