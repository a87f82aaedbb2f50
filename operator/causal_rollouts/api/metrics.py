"""A metric of a manifest as the gate understands it: its kind, its source, its margins."""

from __future__ import annotations

import re

from causal_rollouts.api import v1alpha1 as v1
from causal_rollouts.api.defaults import MARGINS
from causal_rollouts.api.problems import Problem, Unresolvable
from causal_rollouts.api.units import fraction
from causal_rollouts.model.metrics import Gating, Margins, Matcher, Metric, MetricKind

RESTARTS = "kube_pod_container_status_restarts_total"


def metric_of(metric: v1.Metric, field: str) -> Metric:
    """One metric.

    Raises:
        Unresolvable: no or several sources, a pattern that is no regular expression, a bad margin.
    """
    sources = [n for n in ("latency", "slow", "errors", "restarts") if getattr(metric, n) is not None]
    if len(sources) != 1:
        what = f"has {len(sources)} sources"
        raise Unresolvable((Problem(field, what, "give exactly one of latency, slow, errors, restarts"),))
    source = sources[0]
    margins, gating = _margins(metric, source, field)
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
    return Metric(metric.name, MetricKind.RESTARTS, RESTARTS, margins, gating)


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


def _margins(metric: v1.Metric, source: str, field: str) -> tuple[Margins, Gating]:
    said = metric.model_dump(by_alias=True, exclude_none=True)
    chosen = {name: str(said.get(name, default)) for name, default in MARGINS[source].items()}
    margins = Margins(
        revert_above=fraction(chosen["revertAbove"]),
        promote_below=fraction(chosen["promoteBelow"]),
        null_below=fraction(chosen["nullBelow"]),
        revert_above_points=fraction(chosen["revertAbovePoints"]),
        promote_below_points=fraction(chosen["promoteBelowPoints"]),
    )
    if margins.null_below > margins.revert_above:
        fix = "lower nullBelow or raise revertAbove"
        raise Unresolvable((Problem(f"{field}.nullBelow", "is above revertAbove", fix),))
    return margins, Gating(chosen["gating"])


def _matchers(given: list[dict[str, str]] | None, field: str) -> tuple[Matcher, ...]:
    for i, labels in enumerate(given or []):
        for label, pattern in labels.items():
            if not re.fullmatch(v1.LABEL_NAME, label):
                raise Unresolvable((Problem(f"{field}[{i}]", f'"{label}" is no label name', "correct it"),))
            try:
                re.compile(pattern)
            except re.error as error:
                what = f'"{pattern}" is no regular expression ({error})'
                raise Unresolvable((Problem(f"{field}[{i}].{label}", what, "correct it"),)) from None
    return tuple(Matcher(tuple(sorted(labels.items()))) for labels in given or [])
