"""What a release fixed before its first look.

The error budget only holds for a design chosen before the data, so this value
is written into the record at the start and never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from causal_rollouts.model.bins import Grid
from causal_rollouts.model.freeze import Window
from causal_rollouts.model.metrics import Metric, MetricKind
from causal_rollouts.model.notices import Subscription
from causal_rollouts.model.reference import Reference
from causal_rollouts.model.scatter import Scatter
from causal_rollouts.model.switchback import Switchback
from causal_rollouts.model.traffic import NOWHERE, TrafficPlan


class Mode(StrEnum):
    """Who moves the traffic."""

    ENFORCE = "Enforce"
    OBSERVE = "Observe"
    RECOMMEND = "Recommend"


class OnInconclusive(StrEnum):
    """What happens at maxDuration without a verdict."""

    PAUSE = "Pause"
    REVERT = "Revert"


@dataclass(frozen=True, slots=True)
class Hold:
    """A step waits until one of these releases it, users as the API server names them; a word expires."""

    by: tuple[str, ...]
    expires: float = 86_400.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the ladder. weight in thousandths of the traffic; durations in seconds.

    approvals: people that must agree before it is left upwards; each word counts for approval_expires.
    hold_before: what its traffic waits for. hold_after: what waits for it to be left upwards.
    """

    weight: int
    min_duration: float
    max_duration: float
    approvals: int = 0
    approval_expires: float = 86_400.0
    hold_before: Hold | None = None
    hold_after: Hold | None = None


@dataclass(frozen=True, slots=True)
class ArmsPlan:
    """How many slots an arm has, and how long both are watched on the stable template before they differ.

    baseline_max_share in thousandths; pre_period in seconds, 0 for none.
    pod_share: the number of pods makes the share, and not a route.
    """

    min_pods: int = 3
    baseline_ratio: float = 1.0
    baseline_max_share: int = 200
    pre_period: float = 0.0
    pod_share: bool = False


@dataclass(frozen=True, slots=True)
class Budget:
    """The one error budget and how it is split.

    kinds: weights over metric kinds as declared; kinds that are absent give theirs to the rest.
    first_window: share of the window that starts with the first stage; later stages share the rest.
    advance, promote_continuous, promote_counts: thresholds of log evidence for safety, in nats.
    """

    alpha: float = 0.01
    kinds: tuple[tuple[MetricKind, float], ...] = (
        (MetricKind.LATENCY, 0.45),
        (MetricKind.ERRORS, 0.20),
        (MetricKind.TAIL, 0.12),
        (MetricKind.RESTARTS, 0.12),
        (MetricKind.SLOW, 0.06),
        (MetricKind.NEIGHBOUR, 0.05),
    )
    first_window: float = 0.6
    advance: float = 1.0
    promote_continuous: float = 2.5
    promote_counts: float = 3.0


@dataclass(frozen=True, slots=True)
class Times:
    """Durations. warm_up and blackout in bins, all else in seconds."""

    history: float = 3600.0
    warm_up: int = 4
    blackout: int = 2
    ready_timeout: float = 300.0
    blocked_timeout: float = 1800.0
    bake: float = 600.0
    rollback_window: float = 86400.0


@dataclass(frozen=True, slots=True)
class Registration:
    """Everything the gate needs to know of a release besides what it observes.

    probe: None for no probes. notifications: which channels hear of what.
    scatter: what earlier pre-periods and A/A tests told of fresh pods.
    segments: parts of the metrics that are judged beside them; they report, or revert, and never gate.
    reference: what the total effect is read against; it decides nothing.
    """

    release: str
    namespace: str
    target: str
    seed: int
    grid: Grid
    stages: tuple[Stage, ...]
    metrics: tuple[Metric, ...]
    arms: ArmsPlan = ArmsPlan()
    budget: Budget = Budget()
    times: Times = Times()
    min_completeness: float = 0.95
    mode: Mode = Mode.ENFORCE
    on_inconclusive: OnInconclusive = OnInconclusive.PAUSE
    traffic: TrafficPlan = NOWHERE
    freeze: tuple[Window, ...] = ()
    probe: Switchback | None = None
    scatter: tuple[Scatter, ...] = ()
    notifications: tuple[Subscription, ...] = ()
    segments: tuple[Metric, ...] = ()
    reference: Reference | None = None

    @property
    def asked(self) -> tuple[Metric, ...]:
        """All that is judged: the metrics, then their segments."""
        return (*self.metrics, *self.segments)

    @property
    def alpha(self) -> float:
        """What the metrics may spend of the error budget: all of it but the share of probes."""
        return self.budget.alpha * (1.0 - self.probe.share if self.probe else 1.0)
