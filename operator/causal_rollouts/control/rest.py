"""What to do while no release runs: wait, let through, or begin one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from causal_rollouts.api.units import seconds
from causal_rollouts.control.observed import Observed
from causal_rollouts.control.requests import pointless
from causal_rollouts.decision.freeze import frozen_until, instant
from causal_rollouts.model import actions as act
from causal_rollouts.model.actions import Action
from causal_rollouts.model.people import Heard, meant_for, read
from causal_rollouts.model.reasons import Outcome, Phase
from causal_rollouts.model.release import Release, Templates
from causal_rollouts.model.scatter import together
from causal_rollouts.model.traffic import HOME
from causal_rollouts.ports import Record

FAILED = frozenset({Outcome.REVERTED, Outcome.ABORTED, Outcome.BLOCKED})

LONGEST_AA = 6 * 3600.0
"""Seconds of an A/A test at most: what it shows in hours is what it will show."""


class Rest(StrEnum):
    """Why nothing runs, or what begins."""

    IDLE = "Idle"
    NOT_READY = "NotReady"
    FIRST_INSTALL = "FirstInstall"
    ROLLING = "Rolling"
    GOING_BACK = "GoingBack"
    FAILED_BEFORE = "FailedBefore"
    SUSPENDED = "Suspended"
    FROZEN = "Frozen"
    WAITING_FOR_OTHERS = "WaitingForOthers"
    TIDYING = "Tidying"
    ADOPTING = "Adopting"
    BEGIN = "Begin"
    GONE = "Gone"


@dataclass(frozen=True, slots=True)
class Resting:
    """The state at rest, in words, and the actions it asks for."""

    rest: Rest
    message: str
    actions: tuple[Action, ...] = field(default=())


def rest(o: Observed, now: float) -> Resting:
    """First match wins, as in the rules of a running release."""
    if o.rollout.deleting:
        return Resting(Rest.GONE, "deleted", tuple(_let_go(o)))
    if adopting := _adopting(o):
        return adopting
    if o.problems or o.unsupported or o.fleet is None or o.resolved is None:
        over = pointless(o, waiting=True)
        return Resting(Rest.NOT_READY, "; ".join((*o.problems, *o.unsupported)), over)
    found = _held_back(o, _template(o, now), now)
    gate = () if o.fleet.target.gate else (act.GateTarget(o.fleet.target.name),)
    if found.rest is Rest.BEGIN:
        if left := _tidy(o):
            return Resting(Rest.TIDYING, "what an earlier release left is put away first", left)
        return Resting(found.rest, found.message, (*gate, *_services(o)))
    due = found.rest is Rest.FROZEN
    last = while_waiting(o, waits=due or found.rest is Rest.SUSPENDED, due=due)
    return Resting(
        found.rest, found.message, (*gate, *_services(o), *_tidy(o), *found.actions, *o.expired, *last)
    )


def while_waiting(o: Observed, *, waits: bool = True, due: bool = True) -> tuple[Action, ...]:
    """What goes while no release runs: the finalizer, which tells others of one, and requests for none."""
    held = (act.RemoveFinalizer(),) if o.rollout.held else ()
    return (*held, *pointless(o, waiting=waits, due=due))


def _held_back(o: Observed, found: Resting, now: float) -> Resting:
    """A release that would begin, and the calendar that has something against it."""
    if found.rest is not Rest.BEGIN or o.resolved is None:
        return found
    end = frozen_until(now, o.resolved.registration.freeze)
    if end is None:
        return found
    return Resting(Rest.FROZEN, f"{found.message}; frozen until {instant(end)}, it begins then")


def _adopting(o: Observed) -> Resting | None:
    """The arm label belongs into Git before the gate; where the gate came first, that label alone may pass.

    Asked before all else: without the label the traffic has problems, and held they could never be mended.
    """
    if o.fleet is None or o.stable_set is None:
        return None
    target, runs = o.fleet.target, o.stable_set.template_hash
    if target.template_hash == runs or target.bare_hash != runs or not target.paused or target.paused_in_git:
        return None
    because = "the template only adds the label of the stable arm: it is let through without a release"
    return Resting(Rest.ADOPTING, because, (act.UnpauseTarget(target.name, target.version),))


def _tidy(o: Observed) -> tuple[Action, ...]:
    """At rest all traffic is on stable and no slot stands, whoever moved or left something."""
    if o.traffic is None:
        return ()
    away = [route for route in o.traffic.routes if route.weights != HOME]
    if away:
        service = o.traffic.service
        return tuple(act.SetWeights(service, r.kind, r.name, HOME, r.version) for r in away)
    return tuple(act.DeleteSlot(s.slot, s.name, s.uid) for s in o.slots) if o.slots_may_go else ()


def next_release(name: str, past: tuple[str, ...]) -> str:
    """`checkout-7` after `checkout-6`: short, in order, and the same for two copies of the operator."""
    numbers = [int(number) for number in (one.rpartition("-")[2] for one in past) if number.isdigit()]
    return f"{name}-{max(numbers, default=0) + 1}"


def seed_of(uid: str, release: str) -> int:
    """Assignment seed: nobody chooses it, and it can be computed again from what is on record."""
    return int.from_bytes(hashlib.sha256(f"{uid}/{release}".encode()).digest()[:4], "big")


def begin(o: Observed, name: str, now: float, ledger: Sequence[Record], prices: str = "") -> Record:
    """The record of a release that starts now. Call only where `rest` said BEGIN.

    ledger: all records of the rollout's name, whose ended ones taught something of fresh pods.
    prices: of the operator's settings, kept beside what else was in force.
    """
    if o.fleet is None or o.resolved is None or o.stable_set is None:
        raise ValueError("a release begins only on a resolved target with one running ReplicaSet")
    target, stable = o.fleet.target, o.stable_set
    registration = o.resolved.registration
    if target.template_hash == stable.template_hash:
        registration = replace(registration, arms=replace(registration.arms, pre_period=aa_seconds(o)))
    taught = [r.release.scatter for r in ledger if r.final and r.rollout_uid == o.rollout.uid]
    registration = replace(registration, scatter=together(taught))
    return Record(
        name=name,
        uid="",
        version="",
        key=o.rollout.key,
        rollout_uid=o.rollout.uid,
        registration=registration,
        templates=Templates(candidate=target.template, stable=stable.template),
        release=Release(
            id=name,
            candidate_hash=target.template_hash,
            stable_hash=stable.template_hash,
            stable_set=stable.name,
            phase=Phase.PREPARING,
            since=now,
            replicas=target.replicas,
            pods=o.fleet.pods,
        ),
        state=None,
        seq=0,
        previous=o.past[-1].name if o.past else "",
        effective={
            **o.resolved.effective,
            **({"prices": {"value": prices, "from": "operator"}} if prices else {}),
        },
        requests=_asked_for(o, now, aa=target.template_hash == stable.template_hash),
    )


def _asked_for(o: Observed, now: float, *, aa: bool) -> tuple[Heard, ...]:
    """Who asked for this release: an A/A test, or to try a template again, bound to the one that failed."""
    if aa:
        test = read(o.rollout.requests.aa)
        return (Heard(now, "aa", test.user if test else "", -1, "", o.rollout.requests.aa),)
    value = o.rollout.requests.retry
    asked = read(value) if value else None
    if asked is None or not o.past or asked.release != o.past[-1].name:
        return ()
    return (Heard(now, "retry", asked.user, -1, asked.reason, value),)


def aa_seconds(o: Observed) -> float:
    """How long the A/A test that somebody asks for shall last, 0 where nobody does or it makes no sense."""
    try:
        return min(seconds(o.rollout.requests.aa.rpartition(":")[2]), LONGEST_AA)
    except ValueError:
        return 0.0


def _let_go(o: Observed) -> list[Action]:
    listed = o.traffic is not None and any(route.arms_listed for route in o.traffic.routes)
    out: list[Action] = []
    if o.traffic is not None and o.traffic.service and o.traffic.arm_services and not listed:
        out.append(act.DeleteArmServices(o.traffic.service))
    if o.rollout.held:
        out.append(act.RemoveFinalizer())
    return out


def _services(o: Observed) -> tuple[Action, ...]:
    if o.traffic is None or o.traffic.arm_services:
        return ()
    return (act.EnsureArmServices(o.traffic.service),)


def _template(o: Observed, now: float) -> Resting:
    """The target's template against what runs."""
    if o.fleet is None or o.resolved is None:
        return Resting(Rest.NOT_READY, "")
    target, running = o.fleet.target, o.stable_set
    through = act.UnpauseTarget(target.name, target.version)
    if running is None:
        return _without_stable(o, through)
    if target.template_hash == running.template_hash:
        if aa_seconds(o) and not o.resolved.suspend:
            return Resting(Rest.BEGIN, "an A/A test was requested")
        unpause = target.paused and o.resolved.gate == "Admission"
        pause = not target.paused and o.resolved.gate == "AlwaysPaused"
        actions: tuple[Action, ...] = (through,) if unpause else ()
        return Resting(Rest.IDLE, _last(o), (act.PauseTarget(target.name),) if pause else actions)
    if _known_good(o, target.template_hash, now):
        back = (through,) if target.paused else ()
        return Resting(Rest.GOING_BACK, "the template promoted before is let through at once", back)
    if not target.paused:
        return Resting(Rest.ROLLING, "a template rolls out without the gate (resumed by hand)")
    failed = _failed_before(o, target.template_hash)
    if failed is not None:
        return Resting(Rest.FAILED_BEFORE, f"{failed.name}: {failed.release.why}")
    if o.resolved.suspend:
        return Resting(Rest.SUSPENDED, "a release is requested; spec.suspend is true")
    return Resting(Rest.BEGIN, "a new template was requested")


