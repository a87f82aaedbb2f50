"""What each metric of a release is held against: its margins, and the evidence that it must show.

Taken from the newest evidence on record, where margins in points are already
margins of this service; before the first look, from what was registered.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from causal_rollouts.api.plain import NotPlain, from_plain
from causal_rollouts.model.evidence import Evidence, MetricEvidence
from causal_rollouts.model.metrics import Gating, Metric, MetricKind
from causal_rollouts.model.registration import Budget
from causal_rollouts.ports import Record

CONTINUOUS = frozenset({MetricKind.LATENCY, MetricKind.NEIGHBOUR, MetricKind.FOOTPRINT})


@dataclass(frozen=True, slots=True)
class Yardstick:
    """harm, safe: margins as log ratios. advance, promote: evidence for safety, in nats.

    naive: log ratio of canary to all stable pods, nan where unknown.
    """

    name: str
    kind: MetricKind
    gating: Gating
    harm: float
    safe: float
    advance: float
    promote: float
    note: str = ""
    naive: float = math.nan

    @property
    def gates(self) -> bool:
        """It must show that it is safe before traffic rises."""
        return self.gating is Gating.BOTH


def yardsticks(record: Record, newest: Evidence | None = None) -> Mapping[str, Yardstick]:
    """By name, in the order of the registration, neighbours beside their metric.

    newest: the newest evidence on record, of who has read it already.
    """
    budget = record.registration.budget
    found = {metric.name: _registered(metric, budget) for metric in record.registration.metrics}
    newest = newest or newest_evidence(record)
    told = {metric.name: _told(metric) for metric in (newest.metrics if newest else ())}
    return {name: told.get(name) or found[name] for name in _ordered(found, told)}


def _ordered(found: Mapping[str, Yardstick], told: Mapping[str, Yardstick]) -> Iterator[str]:
    for name in found:
        yield name
        yield from (other for other in told if other.startswith(f"{name}/") and other not in found)


def newest_evidence(record: Record) -> Evidence | None:
    """The newest evidence that was logged and had begun."""
    for line in reversed(record.decisions):
        if line.evidence:
            try:
                return from_plain(Evidence, line.evidence)
            except NotPlain:
                # Another version wrote it; what was registered can be read all the same.
                return None
    return None


def _told(metric: MetricEvidence) -> Yardstick:
    return Yardstick(
        name=metric.name,
        kind=metric.kind,
        gating=metric.gating,
        harm=metric.harm_margin,
        safe=metric.safe_margin,
        advance=metric.threshold_advance,
        promote=metric.threshold_promote,
        note=metric.note,
        naive=metric.naive,
    )


def _registered(metric: Metric, budget: Budget) -> Yardstick:
    return Yardstick(
        name=metric.name,
        kind=metric.kind,
        gating=metric.gating,
        harm=math.log1p(metric.margins.revert_above),
        safe=math.log1p(metric.margins.promote_below),
        advance=budget.advance,
        promote=budget.promote_continuous if metric.kind in CONTINUOUS else budget.promote_counts,
    )
