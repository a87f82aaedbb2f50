"""One pass: observe, assess, decide, plan, record intent, act.

The record is written before any effect and under its resourceVersion, so a
crash repeats nothing and a second copy of the operator acts on nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from causal_rollouts.control import approvals, crowd, lifecycle, posting, view
from causal_rollouts.control.contest import defend, last_move
from causal_rollouts.control.facts import asked_by, gather
from causal_rollouts.control.footprints import untold
from causal_rollouts.control.ledger import log_decision, log_moment
from causal_rollouts.control.look import Looked, due, look
from causal_rollouts.control.observe import observe
from causal_rollouts.control.observed import Observed
from causal_rollouts.control.plan import plan
from causal_rollouts.control.requests import carried_out
from causal_rollouts.control.rest import Rest, Resting, begin, rest
from causal_rollouts.control.roster import merge
from causal_rollouts.decision.decide import decide
from causal_rollouts.decision.situation import situate
from causal_rollouts.model import actions as act
from causal_rollouts.model.actions import Action
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.glances import exact
from causal_rollouts.model.reasons import Act, Phase, Reason, Validity
from causal_rollouts.model.release import Release
from causal_rollouts.model.world import Key
from causal_rollouts.ports import NotYet, Ports, Record, Refused, Rollout

STEP = 1.0
"""Seconds between passes while pods or routes are moving."""

IDLE = 60.0
"""Seconds between passes at rest: what a watch missed, and weights that somebody moved, wait no longer."""

SLOW = frozenset({Phase.OBSERVING, Phase.AWAITING_APPROVAL, Phase.PROBING, Phase.PAUSED, Phase.PREPARING})
"""Phases in which only a new look, a leg of a probe or a person changes something."""

QUEUED = 10.0
"""Seconds between passes that wait for others or for a notice: no watch tells that these have ended."""

TRAFFIC = (act.EnsureArmServices, act.DeleteArmServices, act.SetWeights)
LAST = (act.RemoveFinalizer, act.ClearRequest)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator's owner sets, not the user of a rollout. prices: of what footprints measure."""

    grid: Grid
    prices: str = ""


async def reconcile(key: Key, ports: Ports, settings: Settings) -> float | None:
    """One pass over one rollout. Returns seconds until the next, None when the rollout is gone."""
    observed = await observe(key, ports, settings.grid)
    if observed is None:
        return None
    if observed.record is None:
        return await _at_rest(observed, ports, settings)
    return await _running(observed, observed.record, ports)


async def _at_rest(observed: Observed, ports: Ports, settings: Settings) -> float:
    now = ports.clock.now()
    resting = await crowd.in_turn(observed, rest(observed, now), ports, now)
    if resting.rest is Rest.BEGIN:
        name = observed.next_release
        ledger = await ports.rollouts.records(observed.rollout.key)
        record = await ports.rollouts.open(begin(observed, name, now, ledger, settings.prices))
        await ports.recorder.tell(
            observed.rollout, Act.ADVANCE, "ReleaseRequested", f"{name}: {resting.message}"
        )
        await perform(observed.rollout, (act.AddFinalizer(), *carried_out(observed, record)), ports)
        return 0.0
    failed = await _attempt(observed.rollout, resting.actions, ports)
    told = await posting.post(observed, observed.past, ports, now)
    if not observed.rollout.deleting:
        status = view.at_rest(observed, _refused(resting, failed), now, told)
        await ports.rollouts.publish(observed.rollout, status)
    await _conclude(observed.rollout, resting.actions, failed, ports)
    if resting.rest is Rest.WAITING_FOR_OTHERS:
        return QUEUED
    if resting.actions or resting.rest is Rest.ROLLING:
        return STEP
    return QUEUED if told.waiting else IDLE


async def _running(observed: Observed, record: Record, ports: Ports) -> float:
    now = exact(ports.clock.now())
    seen = observed.fleet.pods if observed.fleet else ()
    step = lifecycle.Step(record.registration, observed, now)
    release = replace(record.release, pods=merge(record.release.pods, seen, now))
    release = defend(_as_asked(release, record, step), observed, record.registration.grid, now)
    record = replace(record, release=release)
    release = approvals.heard(record, observed.rollout.requests.approve, now)
    record = replace(record, release=release)
    looked = await look(record, ports.metrics, now) if _watching(release) and due(record, now) else Looked()
    release = _note(record, looked, now)
    facts = gather(
        observed,
        replace(record, release=release),
        now,
        provider_error=looked.provider_error,
        unreadable=looked.unreadable,
        others=await crowd.in_the_way(observed, release, ports),
    )
    situation = situate(record.registration, release, looked.evidence, facts, now)
    decision = decide(situation)
    release = lifecycle.note_blocked(release, facts.blocked, now)
    release = approvals.awaiting(release, decision, now)
    release = _verdict(lifecycle.progress(release, decision, step), looked, decision)
    beside = await crowd.beside(observed, record.release, replace(record, release=release), ports, now)
    after = log_decision(replace(record, release=release, beside=beside), decision, looked, now)
    after = log_moment(after, record, looked, situation)
    answered = carried_out(observed, after)
    actions = (*plan(after, observed), *answered)
    if observed.record is not None:
        after = approvals.noted(after, answered, observed.record.release, now)
    if actions or after != observed.record:
        # Also to try again: a copy that acts on an old view must lose here first.
        after = await ports.rollouts.write_ahead(replace(after, seq=after.seq + 1))
    failed = await _attempt(observed.rollout, actions, ports)
    await _tell(observed, after, decision, ports)
    for _, reason, words in untold(record.release, looked.evidence):
        await ports.recorder.tell(observed.rollout, Act.HOLD, str(reason), f"{after.name}: {words}")
    told = await posting.post(observed, (*observed.past, after), ports, now)
    if after.release.phase is not Phase.DONE and act.AddFinalizer() not in actions:
        refused = str(failed) if isinstance(failed, Refused) else ""
        status = view.running(observed, after, decision, looked, now, refused=refused, told=told)
        await ports.rollouts.publish(observed.rollout, status)
    await _conclude(observed.rollout, actions, failed, ports)
    return _again(after.release, after, now)


