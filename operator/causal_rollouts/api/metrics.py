"""A metric of a manifest as the gate understands it: its kind, its source, its margins."""

from __future__ import annotations

import re
from collections.abc import Mapping

from causal_rollouts.api import v1alpha1_metrics as v1
from causal_rollouts.api.defaults import MARGINS, NULL_BELOW, WARN_ABOVE
from causal_rollouts.api.layers import in_force
from causal_rollouts.api.problems import Problem, Unresolvable
from causal_rollouts.api.units import fraction
from causal_rollouts.evidence.matching import BadPattern, anchored
from causal_rollouts.model.metrics import RESTARTS_SERIES, Gating, Margins, Matcher, Metric, MetricKind

LABEL_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"


def metric_of(metric: v1.Metric, field: str) -> Metric:
    """One metric.

    Raises:
        Unresolvable: a pattern that is no regular expression, a label that is none, a bad margin.
    """
    if metric.footprint is not None:
        return _footprint(metric.name, metric.footprint)
    margins, gating = _margins(metric, metric.sources[0])
    if metric.latency is not None:
        _ordered(in_force(metric), field)
    if metric.latency is not None:
        ignore = _matchers(metric.latency.ignore, f"{field}.latency.ignore")
        kind, series = MetricKind.LATENCY, metric.latency.histogram
        return Metric(metric.name, kind, series, margins, gating, ignore=ignore)
    if metric.slow is not None:
        return _slow(metric.name, metric.slow, margins, gating, field)
    if metric.errors is not None:
        return Metric(
            metric.name,
            MetricKind.ERRORS,
            metric.errors.counter,
            margins,
            gating,
            of=metric.errors.of or "",
            bad=_matchers(metric.errors.bad, f"{field}.errors.bad"),
            ignore=_matchers(metric.errors.ignore, f"{field}.errors.ignore"),
        )
    return Metric(metric.name, MetricKind.RESTARTS, RESTARTS_SERIES, margins, gating)


def _footprint(name: str, footprint: v1.Footprint) -> Metric:
    warn = fraction(footprint.warn_above or WARN_ABOVE)
    headroom = None if footprint.headroom is None else fraction(footprint.headroom)
    return Metric(
        name,
        MetricKind.FOOTPRINT,
        footprint.counter or footprint.gauge or "",
        # Where no headroom is stated, growth that is not warned of is what counts as safe.
        Margins(warn, warn if headroom is None else headroom),
        Gating.REPORT_ONLY,
        of=footprint.per or "",
        headroom=headroom,
        waits=footprint.over_headroom == "Hold",
    )


def _slow(name: str, slow: v1.Slow, margins: Margins, gating: Gating, field: str) -> Metric:
    ignore = _matchers(slow.ignore, f"{field}.slow.ignore")
    if slow.share is not None:
        return Metric(
            name,
            MetricKind.TAIL,
            slow.histogram,
            margins,
            gating,
            share=fraction(slow.share),
            ignore=ignore,
        )
    return Metric(
        name, MetricKind.SLOW, slow.histogram, margins, gating, over=_edge(slow.over or ""), ignore=ignore
    )


def _edge(text: str) -> float:
    return float(text[:-2]) / 1000 if text.endswith("ms") else float(text.removesuffix("s"))


def _margins(metric: v1.Metric, source: str) -> tuple[Margins, Gating]:
    chosen = {name: str(value) for name, value in in_force(metric).items() if name in MARGINS[source]}
    margins = Margins(
        revert_above=fraction(chosen["revertAbove"]),
        promote_below=fraction(chosen["promoteBelow"]),
        null_below=fraction(chosen.get("nullBelow", NULL_BELOW)),
        revert_above_points=fraction(chosen.get("revertAbovePoints", "0%")),
        promote_below_points=fraction(chosen.get("promoteBelowPoints", "0%")),
    )
    return margins, Gating(chosen["gating"])


def _ordered(chosen: Mapping[str, object], field: str) -> None:
    """Of latency: what counts as no harm, then harm, then what is promoted at most."""
    null, harm, safe = (str(chosen[name]) for name in ("nullBelow", "revertAbove", "promoteBelow"))
    found = []
    if fraction(null) > fraction(harm):
        what = f"{null} is above revertAbove, which is {harm}"
        found.append(Problem(f"{field}.nullBelow", what, "lower nullBelow or raise revertAbove"))
    if fraction(safe) < fraction(harm):
        what = (
            f"{safe} is below revertAbove, which is {harm}; an effect between them could neither revert "
            "nor promote"
        )
        found.append(Problem(f"{field}.promoteBelow", what, "raise promoteBelow or lower revertAbove"))
    if found:
        raise Unresolvable(tuple(found))


def _matchers(given: list[dict[str, str]] | None, field: str) -> tuple[Matcher, ...]:
    for i, labels in enumerate(given or []):
        for label, pattern in labels.items():
            if not re.fullmatch(LABEL_NAME, label):
                raise Unresolvable((Problem(f"{field}[{i}]", f'"{label}" is no label name', "correct it"),))
            try:
                anchored(pattern)
            except BadPattern as error:
                problem = Problem(f"{field}[{i}].{label}", str(error), "correct it")
                raise Unresolvable((problem,)) from None
    return tuple(Matcher(tuple(sorted(labels.items()))) for labels in given or [])
