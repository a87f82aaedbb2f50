"""What the gate remembers between two looks, whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from causal_rollouts.evidence.codec import Codec, StateUnreadable
from causal_rollouts.evidence.continuous import ContinuousState
from causal_rollouts.evidence.count_history import CountHistory
from causal_rollouts.evidence.counts import Counts, CountWindow
from causal_rollouts.evidence.errors import ErrorState, FreshWindow
from causal_rollouts.evidence.exceedances import ExceedanceState
from causal_rollouts.evidence.footprint import FootprintState
from causal_rollouts.evidence.frame import Unit
from causal_rollouts.evidence.framing import Known
from causal_rollouts.evidence.levels import Mark, Past
from causal_rollouts.evidence.load import NOTHING_COUNTED, LoadState
from causal_rollouts.evidence.questions import Engine
from causal_rollouts.evidence.restarts import RestartState
from causal_rollouts.evidence.share import ShareState
from causal_rollouts.evidence.validity import Trail
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.reasons import Validity
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.traffic import Change
from causal_rollouts.stats.variance_components import Components


@dataclass(frozen=True, slots=True)
class MetricState:
    """One metric. engine: None until its history was fitted, and for good where `failure` says why not.

    edges: of a histogram, frozen with the fit. consumed: newest bin taken in. since: earliest sample that
    the next look needs.
    """

    name: str
    engine: Engine | None
    failure: Validity
    note: str
    edges: tuple[float, ...]
    consumed: int
    since: float
    trail: Trail

    @property
    def settled(self) -> bool:
        """The fit is made, or is known to be impossible: history is not needed again."""
        return self.engine is not None or self.failure is not Validity.OK


@dataclass(frozen=True, slots=True)
class GateState:
    """One release. metrics is empty before the first stage; now: newest bin that was looked at."""

    release: str
    now: int
    known: Known
    metrics: tuple[MetricState, ...]
    share: ShareState
    load: LoadState = NOTHING_COUNTED

    def metric(self, name: str) -> MetricState | None:
        """The state of one metric, None before the first stage."""
        return next((m for m in self.metrics if m.name == name), None)

    @property
    def consumed(self) -> int:
        """Newest bin that any metric took in; -1 before the first."""
        return max((m.consumed for m in self.metrics), default=-1)

    @property
    def oldest(self) -> int:
        """Newest bin that every metric took in; -1 before the first."""
        return min((m.consumed for m in self.metrics), default=-1)


CODEC = Codec(
    (
        GateState, MetricState, Known, Unit, Arm, Validity, Trail, ShareState, LoadState,
        ContinuousState, Components, Mark, Past,
        ExceedanceState, ErrorState, FreshWindow, CountHistory, Counts, CountWindow,
        RestartState, FootprintState,
    )
)  # fmt: skip


def blank(release: str) -> GateState:
    """Before anything was seen."""
    return GateState(release, -1, Known(), (), ShareState(0, 0, 0.0, 0.0))


def current(reg: Registration, state: GateState, timeline: Sequence[Change], now: int) -> GateState:
    """The state for a look at bin `now`: blank again where the release begins after its pre-period.

    What the arms showed while they were twins is no evidence of the release; its past tells it anew.
    """
    if state.known.holds(reg.grid, timeline, now):
        return state
    return replace(blank(reg.release), now=state.now)


def encode(state: GateState) -> bytes:
    """The state for the record."""
    return CODEC.encode(state)


def decode(reg: Registration, data: bytes | None) -> GateState:
    """The state from the record of this release.

    Raises:
        StateUnreadable: the bytes are no state of this release by this version.
    """
    if data is None:
        return blank(reg.release)
    state = CODEC.decode(data)
    if not isinstance(state, GateState):
        raise StateUnreadable(f"evidence state: holds a {type(state).__name__}, not the state of a gate")
    if state.release != reg.release:
        raise StateUnreadable(f"evidence state: is of release {state.release!r}, not of {reg.release!r}")
    names = tuple(m.name for m in state.metrics)
    if names and names != tuple(m.name for m in reg.asked):
        raise StateUnreadable(f"evidence state: has metrics {names}, the release registered others")
    return state
