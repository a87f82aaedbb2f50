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

PREFIX = "causal_rollouts_release"
WHOSE = ("namespace", "rollout")


@dataclass(slots=True)
class ReleaseMetrics:
    """Gauges of the release that runs, gone with it; a counter of those that ended."""

    registry: CollectorRegistry
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
        def gauge(name: str, text: str, *more: str) -> Gauge:
            return Gauge(f"{PREFIX}_{name}", text, (*WHOSE, *more), registry=self.registry)

        self._step = gauge("step", "Stage that the release is in, from 1; 0 before the first")
        self._weight = gauge("weight", "Share of the traffic that the arm shall have", "arm")
        self._effect = gauge("effect", "Relative effect on the metric, .1 is 10% more", "metric", "bound")
        self._evidence = gauge("evidence_nats", "Evidence on the metric, in nats", "metric", "of")
        self._spent = gauge("harm_nats", "Evidence for harm of all metrics together, in nats")
        self._budget = gauge("harm_budget_nats", "Evidence for harm of all metrics at which it is reverted")
        self._design = DesignMetrics(self.registry)
        self._ended = Counter(
            f"{PREFIX}s", "Releases that ended", (*WHOSE, "outcome", "reason"), registry=self.registry
        )

    def show(self, record: Record) -> None:
        """The record as it was written, in place of what was shown before."""
        self._clear(record.key)
        if record.final:
            self._design.forget(record.key)
            # A record may be written again after its end; a release ends once.
            if self._counted.get(record.key) != record.name:
                self._ended.labels(*_whose(record.key), *_end(record)).inc()
                self._counted[record.key] = record.name
            return
        whose, release = _whose(record.key), record.release
        self._design.show(record)
        self._step.labels(*whose).set(release.stage + 1)
        self._budget.labels(*whose).set(-math.log(record.registration.alpha))
        weights = release.desired.weights
        for arm, share in (
            ("canary", weights.canary),
            ("baseline", weights.baseline),
            ("stable", weights.stable),
        ):
            self._weight.labels(*whose, arm).set(share / WHOLE)
        if record.trace:
            self._spent.labels(*whose).set(record.trace[-1].log_harm)
            for reading in record.trace[-1].readings:
                self._reading(whose, reading)

    def forget(self, key: Key) -> None:
        """The rollout is gone, and so are its series."""
        self._clear(key)
        self._design.forget(key)
        self._counted.pop(key, None)
        self._ended.remove_by_labels(dict(zip(WHOSE, _whose(key), strict=True)))

    def _reading(self, whose: tuple[str, str], reading: Reading) -> None:
        bounds = (("estimate", reading.effect), ("lower", reading.lower), ("upper", reading.upper))
        for bound, value in bounds:
            shown = relative(value)
            if shown is not None:
                self._effect.labels(*whose, reading.name, bound).set(shown)
        for what, value in (("harm", reading.harm), ("safety", reading.safe)):
            if math.isfinite(value):
                self._evidence.labels(*whose, reading.name, what).set(value)

    def _clear(self, key: Key) -> None:
        for shown in (self._step, self._weight, self._effect, self._evidence, self._spent, self._budget):
            shown.remove_by_labels(dict(zip(WHOSE, _whose(key), strict=True)))


def _whose(key: Key) -> tuple[str, str]:
    return key.namespace, key.name


def _end(record: Record) -> tuple[str, str]:
    """(outcome, reason of the decision that ended it; "" where none is on record)."""
    ending = {Act.REVERT, Act.END, Act.PROMOTE}
    reasons = [str(line.decision.reason) for line in record.decisions if line.decision.act in ending]
    return str(record.release.outcome or Outcome.ABORTED), reasons[-1] if reasons else ""
