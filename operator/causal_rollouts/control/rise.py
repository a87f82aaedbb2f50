"""What must hold before traffic may rise: pods, capacity, and a window that is valid and fresh."""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.control.observed import Observed
from causal_rollouts.decision.allocation import Rung, allocate, rung_of_pods
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.assignment import assign, block_of
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.reasons import Phase, Reason
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.release import PlannedSlot, Release
from causal_rollouts.model.traffic import Change, Weights

OVERLOAD = 1.25
"""Highest load of a stable pod after a step, as a multiple of what it carried before the release."""

STALE_LOOKS = 3
"""A window older than this many looks is not fresh enough to let traffic rise."""


def rung(release: Release, registration: Registration) -> Rung:
    """Slots and weights of the current stage for the fleet as it was at the start, or has been rescaled."""
    found = allocate(registration.stages, registration.arms, release.replicas)[max(release.stage, 0)]
    if not registration.arms.pod_share:
        return found
    # After a fleet became smaller more slots stand than it would ask for, and each of them has its traffic.
    standing = [sum(p.slot.arm is arm for p in release.desired.slots) for arm in (Arm.CANARY, Arm.BASELINE)]
    canaries, baselines = max(found.canaries, standing[0]), max(found.baselines, standing[1])
    return rung_of_pods(canaries, baselines, release.replicas)


def slots_of(release: Release, registration: Registration, observed: Observed) -> tuple[PlannedSlot, ...]:
    """Slots of the current stage: those that stand keep their nodes, new ones are drawn theirs."""
    taken = release.desired.slots
    known = {planned.slot for planned in taken}
    new = [slot for slot in rung(release, registration).slots if slot not in known]
    fleet = observed.fleet
    there = fleet.nodes if fleet else ()
    nodes = {node.name: block_of(node.zone, node.machine) for node in there if node.schedulable}
    return assign(registration.seed, nodes, taken, new)


def fresh(release: Release, grid: Grid, now: float) -> bool:
    """The newest look was valid and is recent."""
    return release.usable and release.looked is not None and now - release.looked <= lifetime(grid)


def lifetime(grid: Grid) -> float:
    """Seconds for which what was seen or done lets traffic rise."""
    return STALE_LOOKS * 2 * grid.width + grid.delay


def unready(release: Release, observed: Observed) -> tuple[str, ...]:
    """Slots whose pod is not ready, and arms whose pods the gateway does not see yet."""
    if observed.fleet is None or observed.traffic is None:
        return tuple(p.slot.id for p in release.desired.slots)
    ready = {(state.slot, state.before) for state in observed.slots if state.ready}
    slots = [p.slot.id for p in release.desired.slots if (p.slot, p.before) not in ready]
    wanted = {arm: sum(p.slot.arm is arm for p in release.desired.slots) for arm in Arm}
    arms = [arm for arm in (Arm.BASELINE, Arm.CANARY) if observed.traffic.endpoints.get(arm, 0) < wanted[arm]]
    return tuple(slots or (f"endpoints of {arm}" for arm in arms))


def can_carry(observed: Observed, release: Release, weights: Weights) -> bool:
    """Stable can carry its share: no pod above `OVERLOAD` of what it carried before."""
    if observed.fleet is None:
        return False
    ready = observed.ready_stable
    return ready > 0 and weights.share(Arm.STABLE) * release.replicas <= OVERLOAD * ready


def may_rise(
    release: Release, registration: Registration, observed: Observed, weights: Weights, now: float
) -> bool:
    """Pods are ready, the newest window is valid and fresh, and stable can carry the rest."""
    late = unready(release, observed) or not fresh(release, registration.grid, now)
    return not late and can_carry(observed, release, weights)


def in_force(
    release: Release, registration: Registration, observed: Observed, now: float
) -> tuple[Release, bool]:
    """The release with its weights set as soon as they may be; and whether they were seen in force."""
    want = rung(release, registration).weights
    stage = release.stage if release.stage >= 0 else None
    # With few pods two stages may have the same of them: the second one begins all the same.
    begun = bool(release.timeline) and release.timeline[-1].stage == stage
    if release.desired.weights != want or not begun:
        if not may_rise(release, registration, observed, want, now):
            return release, False
        change = Change(now, stage, want, release.phase)
        desired = replace(release.desired, weights=want)
        timeline = (*release.timeline, change)
        return replace(release, desired=desired, timeline=timeline, share_ok=False), False
    if not observed.applied(want):
        return release, False
    if release.stage_since is None:
        release = replace(release, stage_since=release.timeline[-1].time)
    return release, True


def waits_for(release: Release, registration: Registration, observed: Observed) -> tuple[Reason, str] | None:
    """What keeps the weights of a stage from being set, None where nothing of the cluster does."""
    want = rung(release, registration).weights
    if release.phase not in {Phase.SHIFTING, Phase.PRE_PERIOD} or release.desired.weights == want:
        return None
    if late := unready(release, observed):
        return Reason.WAITING_FOR_PODS, f"waiting until these are ready: {', '.join(late)}"
    if not can_carry(observed, release, want):
        share = f"{100 * want.share(Arm.STABLE):g}%"
        because = (
            f"{observed.ready_stable} of {release.replicas} stable pods are ready, too few to carry {share} "
            f"of the traffic; it rises when more are"
        )
        return Reason.WAITING_FOR_CAPACITY, because
    return None
