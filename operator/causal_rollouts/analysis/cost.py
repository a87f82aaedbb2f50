"""What a footprint costs, with prices that the operator's owner states.

A price names a metric and the unit it is paid by. Use is measured, prices are
given, and the month is today's traffic thirty days long: nothing else is put
into a sum of money.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from causal_rollouts.model.footprint import Footprint, Per

HOUR = 3600.0
MONTH = 30 * 24 * HOUR

UNITS: Mapping[str, float] = {
    "core-hour": HOUR,
    "GiB-hour": 2.0**30,
    "GB-hour": 1e9,
    "GiB": 2.0**30,
    "GB": 1e9,
    "each": 1.0,
    "thousand": 1e3,
    "million": 1e6,
}
"""How many of what is counted make one unit (of a gauge: held for an hour)."""

HELD = frozenset({"GiB-hour", "GB-hour"})
"""Units of a gauge: paid by the time that something is held."""

EXAMPLE = "cpu=0.031/core-hour,memory=0.004/GiB-hour,calls=0.40/million"


class BadPrice(ValueError):  # noqa: N818 - reads as a sentence in the message
    """A price that cannot be read; the message says which and how it is written."""


@dataclass(frozen=True, slots=True)
class Price:
    """So much money for one unit of what a metric measures."""

    metric: str
    amount: float
    unit: str


@dataclass(frozen=True, slots=True)
class Cost:
    """Money of one footprint. canary, baseline: a thousand requests; nan where requests are not counted.

    difference: of a thousand requests, (estimate, lower, upper), from the causal ratio. month: the same of
    the whole service, by the model that every pod uses what the canary does. problem: why there is none.
    """

    metric: str
    canary: float = math.nan
    baseline: float = math.nan
    difference: tuple[float, float, float] = (math.nan, math.nan, math.nan)
    month: tuple[float, float, float] = (math.nan, math.nan, math.nan)
    problem: str = ""


def prices_of(text: str) -> tuple[Price, ...]:
    """Prices from `metric=amount/unit`, separated by commas; none from an empty text.

    Raises:
        BadPrice: an entry that is not of this form, a unit that is not known, or a metric named twice.
    """
    found: list[Price] = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        metric, _, rest = entry.partition("=")
        amount, _, unit = rest.partition("/")
        if unit.strip() not in UNITS:
            raise BadPrice(f'"{entry}" has no known unit; write it like {EXAMPLE}; units: {", ".join(UNITS)}')
        try:
            value = float(amount)
        except ValueError:
            value = math.nan
        if not metric.strip() or not (math.isfinite(value) and value >= 0):
            raise BadPrice(f'"{entry}" is no price; write it like {EXAMPLE}')
        if metric.strip() in {price.metric for price in found}:
            raise BadPrice(f'"{metric.strip()}" has two prices; give one')
        found.append(Price(metric.strip(), value, unit.strip()))
    return tuple(found)


def costs(footprints: Sequence[Footprint], prices: Sequence[Price]) -> tuple[Cost, ...]:
    """The cost of each footprint that has a price. A gauge takes the requests that another one counts."""
    requests = next((one.requests for one in footprints if one.requests > 0), math.nan)
    by_name = {price.metric: price for price in prices}
    return tuple(_cost(one, by_name[one.name], requests) for one in footprints if one.name in by_name)


def _cost(one: Footprint, price: Price, requests: float) -> Cost:
    gauge = one.per is Per.POD
    if gauge != (price.unit in HELD):
        right = "GiB-hour or GB-hour" if gauge else "a unit without -hour of memory"
        what = "a gauge" if gauge else "a counter"
        return Cost(one.name, problem=f"{one.name} is {what}, which is not paid by {price.unit}; use {right}")
    each = price.amount / UNITS[price.unit]
    # Of a gauge: all pods hold it all the time, whatever number of requests comes.
    a_thousand = 1000.0 * each * (one.pods / (requests * HOUR) if gauge else 1.0)
    a_month = each * one.present * (MONTH / HOUR if gauge else MONTH)
    more = tuple(_growth(x) for x in (one.effect, one.lower, one.upper))
    return Cost(
        one.name,
        canary=one.canary * a_thousand,
        baseline=one.baseline * a_thousand,
        difference=_times(one.baseline * a_thousand, more),
        month=_times(a_month, more),
    )


def _times(money: float, more: Sequence[float]) -> tuple[float, float, float]:
    likely, low, high = (money * share for share in more)
    return likely, low, high


def _growth(log_ratio: float) -> float:
    return math.expm1(log_ratio) if log_ratio < 700.0 else math.inf
