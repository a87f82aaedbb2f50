"""What each running release shows, for dashboards: weights, effects, evidence; and how releases end.

Taken from the record as it is written ahead of every effect, so a graph shows
what the gate went by and not what somebody computed beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge

from causal_rollouts.model.percent import relative
from causal_rollouts.model.reasons import Act, Outcome
from causal_rollouts.model.trace import Reading
from causal_rollouts.model.traffic import WHOLE
from causal_rollouts.model.world import Key
from causal_rollouts.ports import Record
from causal_rollouts.runtime.design_metrics import DesignMetrics
from causal_rollouts.runtime.gauges import PREFIX, WHOSE, Gauges, labels, put, whose

RELEASE = f"{PREFIX}_release"


@dataclass(slots=True)
class ReleaseMetrics:
    """Gauges of the release that runs, gone with it; a counter of those that ended."""

    registry: CollectorRegistry
    _gauges: Gauges = field(init=False)
    _step: Gauge = field(init=False)
    _weight: Gauge = field(init=False)
    _effect: Gauge = field(init=False)
    _evidence: Gauge = field(init=False)
    _spent: Gauge = field(init=False)
    _budget: Gauge = field(init=False)
    _ended: Counter = field(init=False)
    _design: DesignMetrics = field(init=False)
    _counted: dict[Key, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._gauges = Gauges(self.registry, RELEASE)
        gauge = self._gauges.gauge
        self._step = gauge("step", "Stage that the release is in, from 1; 0 before the first")
        self._weight = gauge("weight", "Share of the traffic that the arm shall have", "arm")
        self._effect = gauge("effect", "Relative effect on the metric, .1 is 10% more", "metric", "bound")
        self._evidence = gauge("evidence_nats", "Evidence on the metric, in nats", "metric", "of")
        self._spent = gauge("harm_nats", "Evidence for harm of all metrics together, in nats")
        self._budget = gauge("harm_budget_nats", "Evidence for harm of all metrics at which it is reverted")
        self._design = DesignMetrics(self.registry)
        self._ended = Counter(
            f"{RELEASE}s", "Releases that ended", (*WHOSE, "outcome", "reason"), registry=self.registry
        )

    def show(self, record: Record) -> None:
        """The record as it was written, in place of what was shown before."""
        self._gauges.forget(record.key)
        if record.final:
            self._design.forget(record.key)
            # A record may be written again after its end; a release ends once.
            if self._counted.get(record.key) != record.name:
                self._ended.labels(*whose(record.key), *_end(record)).inc()
                self._counted[record.key] = record.name
            return
        mine, release = whose(record.key), record.release
        self._design.show(record)
        self._step.labels(*mine).set(release.stage + 1)
        self._budget.labels(*mine).set(-math.log(record.registration.alpha))
        weights = release.desired.weights
        for arm, share in (
            ("canary", weights.canary),
            ("baseline", weights.baseline),
            ("stable", weights.stable),
        ):
            self._weight.labels(*mine, arm).set(share / WHOLE)
        if record.trace:
            self._spent.labels(*mine).set(record.trace[-1].log_harm)
            for reading in record.trace[-1].readings:
                self._reading(mine, reading)

    def forget(self, key: Key) -> None:
        """The rollout is gone, and so are its series."""
        self._gauges.forget(key)
        self._design.forget(key)
        self._counted.pop(key, None)
        self._ended.remove_by_labels(labels(key))

    def _reading(self, mine: tuple[str, str], reading: Reading) -> None:
        bounds = (("estimate", reading.effect), ("lower", reading.lower), ("upper", reading.upper))
        for bound, value in bounds:
            put(self._effect, relative(value), *mine, reading.name, bound)
        for what, value in (("harm", reading.harm), ("safety", reading.safe)):
            put(self._evidence, value, *mine, reading.name, what)


def _end(record: Record) -> tuple[str, str]:
    """(outcome, reason of the decision that ended it; "" where none is on record)."""
    ending = {Act.REVERT, Act.END, Act.PROMOTE}
    reasons = [str(line.decision.reason) for line in record.decisions if line.decision.act in ending]
    return str(record.release.outcome or Outcome.ABORTED), reasons[-1] if reasons else ""
