"""Metrics as a manifest names them: series and labels, never a query.

A query written by a user could read any series of the cluster; structure can
be held to the namespace of the rollout.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from causal_rollouts.api.defaults import MARGINS
from causal_rollouts.api.forms import SHARE, Edge, MetricLabel, Percent, SeriesName, TailShare, quoted
from causal_rollouts.api.part import Part
from causal_rollouts.api.rule import Rule, validations
from causal_rollouts.api.v1alpha1_segments import Segments

LABELS_AT_MOST = 8
SHORT_LABELS = Rule(
    "self.all(label, size(label) >= 1 && size(label) <= 64)",
    "a label name is empty or longer than 64 characters; write the label names that the series carry",
)


def _short(matcher: dict[str, str]) -> dict[str, str]:
    if not all(1 <= len(label) <= 64 for label in matcher):
        raise SHORT_LABELS.broken
    return matcher


Pattern = Annotated[
    str,
    Field(
        max_length=200, description="Regular expression (RE2) that the whole value of the label must match."
    ),
]
Matcher = Annotated[
    dict[str, Pattern],
    Field(min_length=1, max_length=LABELS_AT_MOST, json_schema_extra=validations(SHORT_LABELS)),
    AfterValidator(_short),
]
Matchers = Annotated[list[Matcher], Field(min_length=1, max_length=16)]

ONE_WAY = Rule(
    "has(self.over) != has(self.share)",
    "over and share are two ways to say one thing; give either over (a bucket edge like 500ms) "
    "or share (like 0.15%)",
)
SOME_BAD = Rule(
    "has(self.of) || has(self.bad)",
    "nothing says which requests are errors; give bad (label values of failed requests) "
    "or of (the counter of all requests)",
)
TWO_COUNTERS = Rule(
    "!has(self.of) || self.of != self.counter",
    "of is the counter itself; name the counter of all requests in of, that of failures in counter",
    field="of",
)
ONE_SOURCE = Rule(
    "[has(self.latency), has(self.slow), has(self.errors), has(self.restarts), has(self.footprint)]"
    ".filter(given, given).size() == 1",
    "a metric has one source; give exactly one of latency, slow, errors, restarts and footprint",
)
FOOTPRINT_TELLS = Rule(
    "!has(self.footprint) || [has(self.revertAbove), has(self.nullBelow), has(self.promoteBelow), "
    "has(self.revertAbovePoints), has(self.promoteBelowPoints), has(self.gating)].all(given, !given)",
    "a footprint never reverts and never promotes; remove margins and gating, and give warnAbove and "
    "headroom inside footprint",
    field="footprint",
)
SEGMENTS_OF_REQUESTS = Rule(
    "!has(self.segments) || !has(self.footprint) && (!has(self.restarts) || "
    "self.segments.all(cut, has(cut.node)))",
    "a footprint has no segments, and those of restarts are told apart by node; remove the others",
    field="segments",
)
COUNTER_OR_GAUGE = Rule(
    "has(self.counter) != has(self.gauge)",
    "a footprint is a counter held against requests or a gauge held against pods; "
    "give counter and per, or gauge",
)
PER_REQUEST = Rule(
    "has(self.counter) == has(self.per)",
    "a counter is held against requests and a gauge against pods; give per (a counter of requests) "
    "with counter only",
    field="per",
)
PER_ITSELF = Rule(
    "!has(self.per) || !has(self.counter) || self.per != self.counter",
    "per is the counter itself; name the counter of requests in per, that of what is used in counter",
    field="per",
)
HOLD_OF_HEADROOM = Rule(
    "!has(self.overHeadroom) || self.overHeadroom != 'Hold' || has(self.headroom)",
    "nothing says how much is too much; give headroom (like 30%) with overHeadroom: Hold",
    field="overHeadroom",
)
NULL_OF_LATENCY = Rule(
    "!has(self.nullBelow) || has(self.latency)",
    "nullBelow has a meaning for latency only; remove it, counts are held against revertAbove",
    field="nullBelow",
)
POINTS_OF_RATES = Rule(
    "(!has(self.revertAbovePoints) && !has(self.promoteBelowPoints)) || has(self.errors) || has(self.slow)",
    "points have a meaning for errors and slow only; remove revertAbovePoints and promoteBelowPoints",
)


def _ascending(*names: str) -> str:
    """CEL: of latency, the first margin is at most the second; what is silent has its default."""
    # No optionals: the API server's estimate of their cost knows no bound of the text.
    texts = [f"(has(self.{name}) ? self.{name} : '{MARGINS['latency'][name]}')" for name in names]
    malformed = [f"!{text}.matches({quoted(SHARE.pattern)})" for text in texts]
    low, high = (f"double({text}.replace('%', ''))" for text in texts)
    return " || ".join(["!has(self.latency)", *malformed, f"{low} <= {high}"])


NULL_UNDER_HARM = Rule(
    _ascending("nullBelow", "revertAbove"),
    "nullBelow is above revertAbove (2% and 5% where not given); lower nullBelow or raise revertAbove",
    field="nullBelow",
)
HARM_UNDER_SAFE = Rule(
    _ascending("revertAbove", "promoteBelow"),
    "promoteBelow is below revertAbove (10% and 5% where not given), so an effect between them could "
    "neither revert nor promote; raise promoteBelow or lower revertAbove",
    field="promoteBelow",
)
_IGNORE: Final = "Requests left out: label values as anchored regular expressions, any of the entries."


class Histogram(Part):
    """A classic histogram of request durations in seconds."""

    histogram: SeriesName = Field(description="Name without the suffix _bucket.")
    ignore: Matchers | None = Field(default=None, description=_IGNORE)


class Slow(Histogram):
    """Share of requests slower than an edge of the histogram."""

    RULES = (ONE_WAY,)

    over: Edge | None = Field(default=None, description="A bucket edge, like 500ms.")
    share: TailShare | None = Field(
        default=None, description="The highest edge that at least this share of requests exceeds, like 0.15%."
    )

    def broken(self) -> Iterator[Rule]:
        """Both or none of over and share."""
        if (self.over is None) == (self.share is None):
            yield ONE_WAY


class Errors(Part):
    """Share of requests that failed."""

    RULES = (SOME_BAD, TWO_COUNTERS)

    counter: SeriesName = Field(description="Counter of requests, or of failures where `of` is given.")
    of: SeriesName | None = Field(default=None, description="Counter of all requests.")
    bad: Matchers | None = Field(
        default=None,
        description="Which requests are errors: label values as anchored regular expressions, any of the "
        "entries. Where `of` is given: which failures count.",
    )
    ignore: Matchers | None = Field(default=None, description=_IGNORE)

    def broken(self) -> Iterator[Rule]:
        """No errors named, or one counter named twice."""
        if self.of is None and self.bad is None:
            yield SOME_BAD
        if self.of == self.counter:
            yield TWO_COUNTERS


class Restarts(Part):
    """Container restarts as kube-state-metrics counts them."""


class Footprint(Part):
    """What a version uses: for each request, or in each pod. It is told and warned of, and never reverts."""

    RULES = (COUNTER_OR_GAUGE, PER_REQUEST, PER_ITSELF, HOLD_OF_HEADROOM)

    counter: SeriesName | None = Field(
        default=None, description="Counter of what is used, like container_cpu_usage_seconds_total."
    )
    per: SeriesName | None = Field(default=None, description="Counter of the requests that it was used for.")
    gauge: SeriesName | None = Field(
        default=None,
        description="Gauge of what each pod holds, like container_memory_working_set_bytes, at equal load.",
    )
    warn_above: Percent | None = Field(
        default=None,
        description="Evidence of growth is warned of while the estimate is above, 10% by default.",
    )
    headroom: Percent | None = Field(
        default=None,
        description="How much more the whole service may use at 100% of the traffic than it does now.",
    )
    over_headroom: Literal["Warn", "Hold"] | None = Field(
        default=None,
        description="What exceeding it with evidence does: a warning (default), or no rise of traffic.",
    )

    def broken(self) -> Iterator[Rule]:
        """Neither counter nor gauge, requests for the wrong one, or a hold without a limit."""
        if (self.counter is None) == (self.gauge is None):
            yield COUNTER_OR_GAUGE
        if (self.counter is None) != (self.per is None):
            yield PER_REQUEST
        if self.counter is not None and self.per == self.counter:
            yield PER_ITSELF
        if self.over_headroom == "Hold" and self.headroom is None:
            yield HOLD_OF_HEADROOM


class Metric(Part):
    """One metric: its source, its margins, and what it may do."""

    RULES = (
        ONE_SOURCE,
        NULL_OF_LATENCY,
        POINTS_OF_RATES,
        NULL_UNDER_HARM,
        HARM_UNDER_SAFE,
        FOOTPRINT_TELLS,
        SEGMENTS_OF_REQUESTS,
    )

    name: MetricLabel = Field(description="Name of the metric in status, records and reports.")
    latency: Histogram | None = Field(default=None, description="Mean log latency.")
    slow: Slow | None = Field(default=None, description="Share of slow requests.")
    errors: Errors | None = Field(default=None, description="Share of failed requests.")
    restarts: Restarts | None = Field(default=None, description="Container restarts.")
    footprint: Footprint | None = Field(default=None, description="Use for each request or in each pod.")
    revert_above: Percent | None = Field(
        default=None, description="Harm margin: evidence of a larger effect reverts."
    )
    null_below: Percent | None = Field(
        default=None, description="Latency: effects up to this never count as harm."
    )
    promote_below: Percent | None = Field(
        default=None, description="Safe margin: evidence of a smaller effect is needed to promote."
    )
    revert_above_points: Percent | None = Field(
        default=None, description="Harm margin in points of the rate; the larger of the two holds."
    )
    promote_below_points: Percent | None = Field(
        default=None, description="Safe margin in points of the rate; the larger of the two holds."
    )
    gating: Literal["Both", "RevertOnly", "ReportOnly"] | None = Field(
        default=None, description="Whether it can revert and must be safe to promote, can revert, or is told."
    )
    segments: Annotated[list[Segments], Field(min_length=1, max_length=4)] | None = Field(
        default=None, description="Parts that are judged beside the whole, at most 12 over all metrics."
    )

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources given; a valid metric has one."""
        return tuple(
            name
            for name in ("latency", "slow", "errors", "restarts", "footprint")
            if getattr(self, name) is not None
        )

    def broken(self) -> Iterator[Rule]:
        """Not one source. The order of margins is judged on the values in force."""
        if len(self.sources) != 1:
            yield ONE_SOURCE
        by_label = any(cut.label is not None for cut in self.segments or [])
        if self.segments and (self.footprint is not None or (self.restarts is not None and by_label)):
            yield SEGMENTS_OF_REQUESTS

    def refused(self) -> Iterator[Rule]:
        """A margin without effect: old recordings may run with one."""
        points = (self.revert_above_points, self.promote_below_points)
        margins = (self.revert_above, self.null_below, self.promote_below, *points, self.gating)
        if self.null_below is not None and self.latency is None:
            yield NULL_OF_LATENCY
        if any(points) and self.errors is None and self.slow is None:
            yield POINTS_OF_RATES
        if any(margins) and self.footprint is not None:
            yield FOOTPRINT_TELLS
