"""The one error budget over all metrics, tracks and windows, and what has been spent of it.

Weights are a function of what was registered and of nothing that was seen:
a share that moves towards what looks bad is no share.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from causal_rollouts.model.evidence import Process
from causal_rollouts.model.metrics import Gating, Metric, MetricKind
from causal_rollouts.model.registration import Registration

if TYPE_CHECKING:
    # Reports and `explain` add up what was spent, and need no arrays for that.
    from causal_rollouts.evidence.frame import Finding, Frame


def shares(reg: Registration) -> Mapping[tuple[str, MetricKind], float]:
    """Share of each (metric, kind); a latency metric has a second one for its neighbours.

    The weight of a kind is split evenly over its metrics; that of absent kinds goes to the rest in
    proportion. A metric that only reports has none; a segment that acts is one more metric of its kind.
    """
    acting = [m for m in reg.asked if m.gating is not Gating.REPORT_ONLY]
    entries: list[tuple[str, MetricKind]] = [(m.name, m.kind) for m in acting]
    entries += [
        (m.name, MetricKind.NEIGHBOUR) for m in acting if m.kind is MetricKind.LATENCY and not m.segment
    ]
    count = Counter(kind for _, kind in entries)
    declared = {kind: weight for kind, weight in reg.budget.kinds if count[kind] and weight > 0}
    total = sum(declared.values())
    return {(name, kind): declared[kind] / total / count[kind] for name, kind in entries if kind in declared}


def window_share(reg: Registration, frame: Frame, kind: MetricKind, window: int) -> float:
    """Share of one window: the first has most, later stages the rest in equal parts, restarts but one."""
    if kind is MetricKind.RESTARTS or frame.planned <= 1:
        return 1.0 if window == frame.t0 else 0.0
    first = reg.budget.first_window
    return first if window == frame.t0 else (1.0 - first) / (frame.planned - 1)


def first_share(reg: Registration, frame: Frame, metric: str, kind: MetricKind) -> float:
    """Share of a question in the first window, of all its tracks together."""
    return shares(reg).get((metric, kind), 0.0) * window_share(reg, frame, kind, frame.windows[0])


def processes(
    reg: Registration, frame: Frame, metric: Metric, kind: MetricKind, name: str, finding: Finding
) -> list[Process]:
    """Each track of a finding under `name` with its part of the budget; none of what only reports."""
    share = shares(reg).get((metric.name, kind), 0.0)
    found = []
    for track in finding.tracks:
        weight = share * window_share(reg, frame, kind, track.window) * track.share
        if weight > 0:
            found.append(Process(name, kind, track.window, track.log_e, math.log(weight)))
    return found


def alone(reg: Registration, frame: Frame, metric: Metric, finding: Finding) -> float:
    """Log of a finding's evidence as one e-value, had it a budget of its own.

    Its windows by their shares; one that is still to come counts as nothing.
    """
    return spent(
        Process(metric.name, metric.kind, track.window, track.log_e, math.log(weight))
        for track in finding.tracks
        if (weight := window_share(reg, frame, metric.kind, track.window) * track.share) > 0
    )


def spent(found: Iterable[Process]) -> float:
    """Log of the weighted sum of all e-values, which is never below its largest term."""
    terms = [p.log_e + p.log_weight for p in found]
    top = max(terms, default=-math.inf)
    if top == -math.inf:
        return top
    return top + math.log(math.fsum(math.exp(term - top) for term in terms))
