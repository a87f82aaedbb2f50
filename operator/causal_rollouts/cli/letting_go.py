"""Lets go of a target step by step, with the operator's own plan and actions.

The record is written first, as the operator does: one that comes back meanwhile
finds a release that ends, and ends the same one instead of fighting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from causal_rollouts.adapters.router import KubeRouter
from causal_rollouts.adapters.workloads import KubeWorkloads
from causal_rollouts.api.status import StatusView, notified, render
from causal_rollouts.cli.action_words import words
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Stopped
from causal_rollouts.cli.holding import Holding, holding
from causal_rollouts.control import leaving
from causal_rollouts.control.ledger import log_decision
from causal_rollouts.control.look import Looked
from causal_rollouts.control.plan import plan
from causal_rollouts.control.reconcile import perform
from causal_rollouts.model import actions as act
from causal_rollouts.model.actions import Action
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.notices import Notice
from causal_rollouts.model.reasons import Act, Delivery, Outcome, Reason, Verdict
from causal_rollouts.model.release import Release
from causal_rollouts.model.telemetry import Series
from causal_rollouts.model.traffic import HOME
from causal_rollouts.ports import Broken, NotYet, Ports, Record, Refused, Rollout, Scope

EVERY = 1.0
LONGEST = 120.0
"""Seconds until it gives up; what was done stays done, and a second run goes on."""

WHY = "let go by hand: weights home, arms away, the Deployment stays as it runs"


@dataclass(slots=True)
class LettingGo:
    """One run. tell: called with each thing that was done."""

    cluster: Cluster
    name: str
    tell: Callable[[str], None]

    async def run(self) -> Holding:
        """Everything, in the order that is safe; returns what is seen afterwards."""
        end = self.cluster.time.now() + LONGEST
        trouble = ""
        while True:
            held = await holding(self.cluster, self.name)
            if held.settled:
                break
            if self.cluster.time.now() > end:
                raise Stopped(f"{self.name}: not let go of within {LONGEST:g} s: {_missing(held, trouble)}")
            try:
                await self._pass(held)
                trouble = ""
            except NotYet as error:
                trouble = str(error)
            await self.cluster.time.sleep(EVERY)
        await self._services(held)
        await self._unpause(held)
        await self._finalizer(held)
        return await holding(self.cluster, self.name)

    async def _pass(self, held: Holding) -> None:
        """Write what is meant, then do it."""
        if held.record is None:
            await self._perform(held, held.strays())
            return
        now = self.cluster.time.now()
        record = held.record
        release, decision = self._next(record, held, now)
        after = log_decision(replace(record, release=release), decision, Looked(), now)
        if after != record:
            after = await self.cluster.store.write_ahead(replace(after, seq=after.seq + 1))
            if record.release.outcome is None:
                self.tell(f"record {record.name}: says that the release ends")
        await self._perform(held, meant(after, held))

    def _next(self, record: Record, held: Holding, now: float) -> tuple[Release, Decision]:
        release = record.release
        verdict = release.verdict or Verdict.NO_DATA
        if release.outcome is None:
            return end_of(record, now)
        decision = Decision(verdict, Act.HOLD, Reason.CLEANING_UP, release.why)
        after = leaving.clean_up(release, held.seen, now)
        if after.home_since is not None and release.home_since is None:
            self.tell("weights are home, and the gateway has taken them")
        return after, decision

    async def _services(self, held: Holding) -> None:
        if not held.services or held.seen.traffic is None:
            return
        service = held.seen.traffic.service
        try:
            await self._perform(held, (act.DeleteArmServices(service),))
        except NotYet as error:
            self.tell(f"kept Services {', '.join(held.services)}: {error}")

    async def _unpause(self, held: Holding) -> None:
        target = held.target
        if target is None or not target.paused or target.paused_in_git or not held.resting:
            return
        action = act.UnpauseTarget(target.name, target.version)
        try:
            await perform(held.seen.rollout, (action,), self._ports())
        except (NotYet, Refused) as error:
            self.tell(f'Deployment "{target.name}" stays paused: {error}')
            return
        after = (await holding(self.cluster, self.name)).target
        # The gate answers an un-pause by somebody without the verb by pausing again, without a word.
        refused = after is not None and after.paused
        self.tell(
            f'Deployment "{target.name}" stays paused: the gate keeps it so' if refused else words(action)
        )

    async def _finalizer(self, held: Holding) -> None:
        if held.there and held.seen.rollout.held:
            await self._perform(held, (act.RemoveFinalizer(),))
        # With its finalizer off, a rollout that was being deleted is gone.
        rollout = await self.cluster.store.rollout(self.cluster.key(self.name))
        if rollout is not None:
            await self._publish(rollout, held)

    async def _publish(self, rollout: Rollout, held: Holding) -> None:
        """The status would go on telling of a release that nobody runs."""
        last = held.seen.past[-1] if held.seen.past else None
        view = StatusView(
            phase="Idle",
            reason="Released",
            message="let go by hand (release); an operator that runs takes hold of it again",
            running=False,
            failed=False,
            release=last.name if last else "",
            record=last.name if last else "",
            seq=last.seq if last else 0,
            notified=notified(rollout.status),
        )
        try:
            status = render(rollout.status, rollout.generation, self.cluster.time.now(), view)
            await self.cluster.store.publish(rollout, status)
        except (NotYet, Refused) as error:
            self.tell(f"the status of the CausalRollout was not brought up to date: {error}")

    async def _perform(self, held: Holding, actions: tuple[Action, ...]) -> None:
        for action in actions:
            await perform(held.seen.rollout, (action,), self._ports())
            self.tell(words(action))

    def _ports(self) -> Ports:
        kube = self.cluster.kube
        return Ports(
            rollouts=self.cluster.store,
            workloads=KubeWorkloads(kube),
            router=KubeRouter(kube),
            metrics=_Nothing(),
            recorder=_Nothing(),
            notifier=_Nothing(),
            clock=self.cluster.time,
        )


def end_of(record: Record, now: float) -> tuple[Release, Decision]:
    """How the release is told to end: weights home, and the fleet left as it is."""
    verdict = record.release.verdict or Verdict.NO_DATA
    decision = Decision(verdict, Act.END, Reason.DELETED, WHY, Outcome.DELETED)
    return leaving.leave(record.release, decision, now), decision


def meant(record: Record, held: Holding) -> tuple[Action, ...]:
    """The operator's plan, but a fleet that is whole and as Git asks is not paused: it stays as it runs."""
    found = plan(record, held.seen)
    return tuple(a for a in found if not (isinstance(a, act.PauseTarget) and held.resting))


