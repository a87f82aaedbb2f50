"""The steps of a release: from one state and one decision to the next state.

Pure: it only says what should be; `plan` compares that with the world. Every
step is entered again on every pass, so a crash between two of them loses
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from causal_rollouts.control import leaving
from causal_rollouts.control.observed import Observed
from causal_rollouts.decision.allocation import Rung, allocate
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.assignment import assign
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.release import Release
from causal_rollouts.model.traffic import Change, Weights
from causal_rollouts.model.world import Fleet

OVERLOAD = 1.25
"""Highest load of a stable pod after a step, as a multiple of what it carried before the release."""

STALE_LOOKS = 3
"""A window older than this many looks is not fresh enough to let traffic rise."""

MAY_STEP = frozenset(
    {
        Reason.WAITING_FOR_HISTORY,
        Reason.WAITING_FOR_TRAFFIC,
        Reason.ROLLING_OUT,
        Reason.BAKING,
        Reason.CLEANING_UP,
    }
)
"""Holds that only wait for the machine; any other hold stops the steps too."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a step may read."""

    registration: Registration
    observed: Observed
    now: float


def progress(release: Release, decision: Decision, step: Step) -> Release:
    """The state after a decision; the same state when there is nothing to do."""
    match decision.act:
        case Act.ADVANCE:
            return enter_stage(release, step, release.stage + 1)
        case Act.PROMOTE:
            return _promote(release, step)
        case Act.PAUSE:
            return _pause(release, decision, step)
        case Act.REVERT | Act.END:
            return leaving.leave(release, decision, step.now)
        case Act.HOLD:
            return _hold(release, decision, step)


def rung(release: Release, registration: Registration) -> Rung:
    """Slots and weights of the current stage for the fleet as it was at the start."""
    return allocate(registration.stages, registration.arms, release.replicas)[max(release.stage, 0)]


def enter_stage(release: Release, step: Step, stage: int) -> Release:
    """Ask for the slots of a stage; its weights follow when they are ready."""
    entered = replace(
        release,
        phase=Phase.SHIFTING,
        since=step.now,
        stage=stage,
        stage_since=None,
        invalid_since=None,
        invalid_seconds=0.0,
        share_ok=False,
    )
    want = rung(entered, step.registration)
    taken = release.desired.slots
    new = [slot for slot in want.slots if slot not in {p.slot for p in taken}]
    fleet = step.observed.fleet
    nodes = [node.name for node in fleet.nodes if node.schedulable] if fleet else []
    slots = assign(step.registration.seed, nodes, taken, new)
    return replace(entered, desired=replace(release.desired, slots=slots, services=True))


def resume(release: Release, now: float) -> Release:
    """Go on with what a pause interrupted; the stage's clock goes on too."""
    if release.phase is not Phase.PAUSED or release.resume is None:
        return release
    desired = replace(release.desired, roll=release.resume in {Phase.PROMOTING, Phase.BAKING})
    return replace(release, phase=release.resume, since=now, resume=None, paused_by="", desired=desired)


def _pause(release: Release, decision: Decision, step: Step) -> Release:
    if release.phase is Phase.PAUSED:
        return release
    return replace(
        release,
        phase=Phase.PAUSED,
        resume=release.phase,
        since=step.now,
        paused_by=decision.because,
        desired=replace(release.desired, roll=False),
    )


def _promote(release: Release, step: Step) -> Release:
    change = Change(step.now, release.stage, release.desired.weights, Phase.PROMOTING)
    return replace(
        release,
        phase=Phase.PROMOTING,
        since=step.now,
        timeline=(*release.timeline, change),
        desired=replace(release.desired, roll=True),
    )


def _hold(release: Release, decision: Decision, step: Step) -> Release:
    release = _clock(release, decision, step.now)
    if decision.reason not in MAY_STEP:
        return release
    match release.phase:
        case Phase.PREPARING:
            return enter_stage(release, step, 0) if _fresh(release, step) else release
        case Phase.SHIFTING:
            return _shift(release, step)
        case Phase.PROMOTING:
            rolled = step.observed.fleet is not None and _rolled(step.observed.fleet, release)
            return replace(release, phase=Phase.BAKING, since=step.now) if rolled else release
        case Phase.BAKING:
            if step.now - release.since < step.registration.times.bake:
                return release
            return leaving.finish(release, step.now, Outcome.PROMOTED, "promoted")
        case Phase.REVERTING | Phase.FINISHING:
            return leaving.clean_up(release, step.observed, step.now)
        case _:
            return release


