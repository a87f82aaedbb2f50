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
from causal_rollouts.runtime.gauges import PREFIX, Gauges, put, whose
from causal_rollouts.web.yardstick import Yardstick, newest_evidence, yardsticks

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
    _gauges: Gauges = field(init=False)
    _margin: Gauge = field(init=False)
    _needed: Gauge = field(init=False)
    _check: Gauge = field(init=False)
    _ok: Gauge = field(init=False)
    _time: Gauge = field(init=False)
    _footprint: Gauge = field(init=False)
    _read: dict[Key, tuple[str, int | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._gauges = Gauges(self.registry, f"{PREFIX}_release")
        gauge = self._gauges.gauge
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
        mine, evidence = whose(record.key), newest_evidence(record)
        self._yardsticks(mine, yardsticks(record, evidence))
        if evidence is not None and line is not None:
            self._evidence(mine, record, line, evidence)

    def forget(self, key: Key) -> None:
        """The release ended or the rollout is gone, and so are its series."""
        self._read.pop(key, None)
        self._gauges.forget(key)

    def _yardsticks(self, mine: tuple[str, str], sticks: Mapping[str, Yardstick]) -> None:
        for name, stick in sticks.items():
            for of, margin in (("harm", stick.harm), ("safety", stick.safe)):
                put(self._margin, relative(margin), *mine, name, of)
            if stick.gates:
                put(self._needed, stick.advance, *mine, name, "advance")
                put(self._needed, stick.promote, *mine, name, "promote")

    def _evidence(
        self, mine: tuple[str, str], record: Record, line: LoggedDecision, evidence: Evidence
    ) -> None:
        self._time.labels(*mine).set(line.time)
        for told in _checks(evidence, record.registration.min_completeness):
            put(self._check, told.value, *mine, told.name, "value")
            put(self._check, told.bound, *mine, told.name, "bound")
            put(self._ok, told.ok, *mine, told.name)
        for footprint in evidence.footprints:
            for bound, value in _growth(footprint):
                put(self._footprint, relative(value), *mine, footprint.name, bound)


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
