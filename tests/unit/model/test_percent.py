"""Evidence as people read it in an event or a condition."""

import math

import pytest

from causal_rollouts.model.percent import percent


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (1.241, "+24.1%"),
        (0.5, "-50.0%"),
        (100.0, "+9900.0%"),
        (101.0, "over 100 times"),
        (math.inf, "over 100 times"),
        (0.0, "-100.0%"),
    ],
)
def test_a_ratio_is_a_percentage_as_long_as_its_digits_say_something(ratio, said):
    assert percent(math.log(ratio) if ratio > 0 else -math.inf) == said


def test_what_is_not_known_is_called_so():
    assert percent(math.nan) == "unknown"
