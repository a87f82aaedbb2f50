"""Which parts of the service the candidate harms, with a bound on how many of the answers are false.

A dozen parts asked at once show something by chance alone; e-BH holds the
share of false ones among those that are named, whatever they have in common.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from causal_rollouts.model.percent import interval, percent
from causal_rollouts.model.segment import SegmentEvidence
from causal_rollouts.ports import Record
from causal_rollouts.stats.e_bh import e_bh
from causal_rollouts.web.attribution import FALSE_DISCOVERIES
from causal_rollouts.web.forest import Estimate, Forest
from causal_rollouts.web.plot import Mark, of_log_ratio
from causal_rollouts.web.yardstick import newest_evidence

HEAD = ("Segment", "May", "Effect at the last decision", "Harm above", "For harm", "Harm holds")


def judged(record: Record) -> list[tuple[SegmentEvidence, bool]]:
    """Each segment of the newest evidence on record, and whether its harm holds beside all others."""
    evidence = newest_evidence(record)
    parts = evidence.segments if evidence is not None else ()
    held = e_bh([part.log_e for part in parts], FALSE_DISCOVERIES)
    return list(zip(parts, held, strict=True))


def rows(record: Record) -> list[tuple[str, ...]]:
    """A row of HEAD for each."""
    return [
        (
            part.segment.name,
            "revert" if part.acts else "report",
            effect(part),
            percent(part.harm_margin),
            f"{part.log_e:.1f}" if math.isfinite(part.log_e) else "none",
            "yes" if harmed else "no",
        )
        for part, harmed in judged(record)
    ]


def pictures(record: Record) -> Iterator[Forest]:
    """Effects side by side, each metric's against its own margin; none where fewer than two are known."""
    kinds: dict[str, list[SegmentEvidence]] = {}
    for part, _ in judged(record):
        if math.isfinite(part.effect):
            kinds.setdefault(part.segment.of, []).append(part)
    for metric, known in kinds.items():
        if len(known) > 1:
            yield _side_by_side(metric, known)


def _side_by_side(metric: str, parts: Sequence[SegmentEvidence]) -> Forest:
    rows = [
        Estimate(
            part.segment.name,
            of_log_ratio(part.effect),
            of_log_ratio(part.lower),
            of_log_ratio(part.upper),
            effect(part),
        )
        for part in parts
    ]
    harm = of_log_ratio(parts[0].harm_margin)
    far = 3 * max(harm, *(abs(row.value) for row in rows))
    seen = [min(max(x, -far), far) for row in rows for x in (row.lower, row.upper)]
    return Forest(
        title=f"{metric}: effect in each segment",
        unit="%",
        summary="; ".join(f"{row.label} {row.said}" for row in rows)
        + f". Harm is counted from {harm:+.3g}%.",
        rows=rows,
        low=max(-100.0, min(-0.5 * harm, *seen)),
        high=max(1.2 * harm, *seen),
        marks=[Mark("no effect", 0.0, "zero"), Mark(f"harm margin {harm:+.3g}%", harm, "bad")],
    )


def lines(record: Record) -> Iterator[str]:
    """One line for each, as `explain` tells it."""
    for part, harmed in judged(record):
        mark = f"; harmed (false discovery rate {FALSE_DISCOVERIES:.0%})" if harmed else ""
        yield f"{part.segment.name} {effect(part)}{mark}"


def effect(part: SegmentEvidence) -> str:
    """With its interval, or why there is none."""
    if math.isnan(part.effect):
        return f"no estimate: {part.note}" if part.note else "no estimate"
    return interval(part.effect, part.lower, part.upper)
