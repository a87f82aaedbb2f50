"""One tick of 40 pods and 10 metrics, beside the same difference-in-differences by a statsmodels formula.

The tick is all that the operator computes: state from its bytes, samples to increments, validity, evidence
of ten metrics with tests and intervals, the decision, and the state to bytes. The formulas get tables
ready-made, and one fit is counted ten times.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

from bench import clock, fleets
from causal_rollouts.analysis.recording import Recording
from causal_rollouts.analysis.shelf import Shelf
from causal_rollouts.decision.decide import decide
from causal_rollouts.decision.situation import Facts, situate
from causal_rollouts.evidence.assess import assess, needed_since
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.release import Release
from causal_rollouts.model.telemetry import Look, Telemetry

INTO_THE_STAGE = 40
"""Bins of the second stage that the measured tick has behind it."""


@dataclass(frozen=True)
class Tick:
    """Everything that the operator has before it computes."""

    reg: Registration
    recording: Recording
    telemetry: Telemetry
    look: Look
    state: bytes | None
    pods: int

    def run(self) -> Decision:
        timeline = tuple(c for c in self.recording.timeline if c.time <= self.look.time)
        pods = tuple(p for p in self.recording.pods if p.created <= self.look.time)
        found = assess(self.reg, pods, timeline, self.telemetry, self.look, self.state)
        release = Release("r", "b", "a", "", Phase.OBSERVING, timeline[-1].time, 1, timeline[-1].time)
        return decide(situate(self.reg, release, found.evidence, Facts(), self.look.time))


def tick(metrics: tuple[Metric, ...] = fleets.APART) -> Tick:
    """Played up to the look before the measured one."""
    setting, recording = fleets.ten_metrics(metrics)
    reg = setting.registration(fleets.SEED)
    shelves = {
        m.name: Shelf(s for s in recording.series if s.labels["__name__"] in m.reads) for m in reg.metrics
    }
    first = next(c.time for c in recording.timeline if c.stage == 0)
    second = next(c.time for c in recording.timeline if c.stage == 1)
    index, last = reg.grid.last_look(first), reg.grid.last_look(second) + INTO_THE_STAGE
    state: bytes | None = None
    while True:
        look = Look(reg.grid.final_at(index), index)
        timeline = tuple(c for c in recording.timeline if c.time <= look.time)
        pods = tuple(p for p in recording.pods if p.created <= look.time)
        since = needed_since(reg, timeline, state, look.time)
        telemetry = Telemetry(
            {name: shelf.between(since, reg.grid.end(index)) for name, shelf in shelves.items()}
        )
        if index >= last:
            return Tick(reg, recording, telemetry, look, state, len(pods))
        state = assess(reg, pods, timeline, telemetry, look, state).state
        index += 2


def panel(tick: Tick) -> pd.DataFrame:
    """Log mean latency by pod and bin, as a table that a formula takes.

    Fresh pods have no past: canary is told from baseline, and both have a level of their own.
    """
    grid, recording = tick.reg.grid, tick.recording
    start = recording.timeline[1].time
    first, last = grid.index(start - tick.reg.times.history), tick.look.last_final
    edges = [grid.start(k) for k in range(first, last + 2)]
    middles = np.array([0.5 * (a + b) for a, b in pairwise((0.0, *EDGES))] + [EDGES[-1]])
    rows = []
    for pod in recording.pods:
        if pod.created > tick.look.time:
            continue
        mine = [s for s in recording.series if s.labels["pod"] == pod.name]
        lines = [s for s in mine if s.labels["__name__"].endswith("_0_bucket")]
        table = np.array([[_at(s.times, s.values, t) for t in edges] for s in lines])
        served = np.diff(np.diff(table, axis=0, prepend=0.0), axis=1)
        canary, fresh = float(pod.arm is Arm.CANARY), float(pod.arm is not Arm.STABLE)
        for k, n in enumerate(served.sum(axis=0)):
            if np.isfinite(n) and n > 0:
                y, on = float(np.log((middles @ served[:, k]) / n)), float(edges[k] >= start)
                rows.append((pod.slot, pod.node, first + k, y, canary, fresh, on))
    return pd.DataFrame(rows, columns=["slot", "node", "bin", "y", "canary", "fresh", "on"])


EDGES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


def _at(times: Sequence[float], values: Sequence[float], t: float) -> float:
    i = bisect_right(times, t)
    return float(values[i - 1]) if i else float("nan")


def by_bin(table: pd.DataFrame) -> Callable[[], object]:
    """Effects of nodes, cohort and bins, clustered by pod: the usual form of the estimate."""
    return _fit("y ~ canary + fresh + C(node) + C(bin)", table)


def by_period(table: pd.DataFrame) -> Callable[[], object]:
    """The same on means by pod and period: the least that a formula can do."""
    means = table.groupby(["slot", "node", "on", "canary", "fresh"], as_index=False)["y"].mean()
    return _fit("y ~ canary + fresh + C(node) + on", means)


def _fit(formula: str, table: pd.DataFrame) -> Callable[[], object]:
    groups = table["slot"].astype("category").cat.codes
    clustered = {"cov_type": "cluster", "cov_kwds": {"groups": groups}}
    return lambda: smf.ols(formula, data=table).fit(**clustered)


def report() -> None:
    one = tick()
    table = panel(one)
    metrics = len(one.reg.metrics)
    ours, usual = clock.of(one.run, 30), clock.of(tick(fleets.USUAL).run, 30)
    state = len(one.state or b"") / 1024
    print(f"one tick, {one.pods} pods x {metrics} metrics, state {state:.0f} KiB")
    print(f"  ours, six histograms         {clock.ms(ours.cpu):>10} CPU   budget 20 ms")
    print(f"  ours, two histograms         {clock.ms(usual.cpu):>10} CPU")
    for what, work in (("by bin", by_bin(table)), ("by period", by_period(table))):
        theirs = metrics * clock.of(work, 3).cpu
        print(f"  statsmodels, {what:<15} {clock.ms(theirs):>11} CPU   {theirs / ours.cpu:.1f} x ours")
