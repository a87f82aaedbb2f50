"""The parts of a metric as the gate understands them: each a metric of its own over fewer series or pods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from causal_rollouts.api.problems import Problem
from causal_rollouts.api.v1alpha1_metrics import Metric as Given
from causal_rollouts.model.metrics import Gating, Metric
from causal_rollouts.model.segment import Axis, Segment

AT_MOST = 12
"""Over all metrics: each is a test more at every look, and a line more in every decision on record."""


def segments_of(given: Given, whole: Metric) -> tuple[Metric, ...]:
    """The parts that a metric of a manifest asks for."""
    return tuple(_parts(given, whole))


def too_many(segments: Sequence[Metric], where: str) -> Iterator[Problem]:
    """More than a release can carry."""
    if len(segments) > AT_MOST:
        what = f"{len(segments)} segments are asked for, at most {AT_MOST} can be judged"
        yield Problem(where, what, "name fewer values, those that a harm would hurt most")


def _parts(given: Given, whole: Metric) -> Iterator[Metric]:
    for cut in given.segments or []:
        axis = Axis.LABEL if cut.label else Axis(str(cut.node))
        for value in cut.values:
            segment = Segment(whole.name, axis, value, cut.label or "")
            gating = Gating(cut.gating or Gating.REPORT_ONLY)
            yield replace(whole, name=segment.name, gating=gating, segment=segment)
