"""One simulated release: the service, its fleet, its weather and what the candidate does.

Everything a run needs besides its seed, so that a scenario is a recipe for
settings and a setting can be printed when a run went wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.analysis.simulation.climate import HARMLESS, Climate, Harm
from causal_rollouts.analysis.simulation.fleet import stands_before
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.metrics import RESTARTS_SERIES, Gating, Margins, Matcher, Metric, MetricKind
from causal_rollouts.model.registration import ArmsPlan, Budget, Registration, Stage, Times
from causal_rollouts.model.scatter import Scatter
from causal_rollouts.model.switchback import Switchback

HISTOGRAM = "http_server_request_duration_seconds"
COUNTER = "http_server_requests_total"
CODE = "code"
CPU = "container_cpu_usage_seconds_total"
CALLS = "backend_requests_total"
MEMORY = "container_memory_working_set_bytes"

EPOCH = 1_800_000_000.0
"""When the first canary is asked for: any instant will do, a fixed one makes runs comparable."""


def metrics(slow_over: float = 0.5) -> tuple[Metric, ...]:
    """All metrics that the recipe knows, with its margins. slow_over: bucket edge of slow requests."""
    rare = Margins(0.5, 1.5)
    errors = Margins(0.25, 0.5, revert_above_points=0.001, promote_below_points=0.003)
    bad = (Matcher(((CODE, "5.."),)),)
    return (
        Metric("latency", MetricKind.LATENCY, HISTOGRAM, Margins(0.05, 0.10), Gating.BOTH),
        Metric("slow", MetricKind.SLOW, HISTOGRAM, rare, Gating.REVERT_ONLY, over=slow_over),
        Metric("tail", MetricKind.TAIL, HISTOGRAM, rare, Gating.REVERT_ONLY, share=0.0015),
        Metric("errors", MetricKind.ERRORS, COUNTER, errors, Gating.BOTH, bad=bad),
        Metric("restarts", MetricKind.RESTARTS, RESTARTS_SERIES, Margins(1.0, 1.0), Gating.REVERT_ONLY),
    )


METRICS = metrics()


def footprint(name: str, series: str, per: str = COUNTER) -> Metric:
    """A footprint metric that warns above 10% and has 30% of headroom. per: "" of a gauge."""
    margins = Margins(0.1, 0.3)
    return Metric(
        name,
        MetricKind.FOOTPRINT,
        series,
        margins,
        Gating.REPORT_ONLY,
        of=per,
        headroom=margins.promote_below,
    )


FOOTPRINTS = (footprint("cpu", CPU), footprint("calls", CALLS), footprint("memory", MEMORY, per=""))
"""What `changes.using` measures."""

LADDER = (
    Stage(50, 300.0, 1800.0),
    Stage(250, 300.0, 1800.0),
    Stage(500, 600.0, 3600.0),
)
"""5, 25 and 50 percent, with the stage times of the standard policy."""

ARMS = ArmsPlan()
TIMES = Times()
BUDGET = Budget()

GRID = Grid(width=15.0, delay=17.0, scrape=7.5)
"""Bins of a quarter of a minute, as the recipe was measured with."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One run's world.

    start_up: seconds from asking for a pod to its readiness. stage_seconds: how long a recording stays in
    each stage (the closed loop moves by decisions instead). turnover: stable pods replaced an hour;
    arm_turnover: pods of arms, each so often an hour. scaling: (seconds after the begin, stable pods more).
    scatter: what releases before this one told of fresh pods.
    """

    climate: Climate
    harm: Harm = HARMLESS
    replicas: int = 16
    nodes: int = 8
    stages: tuple[Stage, ...] = LADDER
    metrics: tuple[Metric, ...] = METRICS
    arms: ArmsPlan = ARMS
    grid: Grid = GRID
    times: Times = TIMES
    budget: Budget = BUDGET
    begin: float = EPOCH
    start_up: float = 10.0
    stage_seconds: tuple[float, ...] = (600.0, 600.0, 1200.0)
    turnover: float = 0.0
    arm_turnover: float = 0.0
    scaling: tuple[tuple[float, int], ...] = ()
    probe: Switchback | None = None
    scatter: tuple[Scatter, ...] = ()

    def harm_of(self, pod: Pod) -> Harm:
        """What the version of a pod does: the candidate's in the canary, once its pre-period is over."""
        return self.harm if pod.arm is Arm.CANARY and not stands_before(pod) else HARMLESS

    def registration(self, seed: int, release: str = "simulated-1") -> Registration:
        """What the gate would have registered."""
        return Registration(
            release=release,
            namespace="simulated",
            target="simulated",
            seed=seed,
            grid=self.grid,
            stages=self.stages,
            metrics=self.metrics,
            arms=self.arms,
            times=self.times,
            budget=self.budget,
            probe=self.probe,
            scatter=self.scatter,
        )
