"""Looking at a run of `sample_world` as the operator does: fetch since, assess, keep the bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from causal_rollouts.evidence.assess import Assessment, assess, needed_since
from causal_rollouts.model.evidence import Evidence, MetricEvidence
from causal_rollouts.model.telemetry import Look
from tests.unit.evidence.sample_world import GRID, Run

Saw = Callable[[Look, Evidence], None]


def look_once(run: Run, look: Look, state: bytes | None) -> Assessment:
    """One look; the timeline and the answer of the source end where the look is."""
    reg = run.world.registration()
    timeline = tuple(c for c in run.timeline if c.time <= look.time)
    since = needed_since(reg, timeline, state, look.time)
    telemetry = run.telemetry(since, GRID.end(look.last_final))
    return assess(reg, run.pods, timeline, telemetry, look, state)


def every_second_bin(run: Run, first: int = -3, last: int | None = None) -> range:
    """Bins of the run at which the operator looks; `first` counts from the first stage."""
    return range(run.world.history + first, run.world.bins if last is None else last, 2)


def watch(run: Run, at: Iterable[int] | None = None, saw: Saw | None = None) -> Assessment:
    """All looks in order; what the last one found."""
    state: bytes | None = None
    found: Assessment | None = None
    for index in every_second_bin(run) if at is None else at:
        look = run.look(index)
        found = look_once(run, look, state)
        state = found.state
        if saw is not None:
            saw(look, found.evidence)
    assert found is not None
    return found


def told(evidence: Evidence, name: str) -> MetricEvidence:
    """What one metric says."""
    return next(m for m in evidence.metrics if m.name == name)


def first_harm(run: Run) -> int | None:
    """Bins from the first stage to the look that proves harm."""
    seen: list[int] = []
    watch(run, saw=lambda look, e: seen.append(look.last_final) if e.harm else None)
    return seen[0] - GRID.index(run.world.t0_time) if seen else None