def _without_stable(o: Observed, through: Action) -> Resting:
    if o.fleet is None:
        return Resting(Rest.NOT_READY, "")
    running = sum(rs.replicas > 0 for rs in o.fleet.replica_sets)
    if running and o.fleet.target.paused:
        name = o.fleet.target.name
        because = (
            f'spec.targetRef.name: Deployment "{name}" is paused half way between {running} versions, and '
            "no release runs; apply the template that you want and finish it by hand (kubectl rollout resume "
            f"deployment/{name}, needs the verb bypass)"
        )
        return Resting(Rest.NOT_READY, because)
    if running:
        return Resting(Rest.ROLLING, "the Deployment is rolling; waiting for one ReplicaSet")
    actions = (through,) if o.fleet.target.paused else ()
    return Resting(Rest.FIRST_INSTALL, "no pods run yet: the first version passes without a release", actions)


def _known_good(o: Observed, template_hash: str, now: float) -> bool:
    """The template that the last promotion replaced, for as long as the rollback window lasts."""
    promoted = [r for r in o.past if r.release.outcome is Outcome.PROMOTED]
    if not promoted or o.resolved is None:
        return False
    window = o.resolved.registration.times.rollback_window
    last = promoted[-1].release
    return last.stable_hash == template_hash and now - last.since <= window


def _failed_before(o: Observed, template_hash: str) -> Record | None:
    """The last release tried this very template and failed, and nobody asked to try again."""
    last = o.past[-1] if o.past else None
    if last is None or last.release.candidate_hash != template_hash or last.release.outcome not in FAILED:
        return None
    retry = o.rollout.requests.retry
    return None if retry == "true" or meant_for(retry) == last.name else last


def _last(o: Observed) -> str:
    if not o.past:
        return "waiting for a new template"
    last = o.past[-1]
    return f"{last.name}: {last.release.outcome}: {last.release.why}" if last.release.outcome else last.name