def _clock(release: Release, decision: Decision, now: float) -> Release:
    """MaxDuration's clock stands while data are invalid."""
    blind = decision.reason in {
        Reason.PROVIDER_ERROR,
        Reason.NO_DATA,
        Reason.INCOMPLETE_DATA,
        Reason.SHARE_MISMATCH,
    }
    if release.phase is not Phase.OBSERVING or blind == (release.invalid_since is not None):
        return release
    if blind:
        return replace(release, invalid_since=now)
    lost = now - (release.invalid_since or now)
    return replace(release, invalid_since=None, invalid_seconds=release.invalid_seconds + lost)


def _fresh(release: Release, step: Step) -> bool:
    """The newest look was valid and is recent: the condition of every rise."""
    allowed = STALE_LOOKS * 2 * step.registration.grid.width + step.registration.grid.delay
    return release.usable and release.looked is not None and step.now - release.looked <= allowed


def _shift(release: Release, step: Step) -> Release:
    want = rung(release, step.registration).weights
    if release.desired.weights != want:
        if not (_slots_ready(release, step.observed) and _fresh(release, step)):
            return release
        if not can_carry(step.observed, release, want):
            return release
        change = Change(step.now, release.stage, want, Phase.SHIFTING)
        desired = replace(release.desired, weights=want)
        return replace(
            release, desired=desired, timeline=(*release.timeline, change), share_ok=False, usable=False
        )
    if not (step.observed.applied(want) and release.share_ok):
        return release
    return replace(release, phase=Phase.OBSERVING, since=step.now, stage_since=release.timeline[-1].time)


def _slots_ready(release: Release, observed: Observed) -> bool:
    """All pods ready, and the gateway's view of them (endpoints) too."""
    if observed.fleet is None or observed.traffic is None:
        return False
    ready = {state.slot for state in observed.fleet.slots if state.ready}
    if any(p.slot not in ready for p in release.desired.slots):
        return False
    arms = {p.slot.arm for p in release.desired.slots}
    return all(
        observed.traffic.endpoints.get(arm, 0) >= sum(p.slot.arm is arm for p in release.desired.slots)
        for arm in arms
    )


def can_carry(observed: Observed, release: Release, weights: Weights) -> bool:
    """Stable can carry its share: no pod above `OVERLOAD` of what it carried before."""
    if observed.fleet is None:
        return False
    ready = observed.ready_stable
    return ready > 0 and weights.share(Arm.STABLE) * release.replicas <= OVERLOAD * ready


def _rolled(fleet: Fleet, release: Release) -> bool:
    """The Deployment runs the candidate only, all of it available."""
    target = fleet.target
    old = [rs for rs in fleet.replica_sets if rs.replicas > 0 and rs.template_hash != release.candidate_hash]
    return (
        not target.paused
        and target.template_hash == release.candidate_hash
        and target.observed_generation >= target.generation
        and target.updated >= target.replicas
        and target.available >= target.replicas
        and not old
    )


def note_blocked(release: Release, blocked: str, now: float) -> Release:
    """Since when the candidate's pods could not start."""
    if bool(blocked) == (release.blocked_since is not None):
        return release
    return replace(release, blocked_since=now if blocked else None)


def reapply(release: Release, step: Step) -> Release:
    """Somebody moved the weights under us: they are set again, and the bins around it are not used."""
    judged = release.phase in {Phase.OBSERVING, Phase.PROMOTING, Phase.BAKING}
    held = step.observed.weights
    if not judged or step.observed.traffic is None or held == release.desired.weights:
        return release
    last = release.timeline[-1]
    change = Change(step.now, release.stage, release.desired.weights, last.phase)
    return replace(release, timeline=(*release.timeline, change), usable=False, share_ok=False)
