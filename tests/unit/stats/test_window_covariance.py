"""The closed form against explicit matrices of phi^|u-v|."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_rollouts.stats.window_covariance import second_integral, window_correlation

windows = st.tuples(st.integers(0, 150), st.integers(1, 60)).map(lambda w: (w[0], w[0] + w[1]))


@given(st.floats(0.0, 0.98), st.lists(windows, min_size=1, max_size=5))
def test_window_means_covary_as_the_explicit_matrix_says(phi, spans):
    begin, end = (np.array(side, dtype=np.int64) for side in zip(*spans, strict=True))
    steps = np.arange(end.max())
    explicit = phi ** np.abs(steps[:, None] - steps[None, :])
    averages = ((steps >= begin[:, None]) & (steps < end[:, None])) / (end - begin)[:, None]
    assert window_correlation(phi, begin, end) == pytest.approx(
        averages @ explicit @ averages.T, rel=1e-9, abs=1e-11
    )


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.98])
def test_the_table_obeys_its_recursion(phi):
    H = second_integral(phi, 300)
    assert H[:2] == pytest.approx([0.0, 0.5], abs=1e-12)
    d = np.arange(1, 300)
    assert H[2:] == pytest.approx(2 * H[1:-1] - H[:-2] + phi**d, rel=1e-9)


def test_a_short_window_of_slow_drift_is_hardly_averaged():
    """What the long-run shortcut gets wrong tenfold."""
    one = window_correlation(0.97, np.array([0]), np.array([6]))[0, 0]
    assert one > 0.9
    assert 10 * one < (1 + 0.97) / (1 - 0.97) / 6
