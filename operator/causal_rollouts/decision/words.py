"""Evidence in the words a person reads in an event, a condition or a report."""

from __future__ import annotations

import math

from causal_rollouts.model.checks import Check
from causal_rollouts.model.evidence import Evidence, MetricEvidence, Process
from causal_rollouts.model.metrics import Gating, MetricKind
from causal_rollouts.model.percent import percent
from causal_rollouts.model.segment import SegmentEvidence


def describe(metric: MetricEvidence) -> str:
    """Effect of one metric with its interval."""
    return _effect(metric.name, metric)


def segment(part: SegmentEvidence) -> str:
    """`latency[route=/pay] +24.1% (+9.0% to +41.3%)`."""
    return _effect(part.segment.name, part)


def _effect(name: str, found: MetricEvidence | SegmentEvidence) -> str:
    if math.isnan(found.effect):
        return f"{name}: no estimate yet"
    return f"{name} {percent(found.effect)} ({percent(found.lower)} to {percent(found.upper)})"


def effects(evidence: Evidence) -> str:
    """What is known of the metrics that gate; "" while nothing is."""
    known = [m for m in evidence.metrics if m.gating is Gating.BOTH and not math.isnan(m.effect)]
    return ", ".join(describe(metric) for metric in known)


def harm(evidence: Evidence) -> str:
    """Why harm is taken for proven."""
    worst = evidence.worst
    share = f", {worst.metric} alone {worst.log_e:.1f}" if worst else ""
    if worst is not None and worst.kind is MetricKind.NEIGHBOUR:
        what = f"the candidate harms those beside it: {_worst(evidence)} against stable pods on other nodes"
    else:
        what = f"the candidate causes harm: {_worst(evidence)} against baseline"
    return (
        f"{what}; evidence {evidence.log_harm:.1f} nats{share}, the error budget ends at "
        f"{evidence.log_threshold:.1f}"
    )


def would_revert(evidence: Evidence) -> str:
    """What the gate would do about harm where it only watches."""
    return f"mode Observe: the gate would revert now, since {harm(evidence)}"


def difference(evidence: Evidence) -> str:
    """How pods of one template differ."""
    if evidence.contaminated and not evidence.harm:
        return (
            f"stable pods from stable pods, the placebo stands at {evidence.placebo:.1f} of "
            f"{evidence.placebo_threshold:.1f} nats"
        )
    return (
        f"{_worst(evidence)} between the arms; evidence {evidence.log_harm:.1f} of "
        f"{evidence.log_threshold:.1f} nats: their nodes or their traffic are not alike"
    )


def safety(evidence: Evidence, *, promote: bool) -> str:
    """What is known, and what is missing, about safety."""
    parts = []
    for metric in evidence.metrics:
        if metric.gating is not Gating.BOTH:
            continue
        needed = metric.threshold_promote if promote else metric.threshold_advance
        seen = f"{metric.log_e_safe:.1f}" if math.isfinite(metric.log_e_safe) else "none"
        parts.append(f"{describe(metric)}, evidence for safety {seen} of {needed:.1f}")
    return "; ".join(parts) or "no gating metric has evidence yet"


def missing(evidence: Evidence, *, promote: bool) -> str:
    """What a release that is out of time would have needed."""
    failed = evidence.unsound()
    known = safety(evidence, promote=promote)
    return known if failed is None else f"{known}; the comparison may not be believed ({check(failed)})"


def check(found: Check) -> str:
    """One check of the design and what it found."""
    return f"{found.name}: {found.note}"


def _worst(evidence: Evidence) -> str:
    """What stands nearest to the end of the budget."""
    worst = evidence.worst
    metric = _metric(evidence, worst)
    if metric is not None:
        return describe(metric)
    part = next((s for s in evidence.segments if worst is not None and s.segment.name == worst.metric), None)
    return segment(part) if part else (worst.metric if worst else "several metrics together")


def _metric(evidence: Evidence, process: Process | None) -> MetricEvidence | None:
    if process is None:
        return None
    return next((m for m in evidence.metrics if m.name == process.metric), None)
