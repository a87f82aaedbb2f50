"""What Prometheus would have of two releases, one promoted and one reverted, as input of promtool's tests.

The series are those of the operator's own registry, read while a scripted story runs.
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from prometheus_client import CollectorRegistry

from causal_rollouts.control import reconcile
from causal_rollouts.control.queue import KeyedQueue
from causal_rollouts.model.checks import Check, CheckName
from causal_rollouts.model.reasons import Delivery, Phase
from causal_rollouts.model.world import Key
from causal_rollouts.ports import Ports, Record
from causal_rollouts.runtime.health import Health
from causal_rollouts.runtime.metrics import MeteredStore, RolloutMetrics
from causal_rollouts.runtime.notice_metrics import NoticeMetrics
from causal_rollouts.runtime.release_metrics import ReleaseMetrics
from tests.unit.adapters.notice import notice, settle
from tests.unit.control import scripted
from tests.unit.control.listening import Listener
from tests.unit.decision.situations import footprint, metric

SCRAPE = 30
"""Seconds of Prometheus between two scrapes, which are two seconds of the story: its stages take four."""

Labels = tuple[tuple[str, str], ...]
Series = tuple[str, Labels]

CHECKS = tuple(Check(name, 0.02, 0.05, ok=True, note="") for name in CheckName)


def script(record: Record, _: int) -> dict[str, object]:
    """Every kind of evidence; the second release does harm in its second stage."""
    proven = record.name.endswith("-2") and record.release.phase is Phase.OBSERVING
    harm = scripted.PROVEN if proven and record.release.stage == 1 else {}
    slow = metric(effect=0.08, lower=0.02, upper=0.15, log_e_harm=2.0)
    told: dict[str, object] = {"checks": CHECKS, "footprints": (footprint(headroom=None),)}
    return {"metrics": (slow, metric(name="errors")), **told, **harm}


@dataclass
class Scraped:
    """values: of each series by scrape; a scrape that did not have it is missing."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    values: dict[Series, dict[int, float]] = field(default_factory=dict)
    scrapes: int = 0

    async def scrape(self) -> None:
        for family in self.registry.collect():
            for sample in family.samples:
                if not sample.name.endswith("_created"):
                    series = sample.name, tuple(sorted(sample.labels.items()))
                    self.values.setdefault(series, {})[self.scrapes] = sample.value
        self.scrapes += 1

    @property
    def ended(self) -> float:
        """Releases."""
        found = (v for (name, _), v in self.values.items() if name == "causal_rollouts_releases_total")
        return sum(max(values.values()) for values in found)

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.values}

    @property
    def seconds(self) -> int:
        return self.scrapes * SCRAPE

    def input_series(self, **target: str) -> list[dict[str, str]]:
        """As promtool reads it. target: labels that Prometheus adds."""
        return [
            {"series": written(name, dict(labels) | target), "values": self._line(found)}
            for (name, labels), found in self.values.items()
        ]

    def _line(self, found: Mapping[int, float]) -> str:
        """Prometheus marks a series as stale in the first scrape that does not have it."""
        line = []
        for at in range(self.scrapes):
            gone = "stale" if at - 1 in found else "_"
            line.append(_number(found[at]) if at in found else gone)
        return " ".join(line)


def written(name: str, labels: Mapping[str, str]) -> str:
    said = ", ".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{said}}}"


def _number(value: float) -> str:
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return f"{value:.10g}"


def told() -> Scraped:
    """At rest, a promotion, at rest, a revert, at rest."""
    scraped = Scraped()

    async def nothing(_: Key) -> None:
        return None

    box = Listener({"oncall": Delivery.BUSY}).postbox()
    metrics, releases = RolloutMetrics(scraped.registry), ReleaseMetrics(scraped.registry)
    scraped.registry.register(NoticeMetrics(box))
    Health(KeyedQueue(nothing), scraped.registry)

    def cut(ports: Ports) -> Ports:
        return replace(ports, rollouts=MeteredStore(ports.rollouts, metrics, releases))

    def on(seconds: int) -> None:
        for _ in range(seconds // 2):
            story.run(2)
            asyncio.run(scraped.scrape())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reconcile, "look", scripted.looking(script))
        story = scripted.quick(cut)
        on(64)
        for number, version in enumerate(("v2", "v3"), start=1):
            story.request(version)
            while scraped.ended < number:
                on(2)
            asyncio.run(settle(box, notice(channel="oncall")))
            on(70)
    return scraped
