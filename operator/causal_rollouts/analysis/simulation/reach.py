"""How far a simulated harm stands out of what pods and nodes differ by.

A gate that has three pods in an arm cannot see everything; a table of what it
caught is only honest beside what there was to see.
"""

from __future__ import annotations

import math

from causal_rollouts.analysis.simulation.setting import Setting
from causal_rollouts.decision.allocation import allocate
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import MetricKind

IN_REACH = 5.2
"""z at which a gate that knew all variances would catch 95%."""


def contrast_sd(setting: Setting, stage: int) -> float:
    """True sd of canary against baseline at the deadline of `stage`.

    The draw of the pods, what the nodes' stable pods leave unknown of the nodes, and the chance of requests.
    Drift and slots without a partner are not in it, so it is a lower bound.
    """
    rung = allocate(setting.stages, setting.arms, setting.replicas)[stage]
    uneven, load = setting.climate.unevenness, setting.climate.load
    fresh = (uneven.pods * uneven.fresh_pods) ** 2
    teaching = uneven.pods**2 * setting.nodes / setting.replicas
    node = uneven.nodes**2
    if setting.replicas >= setting.nodes and node > 0.0:
        node *= teaching / (node + teaching)
    per_slot = load.per_second * rung.weights.share(Arm.CANARY) / rung.canaries
    requests = per_slot * setting.stages[stage].max_duration
    slot = fresh + node + setting.climate.answers.spread**2 / requests
    return math.sqrt(slot * (1.0 / rung.canaries + 1.0 / rung.baselines))


def distance(setting: Setting, stage: int) -> float | None:
    """How far (z) a constant slowdown lies from the null margin, in true sds; None of another harm."""
    latency = next((m for m in setting.metrics if m.kind is MetricKind.LATENCY), None)
    if latency is None or setting.harm.slower <= 0.0 or setting.harm.zone:
        return None
    shift = setting.harm.slower - math.log1p(latency.margins.null_below)
    return shift / contrast_sd(setting, stage)
