"""The fleet became another size in the middle of a stage, mostly by an autoscaler.

Slots were counted for the old size. A larger fleet means more traffic, which the
same few arm pods would have to carry: their weights go down first, slots are
added in pairs, and the stage goes on. A smaller fleet keeps its slots, because a
slot that went would take its evidence with it.
"""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.control.observed import Observed
from causal_rollouts.control.rise import rung, slots_of
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.release import Release
from causal_rollouts.model.traffic import RESCALED, Change, Weights

TOLERATED = 0.2
"""Part by which a fleet may change before the arms do: an autoscaler's small steps are no reason to move.

Where pods make the share, each step moves it by itself, and what is on record follows.
"""

_IN_A_STAGE = frozenset({Phase.SHIFTING, Phase.OBSERVING, Phase.AWAITING_APPROVAL})


def rescaled(release: Release, registration: Registration, observed: Observed, now: float) -> Release:
    """The release for the fleet as it is; the same where its size is about what it was, or is changing."""
    fleet = observed.fleet
    if fleet is None or release.phase not in _IN_A_STAGE or release.replicas <= 0:
        return release
    wanted = fleet.target.replicas
    settled = wanted > 0 and observed.ready_stable == wanted
    tolerated = 0.0 if registration.arms.pod_share else TOLERATED
    if not settled or abs(wanted - release.replicas) <= tolerated * release.replicas:
        return release
    resized = replace(release, replicas=wanted)
    slots = slots_of(resized, registration, observed)
    weights = _eased(release, registration, resized)
    desired = replace(release.desired, slots=slots)
    if weights == release.desired.weights:
        return replace(resized, desired=desired)
    return replace(
        resized,
        phase=Phase.SHIFTING,
        since=now,
        share_ok=False,
        desired=replace(desired, weights=weights),
        timeline=(*release.timeline, Change(now, release.stage, weights, RESCALED)),
    )


def _eased(release: Release, registration: Registration, resized: Release) -> Weights:
    """Weights in force, lowered so that the slots there are carry no more each than all will."""
    held = release.desired.weights
    if registration.arms.pod_share:
        return Weights.of_pods(held.canaries, held.baselines, resized.replicas)
    there = sum(planned.slot.arm is Arm.CANARY for planned in release.desired.slots)
    canaries = rung(resized, registration).canaries
    if held.canary == 0 or there == 0 or canaries <= there:
        return held
    return Weights(held.canary * there // canaries, held.baseline * there // canaries)
