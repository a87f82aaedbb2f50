"""From what was seen of the cluster to the facts that rules read.

A crash loop is the candidate's fault; an image that cannot be pulled, a full
quota or a node that has no room is not: they are told apart here.
"""

from __future__ import annotations

from causal_rollouts.control.contest import AT_STAKE, advice
from causal_rollouts.control.observed import Observed
from causal_rollouts.control.rise import waits_for
from causal_rollouts.decision.situation import TRAFFIC, Facts, Template
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.people import A_USER, read
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.world import Fleet, Waiting
from causal_rollouts.ports import Record

NOT_ITS_FAULT = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
        "Unschedulable",
        "ReplicaFailure",
    }
)
CRASHING_AT_LEAST = 2
"""New pods of the fleet that crash before it is the candidate's fault, while there are not fewer."""

JUDGED = frozenset(
    {
        Phase.PREPARING,
        Phase.PRE_PERIOD,
        Phase.REPLACING,
        Phase.SHIFTING,
        Phase.OBSERVING,
        Phase.AWAITING_APPROVAL,
        Phase.PROBING,
    }
)
"""Phases in which the user's mistakes stop what comes next."""

EXPOSED = AT_STAKE


def gather(
    o: Observed,
    record: Record,
    now: float,
    *,
    provider_error: str = "",
    unreadable: str = "",
    others: str = "",
) -> Facts:
    """All facts of one pass."""
    requests = o.rollout.requests
    fleet = o.fleet
    blocked = _blocked(fleet, record, now) if fleet else ""
    exposed = record.release.phase in EXPOSED
    return Facts(
        deleting=o.rollout.deleting,
        abort=asked_by(requests.abort, record),
        pause=asked_by(requests.pause, record),
        promote=asked_by(requests.promote, record),
        suspended=o.resolved.suspend if o.resolved else False,
        template=_template(fleet, record) if fleet else Template.CANDIDATE,
        bypassed=_bypassed(fleet, record) if fleet else False,
        target_gone=fleet is None,
        problems=o.problems if record.release.phase in JUDGED else (),
        crash_loop=_crash_loop(fleet) or _fleet_crashes(o, record) if fleet and exposed else "",
        never_ready=_never_ready(o, record, now) if fleet and not blocked else "",
        blocked=blocked,
        waits_for=waits_for(record.release, record.registration, o) or TRAFFIC,
        contested=advice(record.release, o),
        unreadable=unreadable,
        provider_error=provider_error,
        others=others,
    )


def asked_by(value: str, record: Record) -> str:
    """Who asked and why, "" if nobody or for another release. `true` stands for whoever wrote it."""
    if value == "true":
        return A_USER
    asked = read(value)
    return asked.who if asked is not None and asked.release == record.name else ""


def _template(fleet: Fleet, record: Record) -> Template:
    found = fleet.target.template_hash
    if found == record.release.candidate_hash:
        return Template.CANDIDATE
    return Template.STABLE if found == record.release.stable_hash else Template.OTHER


def _bypassed(fleet: Fleet, record: Record) -> bool:
    """Somebody un-paused the target while the release did not roll."""
    release = record.release
    if release.is_aa:
        return False
    may_roll = release.desired.roll or release.rolled
    return not (fleet.target.paused or may_roll or release.desired.undo)


def _crashing(fleet: Fleet, arm: Arm) -> dict[str, Waiting]:
    """The slots of an arm, if every one of them has a container that keeps crashing; else none."""
    slots = {state.slot.id for state in fleet.slots if state.slot.arm is arm}
    crashing = {w.slot: w for w in fleet.waiting if w.slot in slots and w.crashes}
    return crashing if crashing.keys() == slots else {}


def _crash_loop(fleet: Fleet) -> str:
    """Every canary crashes, and fresh pods of the stable template do not."""
    crashing = _crashing(fleet, Arm.CANARY)
    if not crashing or _crashing(fleet, Arm.BASELINE):
        return ""
    first = crashing[min(crashing)]
    what = first.message or first.reason
    return f"every canary pod crashes again and again, {first.pod} {first.restarts} times: {what}"


def _fleet_crashes(o: Observed, record: Record) -> str:
    """New pods of the fleet itself crash in a promotion, and no pod of the stable template does."""
    new, old = o.replica_set(record.release.candidate_hash), o.replica_set(record.release.stable_hash)
    if new is None or not record.release.rolled:
        return ""
    shared = (old is not None and old.crashing) or _any_crash(o.fleet, Arm.BASELINE)
    few = len({crash.pod for crash in new.crashing}) < min(CRASHING_AT_LEAST, new.replicas)
    if not new.crashing or shared or few:
        return ""
    first = new.crashing[0]
    return f"new pods of the fleet crash again and again, {first.pod} {first.restarts} times: {first.message}"


def _any_crash(fleet: Fleet | None, arm: Arm) -> bool:
    return fleet is not None and any(w.crashes and w.slot.startswith(f"{arm}-") for w in fleet.waiting)


def _never_ready(o: Observed, record: Record, now: float) -> str:
    """Canary pods had their time and are not ready, while all of baseline is."""
    release, timeout = record.release, record.registration.times.ready_timeout
    if release.phase is not Phase.SHIFTING or release.blocked_since is not None or o.fleet is None:
        return ""
    ready = {state.slot.id for state in o.slots if state.ready}
    waiting = [p.slot for p in release.desired.slots if p.slot.id not in ready]
    if any(slot.arm is not Arm.CANARY for slot in waiting):
        return ""
    # A slot's time begins with its newest pod: an operator that was away made none.
    began = {pod.slot: pod.created for pod in sorted(o.fleet.pods, key=lambda pod: pod.created)}
    late = [
        slot.id
        for slot in waiting
        if slot.id in began and now - max(began[slot.id], release.since) >= timeout
    ]
    limit = f"readyTimeout ({timeout:.0f} s)"
    return f"not ready within {limit} while baseline pods are: {', '.join(sorted(late))}" if late else ""


def _blocked(fleet: Fleet, record: Record, now: float) -> str:
    for waiting in fleet.waiting:
        if waiting.reason in NOT_ITS_FAULT:
            return (
                f"pod {waiting.pod} of slot {waiting.slot} cannot start: {waiting.reason}: {waiting.message}"
            )
    for state in fleet.slots:
        if state.failure:
            return f"slot {state.slot.id} gets no pod: {state.failure}"
    if crashing := _crashing(fleet, Arm.BASELINE):
        first = crashing[min(crashing)]
        return f"fresh pods of the stable template crash too, {first.pod}: {first.message or first.reason}"
    return _stable_not_startable(fleet, record, now)


def _stable_not_startable(fleet: Fleet, record: Record, now: float) -> str:
    release, times = record.release, record.registration.times
    if not release.starting or now - release.since < times.ready_timeout:
        return ""
    ready = {state.slot.id for state in fleet.slots if state.ready}
    stable = [p.slot for p in release.desired.slots if p.before or p.slot.arm is Arm.BASELINE]
    late = [slot.id for slot in stable if slot.id not in ready]
    return (
        f"StableNotStartable: fresh pods of the stable template do not get ready: {', '.join(late)}"
        if late
        else ""
    )