async def perform(rollout: Rollout, actions: tuple[Action, ...], ports: Ports) -> None:
    """Each action by the port it belongs to, in order."""
    for action in actions:
        if isinstance(action, TRAFFIC):
            await ports.router.perform(rollout.key.namespace, action)
        elif isinstance(action, (*LAST, act.AddFinalizer, act.DeleteRecord)):
            await ports.rollouts.perform(rollout, action)
        else:
            await ports.workloads.perform(rollout.key.namespace, action)


async def _attempt(rollout: Rollout, actions: tuple[Action, ...], ports: Ports) -> NotYet | Refused | None:
    """Every effect, also after one that failed: a slot that is refused keeps no weight from going home.

    Only the finalizer must stand before anything else is done.
    """
    failed: NotYet | Refused | None = None
    for action in actions:
        if isinstance(action, LAST):
            continue
        try:
            await perform(rollout, (action,), ports)
        except (NotYet, Refused) as error:
            if isinstance(action, act.AddFinalizer):
                raise
            failed = error if failed is None or isinstance(error, Refused) else failed
    return failed


async def _conclude(
    rollout: Rollout, actions: tuple[Action, ...], failed: Exception | None, ports: Ports
) -> None:
    """What changes the rollout itself comes last, and only when all else is done."""
    if failed is not None:
        raise failed
    await perform(rollout, tuple(a for a in actions if isinstance(a, LAST)), ports)


def _refused(resting: Resting, failed: Exception | None) -> Resting:
    if not isinstance(failed, Refused):
        return resting
    return Resting(Rest.NOT_READY, f"the API server refuses what the gate needs: {failed}")


def _watching(release: Release) -> bool:
    return release.phase not in {Phase.REVERTING, Phase.FINISHING, Phase.DONE}


def _as_asked(release: Release, record: Record, step: lifecycle.Step) -> Release:
    requests = step.observed.rollout.requests
    if asked_by(requests.extend, record):
        release = lifecycle.extend(release, step)
    return lifecycle.resume(release, step) if asked_by(requests.resume, record) else release


def _note(record: Record, looked: Looked, now: float) -> Release:
    """What the look leaves behind. A window lets traffic rise when it ends after the last move of weights."""
    release = record.release
    if looked.provider_error:
        return replace(release, usable=False)
    if looked.bin is None or looked.evidence is None:
        return release
    after = record.registration.grid.end(looked.bin) > last_move(release.timeline)
    valid = looked.evidence.validity is Validity.OK and after
    share = looked.evidence.share.ok is True
    return replace(release, look=looked.bin, looked=now, usable=valid, share_ok=share)


def _verdict(release: Release, looked: Looked, decision: Decision) -> Release:
    """The verdict of a look stands until the next."""
    seen = looked.evidence is not None or looked.provider_error
    return replace(release, verdict=decision.verdict) if seen else release


async def _tell(observed: Observed, after: Record, decision: Decision, ports: Ports) -> None:
    """An event when the phase or the reason changed, never twice for the same.

    Against what was read: a resume and weights that somebody moved change the phase before the decision.
    """
    before, now = observed.record, after.release
    if before is not None and before.release.phase is now.phase:
        # What began a pause was told, with a reason of its own.
        paused = decision.act is Act.HOLD and decision.reason is Reason.PAUSED_BY_USER
        if paused or before.release.told == now.told:
            return
    reason, because = str(decision.reason), f": {decision.because}"
    if now.phase is Phase.DONE and now.outcome is not None:
        reason = str(now.outcome)
    elif decision.reason is Reason.BETWEEN_LOOKS:
        # Nothing was decided: the phase itself is the news.
        reason, because = str(now.phase), ""
    await ports.recorder.tell(observed.rollout, decision.act, reason, f"{after.name}: {now.phase}{because}")


def _again(release: Release, record: Record, now: float) -> float:
    if release.phase is Phase.DONE:
        return 0.0
    grid = record.registration.grid
    if release.phase in SLOW:
        due = grid.final_at(grid.last_look(now) + 2)
        if release.phase is Phase.PROBING:
            due = min(due, grid.end(grid.index(now)))
        return min(max(due - now + 0.05, STEP / 4), 5.0)
    return STEP


__all__ = ["NotYet", "Settings", "perform", "reconcile"]
