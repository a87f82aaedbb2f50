"""One look of the gate: raw samples and the last state in, evidence and the next state out.

The operator and a replay call this and nothing behind it. It reads no clock, and
what it is given beyond the bins of the look does not change what it says.
"""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.evidence.framing import framing, history_start, moves
from causal_rollouts.evidence.gate_state import GateState, current, decode, encode
from causal_rollouts.evidence.reading import SCRAPES_BACK
from causal_rollouts.evidence.tabulate import Wanted, tabulate
from causal_rollouts.evidence.timeline import FOREVER, schedule, watched_from
from causal_rollouts.evidence.weigh import weigh
from causal_rollouts.model.arms import Pod
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.telemetry import Look, Telemetry
from causal_rollouts.model.traffic import Change


@dataclass(frozen=True, slots=True)
class Assessment:
    """Evidence of one look, and the encoded state that the next look starts from."""

    evidence: Evidence
    state: bytes


def assess(
    reg: Registration,
    pods: tuple[Pod, ...],
    timeline: tuple[Change, ...],
    telemetry: Telemetry,
    look: Look,
    state: bytes | None,
) -> Assessment:
    """Look at everything up to and with bin `look.last_final`.

    telemetry: samples from `needed_since(...)` on; older ones do no harm. pods: all that took part so
    far, also those that are gone. Before the first stage it only says whether history suffices.

    Raises:
        StateUnreadable: the state was not written by this version for this release.
    """
    evidence, after = looked(reg, pods, timeline, telemetry, look, decode(reg, state))
    return Assessment(evidence, encode(after))


def looked(
    reg: Registration,
    pods: tuple[Pod, ...],
    timeline: tuple[Change, ...],
    telemetry: Telemetry,
    look: Look,
    before: GateState,
) -> tuple[Evidence, GateState]:
    """As `assess`, from one state to the next without their bytes: a replay need not write what it reads."""
    now = max(look.last_final, before.consumed)
    before = current(reg, before, timeline, now)
    frame = framing(reg, pods, timeline, now, before.known)
    wanted = [_wanted(reg, timeline, metric, before, now) for metric in reg.asked]
    tables = tabulate(reg.grid, pods, frame, schedule(reg, timeline, look.time), telemetry, wanted)
    steps = [
        framing(reg, pods, timeline, at - 1, before.known)
        for at in moves(reg.grid, pods, before.oldest + 1, now)
    ]
    return weigh(reg, frame, tables, look, before, pods, steps)


def needed_since(
    reg: Registration, timeline: tuple[Change, ...], state: bytes | None, now: float | None = None
) -> float:
    """Earliest sample time that the next `assess` needs.

    now: time of that look; before the first stage the history is counted back from it. Without it, from
    the last look, and at the very first from the last change of weights (0 where there is none).

    Raises:
        StateUnreadable: as `assess`.
    """
    return wanted_since(reg, timeline, decode(reg, state), now)


def wanted_since(
    reg: Registration, timeline: tuple[Change, ...], before: GateState, now: float | None = None
) -> float:
    """As `needed_since`, of a state that is not encoded."""
    newest = FOREVER if now is None else reg.grid.last_look(now)
    if not before.known.holds(reg.grid, timeline, newest):
        # One of the looks that are due will begin anew.
        anew = wanted_since(reg, timeline, current(reg, before, timeline, newest), now)
        return min([anew, *(m.since for m in before.metrics if m.settled)])
    if before.metrics and all(m.settled for m in before.metrics):
        return min(m.since for m in before.metrics)
    start = before.known.t0 if before.known.t0 is not None else watched_from(reg.grid, timeline, newest)
    if start is None:
        latest = now if now is not None else max((c.time for c in timeline), default=0.0)
        start = max(reg.grid.last_look(latest) if latest > 0 else 0, before.now) + 1
    oldest = min((m.since for m in before.metrics if m.settled), default=_from(reg, start))
    return max(0.0, min(oldest, _from(reg, start)))


def _from(reg: Registration, t0: int) -> float:
    """First sample time of the history before t0: its first bin needs predecessors too."""
    return reg.grid.start(history_start(reg, t0)) - SCRAPES_BACK * reg.grid.scrape


def _wanted(
    reg: Registration, timeline: tuple[Change, ...], metric: Metric, before: GateState, now: int
) -> Wanted:
    """New bins only where the past is settled, else all of it."""
    mine = before.metric(metric.name)
    if mine is not None and mine.settled:
        return Wanted(metric, mine.consumed + 1, mine.since, mine.edges)
    grid: Grid = reg.grid
    t0 = before.known.t0 if before.known.t0 is not None else watched_from(grid, timeline, now)
    start = now + 1 if t0 is None else min(t0, now + 1)
    return Wanted(metric, history_start(reg, start), _from(reg, start))
