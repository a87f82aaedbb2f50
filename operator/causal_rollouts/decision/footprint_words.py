"""Footprints in the words a person reads: what grew, what it means at 100%, and what is left for it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.footprint import Footprint, Headroom, Per
from causal_rollouts.model.percent import percent
from causal_rollouts.model.reasons import Reason

_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"))


def statement(one: Footprint) -> str:
    """The ratio with its interval, the use of the whole service, and how it stands to the headroom."""
    if math.isnan(one.effect):
        return f"{one.name}: no estimate yet"
    return "; ".join(part for part in (ratio(one), whole(one), room(one)) if part)


def ratio(one: Footprint) -> str:
    """How much more the candidate takes than baseline does."""
    each = "each request" if one.per is Per.REQUEST else "each pod at equal load"
    return f"{one.name} {percent(one.effect)} ({percent(one.lower)} to {percent(one.upper)}) for {each}"


def whole(one: Footprint) -> str:
    """What the service would use if every pod ran the candidate; a model, and called one."""
    if not math.isfinite(one.present):
        return ""
    when = " a second" if one.per is Per.REQUEST else ""
    likely, low, high = (amount(x) for x in one.whole)
    return (
        f"by a model, the whole service would use {likely}{when} ({low} to {high}) at 100% where it uses "
        f"{amount(one.present)} now"
    )


def room(one: Footprint) -> str:
    """The headroom and whether it suffices."""
    if one.headroom is None:
        return ""
    says = {
        Headroom.EXCEEDED: "is exceeded",
        Headroom.WITHIN: "suffices",
        Headroom.UNCLEAR: "may or may not suffice",
    }.get(one.standing, "is not judged yet")
    return f"the headroom of +{100 * one.headroom:g}% {says}"


def warnings(evidence: Evidence) -> Iterator[tuple[str, Reason, str]]:
    """(key, reason, words) of each footprint that is to be warned of."""
    for one in evidence.footprints:
        over = one.standing is Headroom.EXCEEDED
        if one.grown or over:
            reason = Reason.OVER_HEADROOM if over else Reason.FOOTPRINT_GREW
            yield f"{one.name}/{reason}", reason, f"the candidate uses more: {statement(one)}"


def amount(value: float) -> str:
    """Three digits and a prefix: `12.1`, `3.2G`, `450m`."""
    if not math.isfinite(value) or value == 0:
        return "0" if value == 0 else "unknown"
    size, prefix = next((step for step in _STEPS if abs(value) >= step[0]), _STEPS[-1])
    return f"{float(f'{value / size:.3g}'):g}{prefix}"
