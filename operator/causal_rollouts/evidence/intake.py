"""Taking one metric's new bins in: fit once, absorb in order, remember how sound they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from causal_rollouts.evidence import questions, validity
from causal_rollouts.evidence.frame import Frame, HistogramBins, Lottery
from causal_rollouts.evidence.gate_state import MetricState
from causal_rollouts.evidence.tables import Bins, MetricTable, columns
from causal_rollouts.model.metrics import Metric, MetricKind
from causal_rollouts.model.reasons import Validity


def unborn(metric: Metric, t0: int) -> MetricState:
    """Before the fit: the first bin to take in is t0."""
    return MetricState(metric.name, None, Validity.OK, "", (), t0 - 1, 0.0, validity.no_trail())


def taken_in(
    metric: Metric,
    state: MetricState,
    frames: Sequence[Frame],
    table: MetricTable,
    lottery: Lottery | None,
) -> MetricState:
    """The metric after the new bins of a table; the fit is tried where it is due.

    frames: of the look, before it those of earlier bins that are taken in as they stood then.

    A source that refused consumed nothing: its bins are taken in when it answers again. A metric whose
    whole history is missing is tried again; one whose history is too short never will be long enough.
    """
    frame = frames[-1]
    if frame.t0 is None or not usable(table):
        return state
    if table.bins is None:
        return _silent(metric, state, frame, table)
    if not state.settled:
        state = _fitted(metric, state, frame, table, table.bins, lottery)
    end = frame.now + 1
    trail = validity.extended(state.trail, frame, table, state.consumed + 1, end)
    if not state.settled:
        # Tried again from t0 on at the next look, so what is remembered must not count the bins twice.
        return state
    engine = state.engine
    begin = state.consumed + 1
    for step in frames:
        if engine is not None and step.now >= begin:
            engine = questions.absorb(engine, step, columns(table.bins, begin, step.now + 1))
            begin = step.now + 1
    return replace(
        state, engine=engine, trail=trail, consumed=max(state.consumed, frame.now), since=table.since
    )


def _silent(metric: Metric, state: MetricState, frame: Frame, table: MetricTable) -> MetricState:
    """No series at all. Of a whole metric they are waited for; a part may have none, and holds nobody up."""
    if metric.segment is None or state.engine is not None:
        return state
    note = table.refusal.note if table.refusal is not None else "no samples"
    return replace(state, failure=Validity.NO_DATA, note=note, consumed=frame.now, since=table.since)


def usable(table: MetricTable) -> bool:
    """The source answered, whatever it said."""
    return table.refusal is None or table.refusal.validity is not Validity.PROVIDER_ERROR


def preview(metric: Metric, frame: Frame, table: MetricTable) -> tuple[Validity, str]:
    """Whether a history could be fitted, before a release has begun or while one waits for it."""
    if table.refusal is not None:
        return table.refusal.validity, table.refusal.note
    if table.bins is None:
        return Validity.NO_DATA, f"metrics[{metric.name}]: no samples yet"
    end = frame.now + 1 if frame.t0 is None else frame.t0
    trail = validity.extended(validity.no_trail(), frame, table, max(end - validity.TRAIL, table.first), end)
    broken, words = validity.judge(metric, trail, 0.0)
    if broken is not Validity.OK:
        return broken, words
    return _obstacle(metric, frame, table, table.bins, end) or (Validity.OK, "")


def _fitted(
    metric: Metric, state: MetricState, frame: Frame, table: MetricTable, bins: Bins, lottery: Lottery | None
) -> MetricState:
    t0 = state.consumed + 1
    obstacle = _obstacle(metric, frame, table, bins, t0)
    edges = tuple(bins.edges.tolist()) if isinstance(bins, HistogramBins) else ()
    if obstacle is None:
        engine = questions.begin(metric, frame, columns(bins, table.first, t0), lottery)
        return replace(state, engine=engine, edges=edges)
    failure, note = obstacle
    if table.refusal is not None and metric.segment is None:
        return state
    return replace(state, failure=failure, note=note, edges=edges)


def _obstacle(
    metric: Metric, frame: Frame, table: MetricTable, bins: Bins, end: int
) -> tuple[Validity, str] | None:
    """Why the history before `end` cannot be fitted."""
    if table.refusal is not None:
        return table.refusal.validity, table.refusal.note
    if metric.kind is MetricKind.RESTARTS:
        return None
    held = validity.history_bins(frame, table, table.first, end)
    if held < validity.LEAST_HISTORY:
        return validity.short_history(metric, held)
    if table.drops > validity.MOSTLY_FALLING:
        return validity.no_counter(metric)
    if isinstance(bins, HistogramBins):
        words = questions.missing_edge(metric, tuple(bins.edges.tolist()))
        if words:
            return Validity.NO_SUCH_EDGE, words
    return None
