"""A past of the arms' own: both run the stable template first, where the release will run.

Then weights go home, and both arms' pods are replaced at the same moment on the
same nodes, the canary's by the candidate's. A crash between any two of these
steps is entered again where it was.
"""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.control.observed import Observed
from causal_rollouts.control.rise import fresh, in_force, slots_of
from causal_rollouts.model.arms import Pod
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.release import PlannedSlot, Release
from causal_rollouts.model.traffic import HOME, Change


def enter(release: Release, registration: Registration, observed: Observed, now: float) -> Release:
    """Ask for the slots of the first stage, all of them on the stable template."""
    slots = slots_of(release, registration, observed)
    return replace(
        release,
        phase=Phase.PRE_PERIOD,
        since=now,
        desired=replace(release.desired, slots=tuple(replace(p, before=True) for p in slots), services=True),
    )


def watch(release: Release, registration: Registration, observed: Observed, now: float) -> Release:
    """Weights up once the pods are ready, and home again when the arms were watched for long enough."""
    release, standing = in_force(release, registration, observed, now)
    if not standing:
        return release
    spent = now - (release.stage_since or now) - release.invalid_seconds
    seen = release.share_ok and fresh(release, registration.grid, now)
    if spent < registration.arms.pre_period or not seen or release.is_aa:
        return release
    home = Change(now, None, HOME, Phase.REPLACING)
    return replace(
        release,
        phase=Phase.REPLACING,
        since=now,
        timeline=(*release.timeline, home),
        desired=replace(release.desired, weights=HOME),
    )


def anew(release: Release, now: float) -> Release:
    """Watch the arms from now on: what they showed before a pause counts no more."""
    if release.phase is not Phase.PRE_PERIOD or release.stage_since is None:
        return release
    again = Change(now, None, release.desired.weights, Phase.PRE_PERIOD)
    return replace(release, stage_since=now, invalid_seconds=0.0, timeline=(*release.timeline, again))


def successors(slots: tuple[PlannedSlot, ...], pods: tuple[Pod, ...]) -> tuple[PlannedSlot, ...]:
    """The slots of the release in the places of those of the pre-period, each where its pod really ran."""
    where = {pod.slot: pod.node for pod in sorted(pods, key=lambda pod: (pod.created, pod.uid)) if pod.node}
    return tuple(PlannedSlot(p.slot, where.get(p.slot.id, p.node)) if p.before else p for p in slots)
