"""The steps of a release: from one state and one decision to the next state.

Pure: it only says what should be; `plan` compares that with the world. Every
step is entered again on every pass, so a crash between two of them loses
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from causal_rollouts.control import leaving, pre_period, probe
from causal_rollouts.control.observed import Observed
from causal_rollouts.control.rescale import rescaled
from causal_rollouts.control.rise import fresh, in_force, slots_of
from causal_rollouts.decision.stage_clock import clocked
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.release import Release
from causal_rollouts.model.traffic import Change
from causal_rollouts.model.world import Fleet

MAY_STEP = frozenset(
    {
        Reason.PRE_PERIOD,
        Reason.REPLACING,
        Reason.WAITING_FOR_HISTORY,
        Reason.WAITING_FOR_PODS,
        Reason.WAITING_FOR_CAPACITY,
        Reason.WAITING_FOR_TRAFFIC,
        Reason.PROBING,
        Reason.ROLLING_OUT,
        Reason.BAKING,
        Reason.CLEANING_UP,
    }
)
"""Holds that only wait for the machine; any other hold stops the steps too."""

EXTENDED = frozenset({Phase.OBSERVING, Phase.AWAITING_APPROVAL, Phase.PAUSED})
"""Phases of a stage whose clock runs, or will again."""

STANDSTILL = frozenset({Reason.SUSPENDED, Reason.INVALID_SPEC})
"""Holds under which a person expects that nothing moves at all."""


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
        case Act.PROBE:
            return probe.begin(release, step.registration, step.now)
        case Act.PAUSE:
            return _pause(release, decision, step)
        case Act.REVERT | Act.END:
            return leaving.leave(release, decision, step.now)
        case Act.HOLD:
            return _hold(release, decision, step)


def enter_stage(release: Release, step: Step, stage: int) -> Release:
    """Ask for the slots of a stage; its weights follow when they are ready."""
    entered = replace(
        release.shifting(step.now),
        stage=stage,
        desired=replace(release.desired, slots=pre_period.successors(release.desired.slots, release.pods)),
    )
    slots = slots_of(entered, step.registration, step.observed)
    return replace(entered, desired=replace(entered.desired, slots=slots, services=True))


def resume(release: Release, step: Step) -> Release:
    """Go on with what a pause interrupted."""
    if release.phase is not Phase.PAUSED or release.resume is None:
        return release
    resumed = replace(
        release,
        phase=release.resume,
        since=step.now,
        resume=None,
        paused_by="",
        desired=replace(release.desired, roll=release.resume in {Phase.PROMOTING, Phase.BAKING}),
        invalid_since=None,
        invalid_seconds=_excused(release, step),
        contested=0,
    )
    return pre_period.anew(resumed, step.now)


def extend(release: Release, step: Step) -> Release:
    """A person gives a stage its maxDuration once more, from now on."""
    if release.stage < 0 or release.stage_since is None or release.phase not in EXTENDED:
        return release
    # While it is paused its clock stands since the pause began.
    now = release.since if release.phase is Phase.PAUSED else step.now
    return replace(release, invalid_since=None, invalid_seconds=now - release.stage_since)


def _excused(release: Release, step: Step) -> float:
    """Time of a pause does not count, and who resumes a stage that ran out of time gives it another."""
    if release.stage_since is None or release.stage < 0:
        return 0.0
    stands = release.since if release.invalid_since is None else release.invalid_since
    ran = stands - release.stage_since - release.invalid_seconds
    spent = ran >= step.registration.stages[release.stage].max_duration
    return step.now - release.stage_since - (0.0 if spent else ran)


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
        resume=None,
        paused_by="",
        timeline=(*release.timeline, change),
        desired=replace(release.desired, roll=True),
    )


def _hold(release: Release, decision: Decision, step: Step) -> Release:
    release = _roll(clocked(release, decision, step.now), decision, step)
    if decision.reason not in STANDSTILL:
        release = rescaled(release, step.registration, step.observed, step.now)
    if decision.reason is Reason.PROBE_SETTLED:
        return probe.settle(release, step.now)
    if decision.reason not in MAY_STEP:
        return release
    step_on = _STEPS.get(release.phase)
    return release if step_on is None else step_on(release, step)


def _prepared(release: Release, step: Step) -> Release:
    if not _fresh(release, step):
        return release
    if step.registration.arms.pre_period > 0:
        return pre_period.enter(release, step.registration, step.observed, step.now)
    return enter_stage(release, step, 0)


def _watched(release: Release, step: Step) -> Release:
    return pre_period.watch(release, step.registration, step.observed, step.now)


def _replaced(release: Release, step: Step) -> Release:
    release = leaving.at_home(release, step.observed, step.now)
    ready = step.observed.workers or leaving.drained(release, step.now)
    return enter_stage(release, step, 0) if ready else release


def _probed(release: Release, step: Step) -> Release:
    return probe.switch(release, step.registration, step.observed, step.now)


def _rolled_out(release: Release, step: Step) -> Release:
    """Baking moves no weight; it is in the timeline so that a replay knows when it began."""
    if step.observed.fleet is None or not _rolled(step.observed.fleet, release):
        return release
    change = Change(step.now, release.stage, release.desired.weights, Phase.BAKING)
    return replace(release, phase=Phase.BAKING, since=step.now, timeline=(*release.timeline, change))


def _baked(release: Release, step: Step) -> Release:
    """Weights home give the baseline's share to the candidate: a rise as any other."""
    if step.now - release.since < step.registration.times.bake or not _fresh(release, step):
        return release
    return leaving.finish(release, step.now, Outcome.PROMOTED, "promoted")


def _cleaned_up(release: Release, step: Step) -> Release:
    return leaving.clean_up(release, step.observed, step.now)


def _roll(release: Release, decision: Decision, step: Step) -> Release:
    """The fleet takes the candidate only while the gate sees; blind or suspended, it stands as it is."""
    if release.phase is not Phase.PROMOTING:
        return release
    may = _fresh(release, step) and decision.reason is not Reason.SUSPENDED
    return replace(release, desired=replace(release.desired, roll=may))


def _fresh(release: Release, step: Step) -> bool:
    return fresh(release, step.registration.grid, step.now)


def _shift(release: Release, step: Step) -> Release:
    release, standing = in_force(release, step.registration, step.observed, step.now)
    ready = standing and release.share_ok
    return replace(release, phase=Phase.OBSERVING, since=step.now) if ready else release


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
    """Since when pods could not start; when they can again, their time to get ready begins anew."""
    if bool(blocked) == (release.blocked_since is not None):
        return release
    if blocked:
        return replace(release, blocked_since=now)
    since = now if release.phase is Phase.SHIFTING else release.since
    return replace(release, blocked_since=None, since=since)


_STEPS: Mapping[Phase, Callable[[Release, Step], Release]] = {
    Phase.PREPARING: _prepared,
    Phase.PRE_PERIOD: _watched,
    Phase.REPLACING: _replaced,
    Phase.SHIFTING: _shift,
    Phase.PROBING: _probed,
    Phase.PROMOTING: _rolled_out,
    Phase.BAKING: _baked,
    Phase.REVERTING: _cleaned_up,
    Phase.FINISHING: _cleaned_up,
}
"""What the machine does by itself in a phase while nothing holds it up."""
