"""What is different from what should be: the actions, in the order they are safe in.

Empty when the world is as it should be, which is how a converged object causes
no write.
"""

from __future__ import annotations

from collections.abc import Iterator

from causal_rollouts.control.leaving import on_the_way_home
from causal_rollouts.control.observed import Observed
from causal_rollouts.control.rise import OVERLOAD
from causal_rollouts.model import actions as act
from causal_rollouts.model.actions import Action
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.reasons import Outcome, Phase
from causal_rollouts.model.release import Release
from causal_rollouts.ports import Record

GOING = frozenset({Phase.REVERTING, Phase.FINISHING, Phase.DONE})


def plan(record: Record, o: Observed) -> tuple[Action, ...]:
    """All actions of one pass for a running or ending release."""
    return (
        *_hold_on(record.release, o),
        *_stop_the_roll(record.release, o),
        *_services(record.release, o),
        *_weights(record.release, o),
        *_slots(record, o),
        *_roll(record.release, o),
        *_undo(record, o),
    )


def _hold_on(release: Release, o: Observed) -> Iterator[Action]:
    if release.phase is not Phase.DONE and not o.rollout.held and not o.rollout.deleting:
        yield act.AddFinalizer()


def _stop_the_roll(release: Release, o: Observed) -> Iterator[Action]:
    """Pausing stops pods of the candidate from coming, whatever happens to the route."""
    if o.fleet is None or o.fleet.target.paused or release.desired.roll:
        return
    if release.phase is Phase.DONE or release.outcome is Outcome.BYPASSED or release.is_aa:
        return
    if release.outcome is Outcome.DELETED and _complete(o):
        # A fleet of one version stays as it runs; one that is half way goes no further.
        return
    yield act.PauseTarget(o.fleet.target.name)


def _complete(o: Observed) -> bool:
    runs = o.stable_set
    return o.fleet is not None and runs is not None and runs.template_hash == o.fleet.target.template_hash


def _services(release: Release, o: Observed) -> Iterator[Action]:
    if release.phase in GOING:
        # Weights go home without them, also when the Service itself is gone.
        return
    if release.desired.services and o.traffic is not None and not o.traffic.arm_services:
        yield act.EnsureArmServices(o.traffic.service)


def _weights(release: Release, o: Observed) -> Iterator[Action]:
    if o.traffic is None:
        return
    weights = on_the_way_home(release, o, OVERLOAD)
    for route in o.traffic.routes:
        want = route.wanted(weights)
        if route.weights != want:
            yield act.SetWeights(o.traffic.service, route.kind, route.name, want, route.version)


def _slots(record: Record, o: Observed) -> Iterator[Action]:
    release, templates = record.release, record.templates
    taken = {state.slot for state in o.slots}
    for planned in release.desired.slots:
        # A place is free once its slot of the pre-period is gone.
        if planned.slot not in taken and release.phase not in GOING:
            new = planned.slot.arm is Arm.CANARY and not planned.before
            yield act.CreateSlot(
                slot=planned.slot,
                template=templates.candidate if new else templates.stable,
                template_hash=release.candidate_hash if new else release.stable_hash,
                node=planned.node,
                target=record.registration.target,
                record=record.name,
                record_uid=record.uid,
                before=planned.before,
                gated=record.registration.traffic.pod_share,
            )
    if o.slots_may_go:
        wanted = {(planned.slot, planned.before) for planned in release.desired.slots}
        for state in o.slots:
            if (state.slot, state.before) not in wanted:
                yield act.DeleteSlot(state.slot, state.name, state.uid)


def _roll(release: Release, o: Observed) -> Iterator[Action]:
    """Un-pause exactly the version that carries the candidate."""
    if o.fleet is None or not release.desired.roll or not o.fleet.target.paused:
        return
    if release.phase in {Phase.PROMOTING, Phase.BAKING} and (
        o.fleet.target.template_hash == release.candidate_hash
    ):
        yield act.UnpauseTarget(o.fleet.target.name, o.fleet.target.version)


def _undo(record: Record, o: Observed) -> Iterator[Action]:
    """Give the fleet back without a dip: the new ReplicaSet goes, its pods stay until stable is whole."""
    release = record.release
    if not release.desired.undo or o.fleet is None or not o.fleet.target.paused:
        return
    target = o.fleet.target
    stable = o.replica_set(release.stable_hash)
    others = [rs for rs in o.fleet.replica_sets if rs.template_hash != release.stable_hash]
    rolling = any(rs.replicas for rs in others)
    # The empty ones first: with the candidate's gone, the youngest set that is left would be filled.
    for rs in sorted(others, key=lambda rs: (rs.replicas > 0, rs.name)):
        if rolling or rs.template_hash == release.candidate_hash:
            yield act.DeleteReplicaSet(rs.name, rs.uid, orphan=rs.replicas > 0)
    if stable is None:
        yield act.RestoreStableSet(
            release.stable_set, record.templates.stable, target.replicas, target.name, target.uid
        )
    elif stable.ready >= target.replicas:
        for pod in o.fleet.orphans:
            yield act.DeletePod(pod)
