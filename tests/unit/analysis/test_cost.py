"""Money: prices as they are written, and what they make of a footprint."""

from __future__ import annotations

import math

import pytest

from causal_rollouts.analysis.cost import EXAMPLE, BadPrice, Price, costs, prices_of
from causal_rollouts.model.footprint import Per
from causal_rollouts.runtime.settings import BadSettings, read_settings
from tests.unit.decision.situations import footprint

MEMORY = footprint(
    name="memory",
    per=Per.POD,
    canary=6e8,
    baseline=4e8,
    present=4e9,
    requests=math.nan,
    pods=10.0,
)


def test_prices_are_read_as_they_are_written() -> None:
    assert prices_of(EXAMPLE) == (
        Price("cpu", 0.031, "core-hour"),
        Price("memory", 0.004, "GiB-hour"),
        Price("calls", 0.40, "million"),
    )
    assert prices_of("") == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cpu=0.031", "no known unit"),
        ("cpu=0.031/hour", "units: core-hour"),
        ("cpu=cheap/core-hour", "is no price"),
        ("cpu=-1/core-hour", "is no price"),
        ("=1/core-hour", "is no price"),
        ("cpu=1/core-hour,cpu=2/core-hour", "two prices"),
    ],
)
def test_a_bad_price_says_how_it_is_written(text: str, says: str) -> None:
    with pytest.raises(BadPrice, match=says):
        prices_of(text)


def test_a_bad_price_in_the_settings_names_the_variable() -> None:
    given = {"CAUSAL_ROLLOUTS_PROMETHEUS_URL": "http://p", "CAUSAL_ROLLOUTS_PRICES": "cpu=1"}
    with pytest.raises(BadSettings, match="CAUSAL_ROLLOUTS_PRICES"):
        read_settings(given)
    assert read_settings({**given, "CAUSAL_ROLLOUTS_PRICES": EXAMPLE}).prices == EXAMPLE


def test_processor_time_is_paid_by_the_request() -> None:
    # 20 ms a request on baseline, 36 a core-hour: a cent for a core-second.
    (cost,) = costs((footprint(),), prices_of("cpu=36/core-hour"))
    assert (cost.canary, cost.baseline) == (pytest.approx(0.3), pytest.approx(0.2))
    assert cost.difference == pytest.approx((0.1, 0.08, 0.12))
    # 8 cores now, half as much again: 4 cores for 30 days.
    assert cost.month == pytest.approx((4 * 720 * 36, 0.4 * 8 * 720 * 36, 0.6 * 8 * 720 * 36))


def test_memory_is_paid_by_the_hour_whatever_the_traffic() -> None:
    (cost,) = costs((MEMORY,), prices_of("memory=1/GB-hour"))
    assert cost.month[0] == pytest.approx(2.0 * 720)
    assert math.isnan(cost.baseline)
    beside = costs((MEMORY, footprint()), prices_of("memory=1/GB-hour"))
    assert beside[0].baseline == pytest.approx(4.0 * 1000 / (400 * 3600))


def test_a_unit_that_cannot_be_is_told() -> None:
    assert (
        "not paid by core-hour; use GiB-hour" in costs((MEMORY,), prices_of("memory=1/core-hour"))[0].problem
    )
    assert "is a counter" in costs((footprint(),), prices_of("cpu=1/GiB-hour"))[0].problem
    assert costs((footprint(),), prices_of("calls=1/each")) == ()
