"""This release among the others: may it begin, may it go on, and who runs beside it."""

from __future__ import annotations

from causal_rollouts.control.observed import Observed
from causal_rollouts.control.rest import Rest, Resting, while_waiting
from causal_rollouts.decision.turn import must_let_pass, shared, waits_for
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.crowd import Beside, Other
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.release import Release
from causal_rollouts.ports import Ports, Record

MOST = 60
"""Neighbours kept in one record."""


async def in_turn(o: Observed, resting: Resting, ports: Ports, now: float) -> Resting:
    """A release that would begin, and the others that it has to wait for."""
    if resting.rest is not Rest.BEGIN or o.resolved is None or not o.resolved.limits.any:
        return resting
    mine = _mine(o, queued_since(o, now))
    because = waits_for(mine, await ports.rollouts.others(o.rollout.key), o.resolved.limits)
    if not because:
        return resting
    words = f"{resting.message}; it waits for its turn: {because}"
    return Resting(Rest.WAITING_FOR_OTHERS, words, (*resting.actions, *while_waiting(o)))


async def in_the_way(o: Observed, release: Release, ports: Ports) -> str:
    """Whom a release that prepares has to let pass, "" once it has its first slot."""
    if release.phase is not Phase.PREPARING or o.resolved is None or not o.resolved.limits.any:
        return ""
    return must_let_pass(_mine(o, None), await ports.rollouts.others(o.rollout.key), o.resolved.limits)


async def beside(
    o: Observed, before: Release, record: Record, ports: Ports, now: float
) -> tuple[Beside, ...]:
    """The record's list of neighbours, longer by those of a stage that begins now."""
    release = record.release
    if release.stage < 0 or release.stage == before.stage:
        return record.beside
    nodes = {planned.node for planned in release.desired.slots} - {""}
    mine = Other(o.rollout.key, routes=_routes(o), nodes=tuple(nodes))
    running = [other for other in await ports.rollouts.others(o.rollout.key) if other.waiting is None]
    found = tuple(
        Beside(now, release.stage, str(other.key), other.release, *shared(mine, other)) for other in running
    )
    return (*record.beside, *found)[-MOST:]


def queued_since(o: Observed, now: float) -> float:
    """Since when it waits; who asks for the first time comes last."""
    return o.queued_since if o.queued_since is not None else now


def _mine(o: Observed, waiting: float | None) -> Other:
    """Before the first slot the nodes of the fleet stand for those that slots will be drawn on."""
    pods = o.fleet.pods if o.fleet else ()
    nodes = tuple(sorted({pod.node for pod in pods if pod.arm is Arm.STABLE and pod.node}))
    return Other(o.rollout.key, waiting=waiting, routes=_routes(o), nodes=nodes)


def _routes(o: Observed) -> tuple[str, ...]:
    plan = o.resolved.traffic if o.resolved else None
    return tuple(f"{kind}/{name}" for kind, name in plan.routes) if plan else ()
