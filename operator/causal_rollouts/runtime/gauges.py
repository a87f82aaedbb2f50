"""Gauges of rollouts, which are made together so that all of a rollout's series go together."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Gauge

from causal_rollouts.model.world import Key

PREFIX = "causal_rollouts"
WHOSE = ("namespace", "rollout")


@dataclass(slots=True)
class Gauges:
    """Those of one registry whose names begin alike."""

    registry: CollectorRegistry
    prefix: str
    _made: list[Gauge] = field(default_factory=list)

    def gauge(self, name: str, text: str, *more: str) -> Gauge:
        """One more. more: labels besides those of the rollout."""
        made = Gauge(f"{self.prefix}_{name}", text, (*WHOSE, *more), registry=self.registry)
        self._made.append(made)
        return made

    def forget(self, key: Key) -> None:
        """No series of this rollout is left in any of them."""
        for made in self._made:
            made.remove_by_labels(labels(key))


def labels(key: Key) -> dict[str, str]:
    """Whose series they are."""
    return dict(zip(WHOSE, whose(key), strict=True))


def whose(key: Key) -> tuple[str, str]:
    """The values of `WHOSE`."""
    return key.namespace, key.name


def put(gauge: Gauge, value: float | None, *values: str) -> None:
    """What is not known has no series: 0 would be a finding."""
    if value is not None and math.isfinite(value):
        gauge.labels(*values).set(value)
