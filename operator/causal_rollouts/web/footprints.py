"""What a record knows of footprints at its newest look, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from html import escape

from causal_rollouts.analysis.cost import BadPrice, Cost, Price, costs, prices_of
from causal_rollouts.decision.footprint_words import amount, statement
from causal_rollouts.model.footprint import Footprint, Per
from causal_rollouts.model.percent import percent
from causal_rollouts.ports import Record
from causal_rollouts.web.yardstick import newest_evidence

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def footprints(record: Record) -> tuple[Footprint, ...]:
    """As last logged, with the ratios of the newest look."""
    evidence = newest_evidence(record)
    if evidence is None:
        return ()
    newest = {r.name: r for r in record.trace[-1].readings} if record.trace else {}
    return tuple(
        replace(one, effect=now.effect, lower=now.lower, upper=now.upper)
        if (now := newest.get(one.name))
        else one
        for one in evidence.footprints
    )


def recorded_prices(record: Record) -> tuple[Price, ...]:
    """Prices of the operator's settings when the release began; none that cannot be read."""
    said = (record.effective or {}).get("prices")
    try:
        return prices_of(str(said.get("value", ""))) if isinstance(said, dict) else ()
    except BadPrice:
        return ()


def lines(record: Record) -> list[str]:
    """A line for each footprint, and one for what each costs."""
    found = footprints(record)
    return [*map(statement, found), *map(cost_line, costs(found, recorded_prices(record)))]


def cost_line(cost: Cost) -> str:
    """Money in words."""
    if cost.problem:
        return cost.problem
    likely, low, high = (money(x) for x in cost.difference)
    month, least, most = (money(x) for x in cost.month)
    return (
        f"{cost.metric}: 1,000 requests cost {money(cost.canary)} on canary and {money(cost.baseline)} on "
        f"baseline, {likely} more ({low} to {high}); by a model, at this traffic, {month} more a month "
        f"({least} to {most})"
    )


def money(value: float) -> str:
    """Four digits, in whatever currency the prices are."""
    return f"{value:.4g}" if math.isfinite(value) else "unknown"


def plain_cost(cost: Cost) -> dict[str, object]:
    """As JSON has it."""
    keys = ("estimate", "lower", "upper")
    return {
        "metric": cost.metric,
        "canary": _known(cost.canary),
        "baseline": _known(cost.baseline),
        "difference": dict(zip(keys, map(_known, cost.difference), strict=True)),
        "month": dict(zip(keys, map(_known, cost.month), strict=True)),
        "problem": cost.problem,
    }


def tables(record: Record, prices: Sequence[Price] | None) -> tuple[Table, Table]:
    """(footprints, their costs) as head and cells that are escaped. prices: None for the record's own."""
    found = footprints(record)
    head = (
        "Metric",
        "For each",
        "Canary uses",
        "Baseline uses",
        "Ratio",
        "Whole service now",
        "At 100%, by a model",
        "Headroom",
        "Stands",
        "Warned",
    )
    bill = costs(found, recorded_prices(record) if prices is None else prices)
    heads = (
        "Metric",
        "Canary, 1,000 requests",
        "Baseline",
        "Difference",
        "A month at this traffic, by a model",
    )
    return (head, [_cells(_use(one)) for one in found]), (heads, [_cells(_bill(one)) for one in bill])


def _use(one: Footprint) -> tuple[str, ...]:
    likely, low, high = (amount(x) for x in one.whole)
    each = " a second" if one.per is Per.REQUEST else ""
    return (
        one.name,
        str(one.per),
        amount(one.canary),
        amount(one.baseline),
        f"{percent(one.effect)} ({percent(one.lower)} to {percent(one.upper)})",
        f"{amount(one.present)}{each}",
        f"{likely}{each} ({low} to {high})",
        "not stated" if one.headroom is None else f"+{100 * one.headroom:g}%",
        str(one.standing),
        "yes" if one.grown else "no",
    )


def _bill(cost: Cost) -> tuple[str, ...]:
    if cost.problem:
        return cost.metric, "-", "-", "-", cost.problem
    likely, low, high = (money(x) for x in cost.difference)
    month, least, most = (money(x) for x in cost.month)
    return (
        cost.metric,
        money(cost.canary),
        money(cost.baseline),
        f"{likely} ({low} to {high})",
        f"{month} ({least} to {most})",
    )


def _cells(row: Iterable[str]) -> tuple[str, ...]:
    return tuple(escape(cell) for cell in row)


def _known(value: float) -> float | None:
    return value if money(value) != "unknown" else None
