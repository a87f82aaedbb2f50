"""What the bins so far say. Log e-values in nats, effects as log ratios."""

from __future__ import annotations

import math
from dataclasses import dataclass

from causal_rollouts.model.checks import Check
from causal_rollouts.model.footprint import Footprint
from causal_rollouts.model.metrics import Gating, MetricKind
from causal_rollouts.model.reasons import Validity
from causal_rollouts.model.scatter import Scatter
from causal_rollouts.model.segment import SegmentEvidence

SUSPICION = math.log(20.0)
"""Evidence for harm of one metric that lets no traffic rise, though it is not enough to revert."""


@dataclass(frozen=True, slots=True)
class Process:
    """One e-process: a metric from one window start.

    log_e: evidence for harm with its horizon credit; -inf while the estimate is below the margin.
    log_weight: log of its share of the error budget. It reverts when the sum reaches log(1/alpha).
    """

    metric: str
    kind: MetricKind
    window: int
    log_e: float
    log_weight: float


@dataclass(frozen=True, slots=True)
class MetricEvidence:
    """One metric at one look.

    effect, lower, upper: log ratio canary to control and its always-valid interval; nan where unknown.
    log_e_harm: the largest over windows, without weight. log_e_safe: from the first stage on.
    log_e_stage: safety evidence of the current stage's own window (>= 0 does not contradict).
    harm_margin, safe_margin: log ratios that effect is held against.
    threshold_advance, threshold_promote: what log_e_safe must reach.
    se: standard error of the effect, nan where there is none.
    naive: log ratio of the canary's pods to all stable pods, nan where there is none; told beside the effect
    to show what a comparison says that knows no fresh pods, nodes and neighbours. Nothing is decided by it.
    scatter: what arms of one template tell of fresh pods, None of a release.
    identified: False where the design cannot see this metric now (says why in `note`).
    """

    name: str
    kind: MetricKind
    gating: Gating
    validity: Validity
    effect: float
    lower: float
    upper: float
    log_e_harm: float
    log_e_safe: float
    log_e_stage: float
    harm_margin: float
    safe_margin: float
    threshold_advance: float
    threshold_promote: float
    identified: bool = True
    note: str = ""
    se: float = math.nan
    naive: float = math.nan
    scatter: Scatter | None = None

    @property
    def contradicts(self) -> bool:
        """It speaks against a rise of traffic. What may only revert does so by being under suspicion.

        One chance in twenty that this happens to a harmless release, over all looks, costs it time only.
        """
        stage_is_bad = self.gating is Gating.BOTH and self.log_e_stage < 0
        return stage_is_bad or (self.gating is not Gating.REPORT_ONLY and self.log_e_harm >= SUSPICION)


@dataclass(frozen=True, slots=True)
class ShareTest:
    """Observed against intended share of requests since the last change of weights.

    ok is None until enough requests were seen. Shares 0 to 1, of the canary.
    """

    ok: bool | None
    requests: float
    observed: float
    intended: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class ProbeTest:
    """What a probe that is over has shown.

    p: of the exact test of no effect on everybody; alpha: at or below it harm is proven. effect: log ratio of
    the common level with traffic on the candidate to without, nan where too few bins were seen. seen: bins
    of `bins` with a level. least: the smallest p that the test could have given.
    """

    metric: str
    p: float
    alpha: float
    effect: float
    seen: int
    bins: int
    least: float

    @property
    def harm(self) -> bool:
        """The candidate's traffic makes everybody worse."""
        return self.p <= self.alpha


@dataclass(frozen=True, slots=True)
class Evidence:
    """The whole evidence at one look.

    log_harm: the worst of (each process, their weighted sum); log_threshold: log(1/alpha).
    worst: the process that stands highest. fresh: bins newer than the last look were consumed.
    shared: log level of stable and baseline against their past; shared_margin what it may reach.
    placebo: log e-value of the placebo; placebo_threshold its alarm.
    completeness: share of requests that reached us. checks: of the design, whatever it measures.
    probe: what the probe has shown, None before it is over.
    footprints: what the candidate uses, which takes no part in anything above.
    segments: parts of metrics; those that act have processes above, the others take no part in it either.
    """

    bin: int
    log_harm: float
    log_threshold: float
    processes: tuple[Process, ...]
    metrics: tuple[MetricEvidence, ...]
    share: ShareTest
    validity: Validity
    why_invalid: str
    fresh: bool
    shared: float
    shared_margin: float
    placebo: float
    placebo_threshold: float
    completeness: float
    stage_bins: int
    checks: tuple[Check, ...] = ()
    probe: ProbeTest | None = None
    footprints: tuple[Footprint, ...] = ()
    segments: tuple[SegmentEvidence, ...] = ()

    @property
    def worst(self) -> Process | None:
        """The process nearest to a revert."""
        return max(self.processes, key=lambda p: p.log_e + p.log_weight, default=None)

    @property
    def harm(self) -> bool:
        """The error budget is spent: harm is proven."""
        return self.log_harm >= self.log_threshold

    @property
    def contaminated(self) -> bool:
        """The placebo fired: stable against stable differs, so the telemetry or the design is broken."""
        return self.placebo >= self.placebo_threshold

    @property
    def shared_incident(self) -> bool:
        """Stable and baseline are worse than their past by more than the safe margin."""
        return self.shared > self.shared_margin

    @property
    def scatter(self) -> tuple[Scatter, ...]:
        """What a sound look tells of fresh pods: something in a pre-period or an A/A test only."""
        metrics = self.metrics if self.validity is Validity.OK else ()
        return tuple(one.scatter for one in metrics if one.scatter is not None)

    def unsound(self) -> Check | None:
        """The first check of the design that failed."""
        return next((check for check in self.checks if check.ok is False), None)

    def beyond_headroom(self) -> Footprint | None:
        """The first footprint that the policy lets no traffic rise on."""
        return next((one for one in self.footprints if one.blocks), None)

    def safe(self, *, promote: bool) -> bool:
        """Every gating metric has its evidence that harm is below the margin."""
        gating = [m for m in self.metrics if m.gating is Gating.BOTH]
        return bool(gating) and all(
            m.identified and m.log_e_safe >= (m.threshold_promote if promote else m.threshold_advance)
            for m in gating
        )

    def contradicting(self) -> MetricEvidence | None:
        """A gating metric whose current stage speaks against safety, or any under suspicion of harm."""
        return next((m for m in self.metrics if m.contradicts), None)
