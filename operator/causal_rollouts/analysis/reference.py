"""Another service's series: what moved it meanwhile moved ours too, and the release did not reach it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.manifest import registration
from causal_rollouts.analysis.panel import Design, outcome
from causal_rollouts.analysis.recording import Recording
from causal_rollouts.analysis.rows import BadRecording
from causal_rollouts.evidence.frame import Frame, Unit
from causal_rollouts.evidence.reading import SCRAPES_BACK
from causal_rollouts.evidence.tables import Schedule, measured, requests
from causal_rollouts.evidence.tabulate import Wanted, tabulate
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.telemetry import Telemetry
from causal_rollouts.stats.change_scores import levels

Floats = NDArray[np.float64]


def reference_level(design: Design, metric: Metric, other: Recording) -> Floats | str:
    """Level of the other service's stable pods in the bins of the design, or why there is none.

    Its first metric of the same kind is read; its arms, where it has any, are left out.

    Raises:
        BadRecording: its bins are not as wide as ours, or its manifest cannot be run.
    """
    reg = registration(other)
    if not math.isclose(reg.grid.width, design.reg.grid.width):
        raise BadRecording(
            f"run.json of the reference: bin is {reg.grid.width:g} s, here {design.reg.grid.width:g} s; "
            "record both with the same scrape interval"
        )
    same = next((m for m in reg.metrics if m.kind is metric.kind), None)
    if same is None:
        return f"the reference has no metric of the kind {metric.kind}"
    grid, last = reg.grid, design.end - 1
    pods = tuple(pod for pod in other.pods if pod.arm is Arm.STABLE and pod.ready is not None)
    units = tuple(Unit(pod.slot, Arm.STABLE, pod.node, grid.index(pod.ready or 0.0)) for pod in pods)
    frame = Frame(units, None, (), 0, {}, frozenset(), None, last, reg.times.warm_up)
    since = grid.start(design.first) - SCRAPES_BACK * grid.scrape
    series = tuple(s for s in other.own_series if s.labels["__name__"] in same.reads)
    wanted = [Wanted(same, design.first, since)]
    table = tabulate(
        grid, pods, frame, Schedule(None, 0, 0.0), Telemetry({same.name: series}), wanted
    ).metrics[same.name]
    if table.refusal is not None or table.bins is None:
        return "the reference was not measured in these bins"
    w = np.where(measured(table.bins), requests(table.bins), 0.0)
    return levels(outcome(table.bins)[1].T, w.T)
