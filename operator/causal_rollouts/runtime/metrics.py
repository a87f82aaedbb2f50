"""What the operator tells of itself and of each rollout, for alerts and dashboards.

Everything is taken where the control loop meets its store, so that the loop
itself knows nothing of metrics. No series names a pod, and all series of a
rollout go when it goes.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge

from causal_rollouts.model.actions import Action
from causal_rollouts.model.crowd import Other
from causal_rollouts.model.world import Json, Key
from causal_rollouts.ports import Broken, Ledger, NotYet, Record, Refused, Rollout, RolloutStore
from causal_rollouts.runtime.gauges import PREFIX, WHOSE, Gauges, labels
from causal_rollouts.runtime.release_metrics import ReleaseMetrics

log = logging.getLogger("causal_rollouts.metrics")

KINDS: Mapping[type[Exception], str] = {Refused: "Refused", Broken: "Broken"}
UNEXPECTED = "Unexpected"

Work = Callable[[Key], Awaitable[float | None]]


@dataclass(slots=True)
class RolloutMetrics:
    """Gauges of the rollouts' status, and counters of what failed, by rollout."""

    registry: CollectorRegistry
    _gauges: Gauges = field(init=False)
    _phase: Gauge = field(init=False)
    _verdict: Gauge = field(init=False)
    _condition: Gauge = field(init=False)
    _unwritten: Counter = field(init=False)
    _failures: Counter = field(init=False)

    def __post_init__(self) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(f"{PREFIX}_{name}", text, (*WHOSE, "kind"), registry=self.registry)

        self._gauges = Gauges(self.registry, PREFIX)
        gauge = self._gauges.gauge
        self._phase = gauge("rollout_phase", "1 for the phase that the rollout is in", "phase")
        self._verdict = gauge("rollout_verdict", "1 for the verdict of the newest look", "verdict")
        self._condition = gauge("rollout_condition", "1 if the condition holds, 0 if not", "type", "reason")
        self._unwritten = counter("record_write_failures", "Record writes that failed, conflicts apart")
        self._failures = counter("pass_failures", "Passes over the rollout that failed, conflicts apart")

    def show(self, key: Key, status: Json) -> None:
        """The status as it is published, in place of what was shown before."""
        whose = labels(key)
        self._gauges.forget(key)
        for kind in (*KINDS.values(), UNEXPECTED):
            # From nothing to one is no increase to Prometheus: a counter starts at 0.
            self._unwritten.labels(**whose, kind=kind)
            self._failures.labels(**whose, kind=kind)
        self._phase.labels(**whose, phase=str(status.get("phase", ""))).set(1)
        if status.get("verdict"):
            self._verdict.labels(**whose, verdict=str(status["verdict"])).set(1)
        conditions = status.get("conditions")
        for found in conditions if isinstance(conditions, list) else []:
            known = self._condition.labels(**whose, type=str(found["type"]), reason=str(found["reason"]))
            known.set(found["status"] == "True")

    def forget(self, key: Key) -> None:
        """The rollout is gone, and so are its series."""
        self._gauges.forget(key)
        for counter in (self._unwritten, self._failures):
            counter.remove_by_labels(labels(key))

    def not_written(self, key: Key, error: Exception) -> None:
        """The record of this rollout could not be written."""
        self._unwritten.labels(key.namespace, key.name, KINDS.get(type(error), UNEXPECTED)).inc()

    def counting(self, work: Work) -> Work:
        """The same work; what fails is counted and raised on."""

        async def counted(key: Key) -> float | None:
            try:
                return await work(key)
            except NotYet:
                raise
            except Exception as error:
                self._failures.labels(key.namespace, key.name, KINDS.get(type(error), UNEXPECTED)).inc()
                raise

        return counted


@dataclass(frozen=True, slots=True)
class MeteredStore:
    """A RolloutStore that shows on `metrics` what passes through it."""

    store: RolloutStore
    metrics: RolloutMetrics
    releases: ReleaseMetrics

    async def rollout(self, key: Key) -> Rollout | None:
        """As the store, and its series go with it."""
        found = await self.store.rollout(key)
        if found is None:
            self.forget(key)
        return found

    def forget(self, key: Key) -> None:
        """All series of a rollout that is gone, or that another copy looks after now."""
        self.metrics.forget(key)
        self.releases.forget(key)

    async def rollouts_on(self, namespace: str, target: str) -> tuple[Key, ...]:
        """As the store."""
        return await self.store.rollouts_on(namespace, target)

    async def others(self, key: Key) -> tuple[Other, ...]:
        """As the store."""
        return await self.store.others(key)

    async def bound_policy(self, namespace: str) -> str:
        """As the store."""
        return await self.store.bound_policy(namespace)

    async def policy(self, name: str) -> Json | None:
        """As the store."""
        return await self.store.policy(name)

    async def ledger(self, key: Key) -> Ledger:
        """As the store."""
        return await self.store.ledger(key)

    async def records(self, key: Key) -> tuple[Record, ...]:
        """As the store."""
        return await self.store.records(key)

    async def open(self, record: Record) -> Record:
        """As the store; what cannot be written is counted."""
        return await self._written(record, self.store.open(record))

    async def write_ahead(self, record: Record) -> Record:
        """As the store; what cannot be written is counted."""
        return await self._written(record, self.store.write_ahead(record))

    async def publish(self, rollout: Rollout, status: Json) -> None:
        """As the store; the status is shown also where it cannot be written."""
        self.metrics.show(rollout.key, status)
        await self.store.publish(rollout, status)

    async def perform(self, rollout: Rollout, action: Action) -> None:
        """As the store."""
        await self.store.perform(rollout, action)

    async def _written(self, record: Record, writing: Awaitable[Record]) -> Record:
        try:
            written = await writing
        except NotYet:
            raise
        except Exception as error:
            self.metrics.not_written(record.key, error)
            raise
        try:
            self.releases.show(written)
        except Exception:
            # The intent is on record and its effects must follow: a graph is no reason to stop a release.
            log.exception("%s: its metrics cannot be shown", written.name)
        return written
