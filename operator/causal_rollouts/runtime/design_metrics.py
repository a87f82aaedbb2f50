"""What a running release is held against, and whether its comparison may be believed, for dashboards.

Checks of the design stand in the evidence of logged decisions and nowhere else
on record; a look that changes nothing is not logged. So they are shown as of
the newest decision on record, together with its time, and are read again only
when there is a newer one: decoding evidence on every write would cost more than
the write.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Gauge

from causal_rollouts.model.checks import Check
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.footprint import Footprint
from causal_rollouts.model.percent import relative
from causal_rollouts.model.world import Key
from causal_rollouts.ports import LoggedDecision, Record
from causal_rollouts.web.yardstick import Yardstick, newest_evidence, yardsticks

PREFIX = "causal_rollouts_release"
WHOSE = ("namespace", "rollout")
AS_OF = "as of the newest decision on record that has evidence"


@dataclass(frozen=True, slots=True)
class _Told:
    """One check in one form, whichever field of the evidence it comes from."""

    name: str
    value: float
    bound: float
    ok: bool | None


@dataclass(slots=True)
class DesignMetrics:
    """Gauges of margins, thresholds, checks and footprints of the release that runs, gone with it."""

    registry: CollectorRegistry
    _margin: Gauge = field(init=False)
    _needed: Gauge = field(init=False)
    _check: Gauge = field(init=False)
    _ok: Gauge = field(init=False)
    _time: Gauge = field(init=False)
    _footprint: Gauge = field(init=False)
    _read: dict[Key, tuple[str, int | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        def gauge(name: str, text: str, *more: str) -> Gauge:
            return Gauge(f"{PREFIX}_{name}", text, (*WHOSE, *more), registry=self.registry)

        self._margin = gauge("margin", "Relative effect that is held to be harm, or safe", "metric", "of")
        self._needed = gauge("safety_needed_nats", "Evidence of safety that a rise takes", "metric", "to")
        self._check = gauge("check", f"Check of the design, in its own unit, {AS_OF}", "check", "what")
        self._ok = gauge("check_ok", f"1 if the check holds, 0 if not, {AS_OF}; absent if unknown", "check")
        self._time = gauge("check_timestamp_seconds", "When the decision was taken that checks are shown of")
        self._footprint = gauge(
            "footprint", f"Relative growth of what a request or pod uses, {AS_OF}", "footprint", "bound"
        )

    def show(self, record: Record) -> None:
        """What the record says of its design, in place of what was shown before."""
        line = next((line for line in reversed(record.decisions) if line.evidence), None)
        read = (record.name, line.seq if line else None)
        if self._read.get(record.key) == read:
            return
        self.forget(record.key)
        self._read[record.key] = read
        whose = (record.key.namespace, record.key.name)
        self._yardsticks(whose, yardsticks(record))
        evidence = newest_evidence(record)
        if evidence is not None and line is not None:
            self._evidence(whose, record, line, evidence)

    def forget(self, key: Key) -> None:
        """The release ended or the rollout is gone, and so are its series."""
        self._read.pop(key, None)
        for shown in (self._margin, self._needed, self._check, self._ok, self._time, self._footprint):
            shown.remove_by_labels(dict(zip(WHOSE, (key.namespace, key.name), strict=True)))

    def _yardsticks(self, whose: tuple[str, str], sticks: Mapping[str, Yardstick]) -> None:
        for name, stick in sticks.items():
            for of, margin in (("harm", stick.harm), ("safety", stick.safe)):
                _set(self._margin, relative(margin), *whose, name, of)
            if stick.gates:
                _set(self._needed, stick.advance, *whose, name, "advance")
                _set(self._needed, stick.promote, *whose, name, "promote")

    def _evidence(
        self, whose: tuple[str, str], record: Record, line: LoggedDecision, evidence: Evidence
    ) -> None:
        self._time.labels(*whose).set(line.time)
        for told in _checks(evidence, record.registration.min_completeness):
            _set(self._check, told.value, *whose, told.name, "value")
            _set(self._check, told.bound, *whose, told.name, "bound")
            _set(self._ok, told.ok, *whose, told.name)
        for footprint in evidence.footprints:
            for bound, value in _growth(footprint):
                _set(self._footprint, relative(value), *whose, footprint.name, bound)


def _set(gauge: Gauge, value: float | None, *labels: str) -> None:
    """What is not known has no series: 0 would be a finding."""
    if value is not None and math.isfinite(value):
        gauge.labels(*labels).set(value)


def _checks(e: Evidence, least_complete: float) -> Iterator[_Told]:
    complete = None if math.isnan(e.completeness) else e.completeness >= least_complete
    shared = None if math.isnan(e.shared) else not e.shared_incident
    yield _Told("Completeness", e.completeness, least_complete, complete)
    yield _Told("SampleRatio", e.share.observed, e.share.intended, e.share.ok)
    yield _Told("Placebo", e.placebo, e.placebo_threshold, not e.contaminated)
    yield _Told("SharedLevel", e.shared, e.shared_margin, shared)
    for name in {check.name: None for check in e.checks}:
        worst = _worst(check for check in e.checks if check.name is name)
        yield _Told(str(name), worst.value, worst.bound, worst.ok)


def _worst(checks: Iterable[Check]) -> Check:
    """Of several metrics' checks of one name the one that fails, or is nearest to it."""
    return max(checks, key=lambda check: (check.ok is False, check.ok is not None, check.value))


def _growth(footprint: Footprint) -> tuple[tuple[str, float], ...]:
    return ("estimate", footprint.effect), ("lower", footprint.lower), ("upper", footprint.upper)
