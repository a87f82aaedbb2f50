"""One tick of a replay as a line of JSON that people and programs can read."""

from __future__ import annotations

import json
from dataclasses import dataclass

from causal_rollouts.model.checks import Check
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.evidence import Evidence, MetricEvidence
from causal_rollouts.model.footprint import Footprint
from causal_rollouts.model.percent import finite, relative
from causal_rollouts.model.reasons import Act
from causal_rollouts.model.segment import SegmentEvidence


@dataclass(frozen=True, slots=True)
class MetricLine:
    """One metric of a line. effect, lower, upper: relative change (.25 is 25% more); None where unknown.

    naive: that of the canary against all stable pods, by which nothing is decided.
    """

    name: str
    effect: float | None
    lower: float | None
    upper: float | None
    log_e_harm: float | None
    log_e_safe: float | None
    validity: str
    naive: float | None = None

    def plain(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "name": self.name,
            "effect": self.effect,
            "lower": self.lower,
            "upper": self.upper,
            "logEHarm": self.log_e_harm,
            "logESafe": self.log_e_safe,
            "validity": self.validity,
            "naive": self.naive,
        }


@dataclass(frozen=True, slots=True)
class FootprintLine:
    """One footprint of a line. whole: (estimate, lower, upper) at 100%, by the model; None where unknown."""

    footprint: Footprint

    def plain(self) -> dict[str, object]:
        """As JSON has it; ratios as relative changes."""
        one = self.footprint
        likely, low, high = (finite(value) for value in one.whole)
        return {
            "name": one.name,
            "per": str(one.per),
            "effect": relative(one.effect),
            "lower": relative(one.lower),
            "upper": relative(one.upper),
            "logE": finite(one.log_e),
            "canary": finite(one.canary),
            "baseline": finite(one.baseline),
            "present": finite(one.present),
            "whole": {"estimate": likely, "lower": low, "upper": high, "kind": "model"},
            "headroom": one.headroom,
            "standing": str(one.standing),
            "warned": one.grown,
        }


@dataclass(frozen=True, slots=True)
class ReplayLine:
    """One tick. weight: of the canary, in percent. log_harm: None while no evidence for harm counts."""

    time: float
    stage: int | None
    weight: float
    decision: str
    reason: str
    verdict: str
    log_harm: float | None
    log_threshold: float | None
    metrics: tuple[MetricLine, ...]
    because: str
    bin: int
    checks: tuple[Check, ...] = ()
    footprints: tuple[FootprintLine, ...] = ()
    segments: tuple[SegmentEvidence, ...] = ()

    def plain(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "time": self.time,
            "stage": self.stage,
            "weight": self.weight,
            "decision": self.decision,
            "reason": self.reason,
            "verdict": self.verdict,
            "logHarm": self.log_harm,
            "logThreshold": self.log_threshold,
            "metrics": [metric.plain() for metric in self.metrics],
            "because": self.because,
            "bin": self.bin,
            "checks": [
                {
                    "name": str(check.name),
                    "value": finite(check.value),
                    "bound": check.bound,
                    "ok": check.ok,
                    "note": check.note,
                }
                for check in self.checks
            ],
            **({"footprints": [one.plain() for one in self.footprints]} if self.footprints else {}),
            **({"segments": [_segment(one) for one in self.segments]} if self.segments else {}),
        }

    def json(self) -> str:
        """One line, without its end."""
        return json.dumps(self.plain(), allow_nan=False)


def line(
    time: float,
    index: int,
    stage: int | None,
    weight: float,
    decision: Decision,
    act: Act,
    evidence: Evidence | None,
) -> ReplayLine:
    """The line of one decision about bins up to `index`.

    act: what is told of it, which the recorded schedule may have overruled.
    """
    return ReplayLine(
        time=time,
        stage=stage,
        weight=weight,
        decision=str(act),
        reason=str(decision.reason),
        verdict=str(decision.verdict),
        log_harm=finite(evidence.log_harm) if evidence else None,
        log_threshold=finite(evidence.log_threshold) if evidence else None,
        metrics=tuple(_metric(metric) for metric in evidence.metrics) if evidence else (),
        because=decision.because,
        bin=index,
        checks=evidence.checks if evidence else (),
        footprints=tuple(map(FootprintLine, evidence.footprints)) if evidence else (),
        segments=evidence.segments if evidence else (),
    )


def _segment(one: SegmentEvidence) -> dict[str, object]:
    return {
        "name": one.segment.name,
        "effect": relative(one.effect),
        "lower": relative(one.lower),
        "upper": relative(one.upper),
        "logE": finite(one.log_e),
        "note": one.note,
    }


def _metric(metric: MetricEvidence) -> MetricLine:
    return MetricLine(
        name=metric.name,
        effect=relative(metric.effect),
        lower=relative(metric.lower),
        upper=relative(metric.upper),
        log_e_harm=finite(metric.log_e_harm),
        log_e_safe=finite(metric.log_e_safe),
        validity=str(metric.validity),
        naive=relative(metric.naive),
    )
