"""The state of one release: what the record holds and a restart needs.

Nothing else is remembered anywhere. `desired` is the intent: it is written
before any effect, and every pass compares it with the world again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from causal_rollouts.model.arms import Pod, Slot
from causal_rollouts.model.people import Approval
from causal_rollouts.model.reasons import Act, Outcome, Phase, Verdict
from causal_rollouts.model.scatter import Scatter
from causal_rollouts.model.traffic import HOME, Change, Weights
from causal_rollouts.model.world import Json


@dataclass(frozen=True, slots=True)
class PlannedSlot:
    """A slot that should exist, and the node that was drawn for it.

    before: it is the slot of the pre-period, which runs the stable template in either arm.
    """

    slot: Slot
    node: str
    before: bool = False


@dataclass(frozen=True, slots=True)
class Desired:
    """The world as it should be. roll: the Deployment may roll to the candidate."""

    weights: Weights = HOME
    slots: tuple[PlannedSlot, ...] = ()
    roll: bool = False
    services: bool = False
    undo: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """One release. Times in seconds since the epoch.

    since: when `phase` began. stage: index of the current stage, -1 before the first.
    stage_since: when the weights of the current stage were set, None until they were seen in force.
    invalid_seconds: time of this stage that maxDuration does not count: data were invalid, or it was paused.
    resume: the phase that a pause interrupted.
    look: the last bin that was looked at; None before the first look.
    looked: when; verdict: what it said; usable: whether its window was valid (traffic may only rise on a
    fresh, valid one).
    share_ok: whether traffic was seen to follow the weights of this stage.
    told: the last decision, so that only changes are logged and told.
    home_since: since when all weights were seen at home while it ends.
    scatter: what its own pre-period or A/A test told of fresh pods, as of the newest look.
    warned: footprints that were warned of, each with its reason, so that each is told once.
    approvals: every word that people gave to a step, oldest first. awaits: the step that waits for one.
    contested: times that somebody else moved the weights since the start or the last resume.
    astray: somebody did, and they were not seen back yet.
    shared_since: since when looks of this stage call it a shared incident, None while they do not.
    """

    id: str
    candidate_hash: str
    stable_hash: str
    stable_set: str
    phase: Phase
    since: float
    stage: int = -1
    stage_since: float | None = None
    invalid_since: float | None = None
    invalid_seconds: float = 0.0
    desired: Desired = Desired()
    timeline: tuple[Change, ...] = ()
    pods: tuple[Pod, ...] = ()
    resume: Phase | None = None
    paused_by: str = ""
    outcome: Outcome | None = None
    why: str = ""
    look: int | None = None
    looked: float | None = None
    usable: bool = False
    verdict: Verdict | None = None
    share_ok: bool = False
    told: str = ""
    blocked_since: float | None = None
    replicas: int = 0
    home_since: float | None = None
    contested: int = 0
    astray: bool = False
    approvals: tuple[Approval, ...] = ()
    awaits: Act | None = None
    shared_since: float | None = None
    warned: tuple[str, ...] = ()
    scatter: tuple[Scatter, ...] = ()

    @property
    def starting(self) -> bool:
        """Pods of the arms get ready and weights move: of a stage, or of a pre-period that has not begun."""
        waiting = self.phase is Phase.PRE_PERIOD and self.stage_since is None
        return self.phase is Phase.SHIFTING or waiting

    def shifting(self, now: float) -> Release:
        """It waits for the weights of a stage, whose clock and share of traffic are to be seen anew."""
        return replace(
            self,
            phase=Phase.SHIFTING,
            since=now,
            stage_since=None,
            invalid_since=None,
            invalid_seconds=0.0,
            share_ok=False,
            home_since=None,
            shared_since=None,
        )

    @property
    def rolled(self) -> bool:
        """The fleet itself takes the candidate, or took it before a pause."""
        return bool({Phase.PROMOTING, Phase.BAKING} & {self.phase, self.resume})

    @property
    def is_aa(self) -> bool:
        """An A/A test: both arms run the stable template, and nothing is released."""
        return self.candidate_hash == self.stable_hash


@dataclass(frozen=True, slots=True)
class Templates:
    """The two pod templates, whole, because the objects they came from may vanish."""

    candidate: Json
    stable: Json
