"""All that the metrics said at one look, put into the one value that decisions read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from causal_rollouts.evidence import budget, validity
from causal_rollouts.evidence.extrapolated import extrapolated
from causal_rollouts.evidence.frame import Finding, Frame
from causal_rollouts.evidence.gate_state import GateState, MetricState
from causal_rollouts.evidence.probe import probe_test
from causal_rollouts.evidence.questions import Answer
from causal_rollouts.evidence.share import share_test
from causal_rollouts.evidence.tables import Schedule
from causal_rollouts.model.checks import Check
from causal_rollouts.model.evidence import Evidence, MetricEvidence, Process, ShareTest
from causal_rollouts.model.metrics import Gating, Metric, MetricKind
from causal_rollouts.model.reasons import Validity
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.scatter import Scatter
from causal_rollouts.model.segment import Segment, SegmentEvidence

PLACEBO_ALARM = math.log(1000.0)
SHARED_UNKNOWN = math.log1p(0.10)
"""Margin shown for the common level where no latency metric watches it."""

BESIDE = "neighbours"


@dataclass(frozen=True, slots=True)
class Heard:
    """One metric at one look. answer: None until its history was fitted."""

    metric: Metric
    state: MetricState
    validity: Validity
    note: str
    answer: Answer | None

    @property
    def acts(self) -> bool:
        """It may revert or gate; else it only reports."""
        return self.metric.gating is not Gating.REPORT_ONLY


def testimony(
    reg: Registration,
    frame: Frame,
    schedule: Schedule,
    before: GateState,
    after: GateState,
    heard: Sequence[Heard],
    comparable: tuple[Check, ...],
) -> Evidence:
    """The evidence of this look. comparable: checks of the arms' pods, beside those of their nodes' past.

    heard: metrics and segments; of the latter only the evidence for harm may do anything.
    """
    processes = tuple(p for one in heard for p in _processes(reg, frame, one))
    segments = tuple(_segment(reg, frame, one, part) for one in heard if (part := one.metric.segment))
    heard = [one for one in heard if one.metric.segment is None]
    countable = any(one.metric.counts_requests for one in heard)
    share = share_test(after.share, schedule, countable=countable, pulled=reg.traffic.workers)
    found, why = _verdict_on_data(heard, share)
    shared, shared_margin = _shared(heard)
    acting = [one for one in heard if one.acts]
    consumed = min((one.state.consumed for one in acting), default=after.consumed)
    done = _consumed_before(before, acting)
    return Evidence(
        bin=after.consumed if after.metrics else after.now,
        log_harm=budget.spent(processes),
        log_threshold=-math.log(reg.alpha),
        processes=processes,
        metrics=tuple(e for one in heard for e in _metric_evidence(reg, one)),
        share=share,
        validity=found,
        why_invalid=why,
        fresh=frame.t0 is not None and _stage_bins(frame, schedule, done + 1, consumed) > 0,
        shared=shared,
        shared_margin=shared_margin,
        placebo=max((a.placebo for one in heard if (a := one.answer) and a.placebo is not None), default=0.0),
        placebo_threshold=PLACEBO_ALARM,
        completeness=_completeness(heard),
        stage_bins=_stage_bins(frame, schedule, 0, consumed) if frame.t0 is not None else 0,
        checks=(*_pre_trends(heard), *comparable),
        probe=probe_test(reg, frame, {one.metric.name: one.state.engine for one in heard if one.acts}),
        segments=segments,
        footprints=tuple(
            told for one in heard if (told := extrapolated(reg, frame, one.metric, one.answer)) is not None
        ),
    )


def _segment(reg: Registration, frame: Frame, one: Heard, segment: Segment) -> SegmentEvidence:
    found = one.answer.finding if one.answer is not None else None
    return SegmentEvidence(
        segment=segment,
        effect=math.nan if found is None else found.effect,
        lower=math.nan if found is None else found.lower,
        upper=math.nan if found is None else found.upper,
        log_e=-math.inf if found is None else budget.alone(reg, frame, one.metric, found),
        harm_margin=math.log1p(one.metric.margins.revert_above) if found is None else found.harm_margin,
        acts=one.acts,
        note=one.note or ("" if found is None else found.note),
    )


def _pre_trends(heard: Sequence[Heard]) -> list[Check]:
    """What metrics that act say of the time before the release."""
    return [
        replace(found, note=f"{one.metric.name}: {found.note}")
        for one in heard
        if one.acts and one.answer is not None and (found := one.answer.pre_trend) is not None
    ]


def _processes(reg: Registration, frame: Frame, one: Heard) -> list[Process]:
    if one.answer is None:
        return []
    metric, answer = one.metric, one.answer
    found = budget.processes(reg, frame, metric, metric.kind, metric.name, answer.finding)
    if answer.neighbour is not None and metric.segment is None:
        beside = _beside(metric)
        found += budget.processes(reg, frame, metric, MetricKind.NEIGHBOUR, beside, answer.neighbour)
    return found


def _beside(metric: Metric) -> str:
    """Name under which a metric's effect on the canary's neighbours is told."""
    return f"{metric.name}/{BESIDE}"


def _verdict_on_data(heard: Sequence[Heard], share: ShareTest) -> tuple[Validity, str]:
    """The first thing that is wrong; metrics that only report cannot hold a release up."""
    wrong = [one for one in heard if one.acts and one.validity is not Validity.OK]
    if wrong:
        silent = [one for one in wrong if one.validity is Validity.PROVIDER_ERROR]
        first = (silent or wrong)[0]
        return first.validity, first.note
    if share.ok is False:
        return Validity.SHARE_MISMATCH, share.note
    return Validity.OK, ""


def _shared(heard: Sequence[Heard]) -> tuple[float, float]:
    """(log level against the past, what it may reach) of the metric that is nearest to too much."""
    found = [
        (one.answer.shared, one.answer.finding.safe_margin)
        for one in heard
        if one.acts and one.answer is not None and one.answer.shared is not None
    ]
    return max(found, key=lambda pair: pair[0] - pair[1], default=(0.0, SHARED_UNKNOWN))


def _completeness(heard: Sequence[Heard]) -> float:
    """Of the least complete metric that counts requests."""
    return min(
        (
            validity.completeness(one.state.trail.tally)
            for one in heard
            if one.acts and one.metric.counts_requests
        ),
        default=1.0,
    )


def _consumed_before(before: GateState, acting: Sequence[Heard]) -> int:
    """Newest bin that all acting metrics had taken in before this look."""
    states = [before.metric(one.metric.name) for one in acting]
    return min((-1 if state is None else state.consumed for state in states), default=before.consumed)


def _stage_bins(frame: Frame, schedule: Schedule, begin: int, last: int) -> int:
    """Bins of the stage in force in [begin, last], without blackout."""
    if schedule.stage_first is None:
        return 0
    first = max(begin, schedule.stage_first)
    return max(0, last + 1 - first) - sum(first <= at <= last for at in frame.excluded)


def _metric_evidence(reg: Registration, one: Heard) -> list[MetricEvidence]:
    metric, answer = one.metric, one.answer
    if answer is None:
        return [_told(reg, one, metric.name, metric.kind, metric.gating, None)]
    told = [_told(reg, one, metric.name, metric.kind, metric.gating, answer.finding)]
    if answer.neighbour is not None:
        # Neighbour harm gates where it can be seen; where it cannot, it must not stop every release.
        hidden = metric.gating is Gating.BOTH and not answer.neighbour.identified
        gating = Gating.REVERT_ONLY if hidden else metric.gating
        told.append(_told(reg, one, _beside(metric), MetricKind.NEIGHBOUR, gating, answer.neighbour))
    return told


def _scatter(name: str, finding: Finding | None) -> Scatter | None:
    if finding is None or finding.scatter is None:
        return None
    return Scatter(name, finding.scatter.ratio, finding.scatter.df)


def _told(
    reg: Registration, one: Heard, name: str, kind: MetricKind, gating: Gating, finding: Finding | None
) -> MetricEvidence:
    continuous = kind in {MetricKind.LATENCY, MetricKind.NEIGHBOUR, MetricKind.FOOTPRINT}
    promote = reg.budget.promote_continuous if continuous else reg.budget.promote_counts
    nothing = finding is None
    stage = -math.inf if finding is None else finding.log_e_stage
    return MetricEvidence(
        name=name,
        kind=kind,
        gating=gating,
        validity=one.validity,
        effect=math.nan if finding is None else finding.effect,
        lower=math.nan if finding is None else finding.lower,
        upper=math.nan if finding is None else finding.upper,
        log_e_harm=max((t.log_e for t in finding.tracks), default=-math.inf) if finding else -math.inf,
        log_e_safe=-math.inf if finding is None else finding.log_e_safe,
        # The recipe asks the current stage of latency alone; neighbours are asked from t0.
        log_e_stage=0.0 if kind is MetricKind.NEIGHBOUR else stage,
        harm_margin=math.log1p(one.metric.margins.revert_above) if finding is None else finding.harm_margin,
        safe_margin=math.log1p(one.metric.margins.promote_below) if finding is None else finding.safe_margin,
        threshold_advance=reg.budget.advance,
        threshold_promote=promote,
        identified=not nothing and finding is not None and finding.identified,
        note=one.note or ("" if finding is None else finding.note),
        se=math.nan if finding is None else finding.se,
        naive=math.nan if finding is None else finding.naive,
        scatter=_scatter(name, finding),
    )
