"""Read everything one pass needs, fresh, from the API server.

No cache and no watch is ever asked: a decision taken on an old view is the
kind of bug that costs an outage.
"""

from __future__ import annotations

import asyncio

from causal_rollouts.api.resolve import Resolved
from causal_rollouts.control.observed import Observed
from causal_rollouts.control.policy import meant
from causal_rollouts.control.rest import next_release
from causal_rollouts.control.retention import expired
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.traffic import TrafficPlan
from causal_rollouts.model.world import Fleet, Key, Traffic
from causal_rollouts.ports import Ports, Record, Rollout


async def observe(key: Key, ports: Ports, grid: Grid) -> Observed | None:
    """The world of one rollout, or None when the rollout is gone."""
    rollout = await ports.rollouts.rollout(key)
    if rollout is None:
        return None
    ledger = await ports.rollouts.ledger(key)
    mine = tuple(r for r in ledger.newest if r.rollout_uid == rollout.uid)
    running = next((r for r in reversed(mine) if not r.final), None)
    past = tuple(r for r in mine if r.final)
    release = next_release(key.name, ledger.names)
    resolved, problems = await meant(rollout, ports.rollouts, grid, release)
    target, plan = _names(resolved, running or (past[-1] if past and rollout.deleting else None), rollout)
    fleet, traffic, unsupported, rivals = await asyncio.gather(
        _fleet(ports, key, target),
        _traffic(ports, key, plan),
        ports.workloads.unsupported(key.namespace, target) if target else _nothing(),
        ports.rollouts.rollouts_on(key.namespace, target) if target else _nothing(),
    )
    found = list(problems)
    if rivals and rivals[0] != key:
        found.append(
            f'spec.targetRef: rollout "{rivals[0].name}" already gates Deployment "{target}"; '
            "delete one of the two"
        )
    if fleet is None and not unsupported and target:
        found.append(
            f'spec.targetRef.name: there is no Deployment "{target}" in namespace "{key.namespace}"; '
            "create it or correct the name"
        )
    if fleet is not None and fleet.target.paused_in_git:
        found.append(
            f'spec.targetRef.name: Deployment "{target}" has spec.paused set by its own manifest; '
            "remove spec.paused there, the gate sets it"
        )
    found.extend(traffic.problems if traffic else ())
    full = resolved is not None and running is None and len(ledger.names) > resolved.kept_records
    every = await ports.rollouts.records(key) if full else ()
    left = await ports.workloads.slots(key.namespace, target) if fleet is None and running else ()
    return Observed(
        rollout,
        resolved,
        fleet,
        traffic,
        running,
        past,
        tuple(found),
        tuple(unsupported),
        release,
        left,
        expired(every, resolved.kept_records) if resolved else (),
    )


def _names(
    resolved: Resolved | None, registered: Record | None, rollout: Rollout
) -> tuple[str, TrafficPlan | None]:
    """Target and traffic; where a record counts those it registered, even if the spec is broken now."""
    if registered is not None:
        return registered.registration.target, registered.registration.traffic
    if resolved is not None:
        return resolved.target, resolved.traffic
    return str(_section(rollout.spec, "targetRef").get("name", "")), None


def _section(spec: object, name: str) -> dict[str, object]:
    found = spec.get(name) if isinstance(spec, dict) else None
    return found if isinstance(found, dict) else {}


async def _nothing() -> tuple[()]:
    return ()


async def _fleet(ports: Ports, key: Key, target: str) -> Fleet | None:
    return await ports.workloads.fleet(key.namespace, target) if target else None


async def _traffic(ports: Ports, key: Key, plan: TrafficPlan | None) -> Traffic | None:
    return await ports.router.traffic(key.namespace, plan) if plan else None