class _Nothing:
    """Metrics that are never asked, events and notices that are not told: nothing is judged here."""

    async def fetch(self, metric: Metric, scope: Scope, start: float, end: float) -> tuple[Series, ...]:
        raise Broken(f"{metric.name} of {scope.namespace} is not asked for between {start} and {end}")

    async def tell(self, rollout: Rollout, act: Act, reason: str, message: str) -> None:
        del rollout, act, reason, message

    async def post(self, owed: Sequence[Notice], now: float) -> Mapping[Notice, Delivery]:
        del owed, now
        return {}


def _missing(held: Holding, trouble: str) -> str:
    routes = held.seen.traffic.routes if held.seen.traffic else ()
    away = [f'{r.kind} "{r.name}"' for r in routes if r.weights != HOME]
    waiting = [f'{r.kind} "{r.name}"' for r in routes if not (r.accepted or r.slot)]
    serving = [f'"{r.name}"' for r in routes if r.slot and not r.accepted]
    slots = [state.name for state in held.seen.fleet.slots] if held.seen.fleet else []
    for what, names in (
        ("weights are not home on", away),
        ("no gateway has taken", waiting),
        ("the Service still sends to pods", serving),
        ("still there:", slots),
    ):
        if names:
            return f"{what} {', '.join(names)}{f' ({trouble})' if trouble else ''}; mend it and run it again"
    return f"{trouble or 'the stable pods are not whole yet'}; run it again"
