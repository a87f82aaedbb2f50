"""The pictures of a second opinion: estimates side by side, event studies, what doubt does to them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from causal_rollouts.analysis.opinion import MetricOpinion, Opinion, Question, Span
from causal_rollouts.analysis.opinion_words import effect_of, one_of, shown
from causal_rollouts.web.forest import Estimate, Forest
from causal_rollouts.web.plot import Band, Line, Mark, Plot

NO_EFFECT = Mark("no effect", 0.0, "zero")
WIDEST = 4.0
"""Times the farthest estimate: what of an interval is shown at most."""


def opinion_plots(metric: MetricOpinion, question: Question) -> Iterator[Plot | Forest]:
    """Of what is said to one question."""
    said = [one for one in metric.said if one.question is question]
    estimates = [one for one in said if math.isfinite(one.effect)]
    if len(estimates) > 1:
        yield _side_by_side(metric, question, estimates)
    for one in said:
        if one.spans:
            yield _event_study(metric, one)
        if one.doubted:
            yield _doubted(metric, one)


def _side_by_side(metric: MetricOpinion, question: Question, said: Sequence[Opinion]) -> Forest:
    rows = [
        Estimate(
            _short(one.method),
            _units(metric, one.effect),
            _units(metric, one.lower),
            _units(metric, one.upper),
            effect_of(metric, one),
        )
        for one in said
    ]
    low, high = _room(
        [row.value for row in rows], [bound for row in rows for bound in (row.lower, row.upper)]
    )
    return Forest(
        title=f"{metric.metric}: estimates with 95% intervals",
        unit=_unit(metric),
        summary=f"Of {question}: " + "; ".join(f"{row.label} {row.said}" for row in rows) + ".",
        rows=rows,
        low=low,
        high=high,
        marks=[NO_EFFECT],
    )


def _event_study(metric: MetricOpinion, one: Opinion) -> Plot:
    """Bars are for one block, the band holds all blocks together."""
    spans = one.spans
    low, high = _room(
        [_units(metric, s.effect) for s in spans],
        [_units(metric, bound) for s in spans for bound in (s.lower, s.upper, s.band_lower, s.band_upper)],
    )
    after = [s for s in spans if s.begin >= 0]
    last = (after or spans)[-1]
    when = "The last block of the release" if after else "The last block before the release"
    return Plot(
        title=f"{metric.metric}: {_short(one.method)}",
        unit=_unit(metric),
        summary=f"{_capital(one.note)}. {when} shows {one_of(metric, last.effect)} "
        f"({one_of(metric, last.lower)} to {one_of(metric, last.upper)}); {_away(spans)}.",
        begin=min(0.0, spans[0].begin),
        end=max(0.0, spans[-1].end),
        low=low,
        high=high,
        lines=[
            Line(
                "effect in a block",
                [((s.begin + s.end) / 2, _units(metric, s.effect)) for s in spans],
                "canary",
                joined=False,
            )
        ],
        bands=[
            Band("band for all blocks together (95%)", _steps(metric, spans), "wide"),
            Band("interval for one block (95%)", _bars(metric, spans), "canary"),
        ],
        levels=[NO_EFFECT],
        events=[Mark("first stage", 0.0, "zero")],
        axis="minutes from the first stage",
    )


def _doubted(metric: MetricOpinion, one: Opinion) -> Plot:
    points = [(d.mbar, _units(metric, d.lower), _units(metric, d.upper)) for d in one.doubted]
    bounds = [bound for _, lower, upper in points for bound in (lower, upper)]
    return Plot(
        title=f"{metric.metric}: how much doubt in the trends the effect bears",
        unit=_unit(metric),
        summary=f"{_capital(one.note)}. {_capital(one.assumes)}.",
        end=points[-1][0],
        low=min(0.0, *bounds),
        high=max(0.0, *bounds),
        bands=[Band("interval of the effect", points, "canary")],
        levels=[NO_EFFECT],
        axis="Mbar, in steps that the trend took before",
    )


def _away(spans: Sequence[Span]) -> str:
    far = sum(not s.band_lower <= 0.0 <= s.band_upper for s in spans)
    return f"the band leaves zero in {far} of {len(spans)} blocks"


def _steps(metric: MetricOpinion, spans: Sequence[Span]) -> list[tuple[float, float, float]]:
    """Each block over its whole width; a gap where blocks do not touch."""
    out: list[tuple[float, float, float]] = []
    for before, s in zip([None, *spans], spans, strict=False):
        if before is not None and s.begin > before.end:
            out.append((s.begin, math.nan, math.nan))
        low, high = _units(metric, s.band_lower), _units(metric, s.band_upper)
        out += [(s.begin, low, high), (s.end, low, high)]
    return out


def _bars(metric: MetricOpinion, spans: Sequence[Span]) -> list[tuple[float, float, float]]:
    """Each for itself."""
    out: list[tuple[float, float, float]] = []
    for s in spans:
        middle = (s.begin + s.end) / 2
        out += [(middle, _units(metric, s.lower), _units(metric, s.upper)), (middle, math.nan, math.nan)]
    return out


def _room(values: Sequence[float], bounds: Sequence[float]) -> tuple[float, float]:
    """All estimates and zero, and of the intervals what does not make these a line."""
    far = WIDEST * max(1e-3, *(abs(value) for value in values))
    inside = [min(max(bound, -far), far) for bound in bounds if not math.isnan(bound)]
    return min(0.0, *values, *inside), max(0.0, *values, *inside)


def _units(metric: MetricOpinion, effect: float) -> float:
    """Percent, or points."""
    return 100 * shown(metric, effect)


def _unit(metric: MetricOpinion) -> str:
    return "%" if metric.relative else " pp"


def _short(method: str) -> str:
    return method.split(" (", maxsplit=1)[0].split(",", maxsplit=1)[0]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
