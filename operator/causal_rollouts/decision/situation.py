"""Everything that one decision may look at, gathered into one value.

The rules read nothing else: what is not in a situation cannot sway a decision,
and a situation can be written down and decided again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.reasons import Phase, Reason
from causal_rollouts.model.registration import Mode, Registration, Stage
from causal_rollouts.model.release import Release

TRAFFIC = (
    Reason.WAITING_FOR_TRAFFIC,
    "waiting for a valid window and for traffic to follow the weights",
)


class Template(StrEnum):
    """The target's template against the release."""

    CANDIDATE = "candidate"
    STABLE = "stable"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the pass saw besides telemetry. Texts are empty where nothing is to be said.

    pause, abort, promote: who asked. blocked: why the candidate's pods cannot run, not its fault.
    waits_for: what a shift of traffic needs before it can go on.
    contested: who moves the weights, and what to do about it.
    others: whose releases a release that prepares has to let pass.
    """

    deleting: bool = False
    abort: str = ""
    pause: str = ""
    promote: str = ""
    suspended: bool = False
    template: Template = Template.CANDIDATE
    bypassed: bool = False
    target_gone: bool = False
    problems: tuple[str, ...] = ()
    crash_loop: str = ""
    never_ready: str = ""
    blocked: str = ""
    waits_for: tuple[Reason, str] = TRAFFIC
    contested: str = ""
    unreadable: str = ""
    provider_error: str = ""
    others: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """One moment of one release."""

    registration: Registration
    release: Release
    evidence: Evidence | None
    facts: Facts
    now: float

    @property
    def stage(self) -> Stage:
        """The current stage (the first, before it began)."""
        return self.registration.stages[max(self.release.stage, 0)]

    @property
    def last_stage(self) -> bool:
        """No further rise: the next step is promotion."""
        return self.release.stage == len(self.registration.stages) - 1

    @property
    def next_stage(self) -> Stage | None:
        """The stage that a rise leads to, None where that is the promotion."""
        return None if self.last_stage else self.registration.stages[self.release.stage + 1]

    @property
    def enforcing(self) -> bool:
        """Evidence acts, where asked for after a person agreed; else it is only told."""
        return self.registration.mode is not Mode.OBSERVE

    @property
    def exposed(self) -> bool:
        """The candidate takes or may take traffic."""
        return not (self.ending or self.before)

    @property
    def before(self) -> bool:
        """No pod runs the candidate yet."""
        phase = self.release.resume if self.release.phase is Phase.PAUSED else self.release.phase
        return phase in {Phase.PREPARING, Phase.PRE_PERIOD, Phase.REPLACING}

    @property
    def ending(self) -> bool:
        """The release is on its way out; nothing but that matters."""
        return self.release.phase in {Phase.REVERTING, Phase.FINISHING, Phase.DONE}

    @property
    def observing(self) -> bool:
        """Evidence of a stage is being gathered."""
        return self.release.phase in {Phase.OBSERVING, Phase.AWAITING_APPROVAL}

    @property
    def stage_age(self) -> float:
        """Seconds in the current stage with traffic applied."""
        since = self.release.stage_since
        return 0.0 if since is None else self.now - since

    @property
    def stage_clock(self) -> float:
        """Stage age less the time in which data were invalid: maxDuration runs on this."""
        standing = self.release.invalid_since
        return self.stage_age - self.release.invalid_seconds - (self.now - standing if standing else 0.0)


def situate(
    registration: Registration, release: Release, evidence: Evidence | None, facts: Facts, now: float
) -> Situation:
    """The one way to make a situation; control and replay both come here."""
    return Situation(registration, release, evidence, facts, now)
