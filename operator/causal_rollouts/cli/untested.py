"""What the evidence of a release says nothing of: a gate is trusted for what it looked at, no further."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from causal_rollouts.cli.knowledge import known
from causal_rollouts.cli.printing import age
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.metrics import Gating, MetricKind
from causal_rollouts.model.percent import of_traffic
from causal_rollouts.ports import Record

KINDS = {
    MetricKind.LATENCY: "latency",
    MetricKind.ERRORS: "errors",
    MetricKind.RESTARTS: "restarts",
}
"""What users feel first, in the words of a policy."""


def untested(record: Record) -> list[str]:
    """One line for each, the nearest first."""
    reg = record.registration
    there = {metric.kind for metric in reg.metrics}
    read = {one.name for one in known(record) if not math.isnan(one.reading.effect)}
    judged = [metric for metric in reg.metrics if metric.kind is not MetricKind.FOOTPRINT]
    silent = [metric.name for metric in judged if metric.name not in read]
    beside = any(name.endswith("/neighbours") for name in read)
    return [
        *([f"no estimate yet: {', '.join(silent)}"] if silent else []),
        *(f"{words}: no metric of this kind" for kind, words in KINDS.items() if kind not in there),
        *_reporting(record),
        *([] if beside else ["pods beside a canary: no estimate against stable pods on other nodes"]),
        *([] if reg.segments else ["single routes, zones or kinds of machines: no segments are asked for"]),
        *([] if MetricKind.FOOTPRINT in there else ["what it uses for each request: no footprint is named"]),
        *_places(record.release.pods),
        *([] if reg.probe else ["whether it slows everybody down: no probe, so that would only hold it"]),
        *_reach(record),
    ]


def _reporting(record: Record) -> list[str]:
    """Metrics that may be bad without any consequence."""
    named = [
        metric.name
        for metric in record.registration.metrics
        if metric.gating is Gating.REPORT_ONLY and metric.kind is not MetricKind.FOOTPRINT
    ]
    return [f"only reported, whatever they show: {', '.join(named)}"] if named else []


def _places(pods: Sequence[Pod]) -> list[str]:
    """Zones and kinds of machines that it will be promoted to and in which no pod of it ever ran."""
    tried = {pod.place for pod in pods if pod.arm is Arm.CANARY and pod.ready is not None}
    stable = Counter(pod.place for pod in pods if pod.arm is Arm.STABLE and pod.deleted is None)
    return [
        f"{place}: {count} of {stable.total()} stable pods run there, and none of the candidate did"
        for place, count in sorted(stable.items())
        if tried and place not in tried
    ]


def _reach(record: Record) -> list[str]:
    """The largest share of traffic and the longest time that the candidate was looked at."""
    changes = record.release.timeline
    top = max((change.weights.canary for change in changes), default=0)
    if top == 0:
        return []
    begun = next(change.time for change in changes if change.weights.canary > 0)
    looked = max(record.release.looked or begun, begun)
    later = f"harm that comes later than {age(looked - begun)} after its first request"
    return [f"more than {of_traffic(top)} of the traffic, and {later}"]
