"""From tables to the evidence of one look.

Simulations that draw their own numbers begin here; the operator and a replay
come through `assess`. Evidence that was gathered stays, whatever becomes of the
newest bins: those only decide whether it may be used to let traffic rise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from causal_rollouts.evidence import load, questions, validity
from causal_rollouts.evidence.covariates import covariates
from causal_rollouts.evidence.frame import Frame, Lottery
from causal_rollouts.evidence.framing import Known, as_of, part_of
from causal_rollouts.evidence.gate_state import GateState, MetricState
from causal_rollouts.evidence.intake import preview, taken_in, unborn, usable
from causal_rollouts.evidence.share import ShareState, counted
from causal_rollouts.evidence.tables import MetricTable, Tables
from causal_rollouts.evidence.testimony import Heard, testimony
from causal_rollouts.model.arms import Pod
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.metrics import Metric, MetricKind
from causal_rollouts.model.reasons import Validity
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.telemetry import Look
from causal_rollouts.stats.mixed_gls import News

_NOTHING = MetricTable(None)


def weigh(
    reg: Registration,
    frame: Frame,
    tables: Tables,
    look: Look,
    state: GateState,
    pods: Sequence[Pod],
    steps: Sequence[Frame] = (),
) -> tuple[Evidence, GateState]:
    """Take the new bins of every metric in, judge them all, and test the share.

    pods: their places and ages tell whether the arms are comparable, and what belongs to a segment.
    steps: frames of earlier bins of this look, where a slot changed its node after them: what it did
    before stays with the node where it did it, also when the looks in between were missed.
    """
    before = state
    if frame.t0 is None:
        heard = [_before_the_first_stage(m, part_of(frame, m, pods), tables) for m in reg.asked]
        state = replace(state, now=max(state.now, frame.now))
    else:
        state = _taken_in(reg, (*steps, frame), tables, look, state, pods)
        heard = _listen(reg, frame, tables, look, state, pods)
    countable = share_metric(reg) is not None
    comparable = (
        *covariates(reg.grid, pods, frame),
        *load.load_equality(
            frame, tables.schedule, state.load, countable=countable, pulled=reg.traffic.workers
        ),
    )
    return testimony(reg, frame, tables.schedule, before, state, heard, comparable), state


def _before_the_first_stage(metric: Metric, frame: Frame, tables: Tables) -> Heard:
    table = tables.metrics.get(metric.name, _NOTHING)
    found, note = preview(metric, frame, table)
    return Heard(metric, unborn(metric, frame.now + 1), found, note, None)


def _taken_in(
    reg: Registration,
    frames: Sequence[Frame],
    tables: Tables,
    look: Look,
    state: GateState,
    pods: Sequence[Pod],
) -> GateState:
    """The state after this look. Nothing at all is consumed while the source does not answer."""
    frame = frames[-1]
    if look.provider_error or frame.t0 is None:
        return state
    t0 = frame.t0
    old = {m.name: m for m in state.metrics} or {m.name: unborn(m, t0) for m in reg.asked}
    new: dict[str, MetricState] = {}
    # Latency first: what it learned of pods and nodes is lent to the exceedances when they are fitted.
    for metric in sorted(reg.asked, key=lambda m: m.kind is not MetricKind.LATENCY):
        table = tables.metrics.get(metric.name, _NOTHING)
        lent = None if old[metric.name].settled else _lent(reg, metric, frame, new)
        parts = [part_of(step, metric, pods) for step in frames]
        new[metric.name] = taken_in(metric, old[metric.name], parts, table, lent)
    shares, loads = _counted(reg, frame, tables, state, old)
    return GateState(
        release=reg.release,
        now=max(state.now, frame.now),
        known=Known(t0, frame.units, tuple(sorted(frame.exposed.items()))),
        metrics=tuple(new[metric.name] for metric in reg.asked),
        share=shares,
        load=loads,
    )


def _lent(reg: Registration, to: Metric, frame: Frame, fitted: Mapping[str, MetricState]) -> Lottery | None:
    """Variances of latency for an exceedance: of the same histogram if there is one."""
    if to.kind not in {MetricKind.SLOW, MetricKind.TAIL}:
        return None
    of_latency = [m for m in reg.metrics if m.kind is MetricKind.LATENCY and m.name in fitted]
    for metric in sorted(of_latency, key=lambda m: m.series != to.series):
        state = fitted[metric.name]
        if state.engine is not None:
            return questions.ask(metric, state.engine, as_of(frame, state.consumed), None).lottery
    return None


def _counted(
    reg: Registration, frame: Frame, tables: Tables, state: GateState, old: Mapping[str, MetricState]
) -> tuple[ShareState, load.LoadState]:
    """Counts of shares and loads after the new bins of the metric that counts requests."""
    counting = share_metric(reg)
    table = tables.metrics.get(counting.name) if counting else None
    if counting is None or table is None or table.bins is None or tables.share is None or not usable(table):
        return state.share, state.load
    begin = max(state.share.next_bin, frame.t0 or 0, tables.share.first)
    end = frame.now + 1
    if begin > table.first:
        tally = validity.tallies(frame, table, begin - 1, end)
    else:
        before = old[counting.name].trail.tally[-1:]
        tally = np.concatenate((before, validity.tallies(frame, table, begin, end)))
    least, now = reg.min_completeness, tables.schedule
    share = counted(replace(state.share, next_bin=begin), tables.share, now, tally, end, least)
    return share, load.counted(state.load, now, tally, begin, end, least)


def share_metric(reg: Registration) -> Metric | None:
    """The first metric that has requests: what the share test counts."""
    return next((m for m in reg.metrics if m.counts_requests), None)


def _known(reg: Registration, metric: Metric) -> News | None:
    """What the release registered of how fresh pods scatter in this metric."""
    return next((News(one.ratio, one.df) for one in reg.scatter if one.metric == metric.name), None)


def _listen(
    reg: Registration, frame: Frame, tables: Tables, look: Look, state: GateState, pods: Sequence[Pod]
) -> list[Heard]:
    """Every metric asked, latency first: it knows how long node drift lasts."""
    phi: float | None = None
    heard: dict[str, Heard] = {}
    for metric in sorted(reg.asked, key=lambda m: m.kind is not MetricKind.LATENCY):
        mine = state.metric(metric.name)
        if mine is None:
            mine = unborn(metric, frame.t0 or 0)
        part = part_of(frame, metric, pods)
        found, note = _valid(reg, metric, part, tables, look, mine)
        answer = None
        if mine.engine is not None:
            at = as_of(part, mine.consumed)
            answer = questions.ask(metric, mine.engine, at, phi, _known(reg, metric))
            if phi is None and answer.lottery is not None:
                phi = answer.lottery.phi
        heard[metric.name] = Heard(metric, mine, found, note, answer)
    return [heard[metric.name] for metric in reg.asked]


def _valid(
    reg: Registration, metric: Metric, frame: Frame, tables: Tables, look: Look, state: MetricState
) -> tuple[Validity, str]:
    """May this metric's newest bins be used, and if not, what is to be done."""
    table = tables.metrics.get(metric.name, _NOTHING)
    if look.provider_error:
        return Validity.PROVIDER_ERROR, look.provider_error
    if table.refusal is not None and not usable(table):
        return Validity.PROVIDER_ERROR, f"metrics[{metric.name}]: {table.refusal.note}"
    if state.failure is not Validity.OK:
        return state.failure, state.note
    if state.engine is None:
        return preview(metric, frame, table)
    if table.refusal is not None and table.refusal.validity is not Validity.NO_DATA:
        return table.refusal.validity, table.refusal.note
    return validity.judge(metric, state.trail, reg.min_completeness)
