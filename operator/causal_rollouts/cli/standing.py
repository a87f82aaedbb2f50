"""How a rollout stands: the newest release, or that one is requested and has not begun.

Needs only what an application team may read: its own namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from causal_rollouts.adapters.fleet import Seen, fleet_of
from causal_rollouts.adapters.kube import DEPLOYMENT, REPLICA_SET
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.control.rest import FAILED, Rest
from causal_rollouts.model.people import meant_for
from causal_rollouts.model.traffic import HOME
from causal_rollouts.ports import Record, Rollout

HELD = frozenset({str(Rest.FROZEN), str(Rest.WAITING_FOR_OTHERS)})
"""Reasons of a release that is requested and waits; their message says for what."""


class State(StrEnum):
    """In one word."""

    IDLE = "Idle"
    REQUESTED = "Requested"
    RUNNING = "Running"
    FAILED = "Failed"
    STALLED = "Stalled"


@dataclass(frozen=True, slots=True)
class Standing:
    """record: of the newest release, None before the first. weights in percent. since: begin of the phase."""

    name: str
    namespace: str
    state: State
    phase: str
    message: str
    record: Record | None = None
    step: str = ""
    canary: float = 0.0
    baseline: float = 0.0
    verdict: str = ""
    effect: str = ""
    since: float | None = None

    @property
    def release(self) -> str:
        """Its id, "" before the first."""
        return self.record.name if self.record else ""

    @property
    def stable(self) -> float:
        """Percent that stays on stable."""
        return 100.0 - self.canary - self.baseline

    @property
    def over(self) -> bool:
        """Nothing runs and nothing is about to."""
        return self.state in {State.IDLE, State.FAILED}

    def line(self) -> str:
        """In one line."""
        where = f" {self.step}" if self.step else ""
        weight = f", canary {self.canary:g}%" if self.state is State.RUNNING else ""
        return f"{self.release or self.name}: {self.phase}{where}{weight}: {self.message}"

    def plain(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "name": self.name,
            "namespace": self.namespace,
            "state": str(self.state),
            "release": self.release,
            "phase": self.phase,
            "outcome": str(self.record.release.outcome or "") if self.record else "",
            "step": self.step,
            "weights": {"canary": self.canary, "baseline": self.baseline, "stable": self.stable},
            "verdict": self.verdict,
            "effect": self.effect,
            "message": self.message,
            "since": self.since,
        }


async def standing(cluster: Cluster, name: str) -> Standing:
    """Read it.

    Raises:
        Stopped: there is no such rollout.
    """
    rollout = await cluster.rollout(name)
    records = await cluster.records(name)
    mine = [record for record in records if record.rollout_uid == rollout.uid]
    newest = next((r for r in reversed(mine) if not r.final), mine[-1] if mine else None)
    if newest is not None and not newest.final:
        return _running(rollout, newest)
    return await _resting(cluster, rollout, newest)


def _running(rollout: Rollout, record: Record) -> Standing:
    release, status = record.release, rollout.status
    current = status.get("release") == record.name
    last = record.decisions[-1].decision if record.decisions else None
    said = release.why or (rollout.condition("Ready").get("message") if current else None)
    return Standing(
        name=rollout.key.name,
        namespace=rollout.key.namespace,
        state=State.RUNNING,
        phase=str(release.phase),
        message=str(said or (last.because if last else "the release begins")),
        record=record,
        step=f"{release.stage + 1}/{len(record.registration.stages)}",
        canary=release.desired.weights.canary / 10,
        baseline=release.desired.weights.baseline / 10,
        verdict=str(release.verdict or ""),
        effect=str(status.get("effect") or "") if current else "",
        since=release.since,
    )


async def _resting(cluster: Cluster, rollout: Rollout, newest: Record | None) -> Standing:
    state, message = await _at_rest(cluster, rollout, newest)
    outcome = newest.release.outcome if newest else None
    named = {State.IDLE: str(outcome or "Idle"), State.FAILED: str(outcome)}
    weights = newest.release.desired.weights if newest else HOME
    return Standing(
        name=rollout.key.name,
        namespace=rollout.key.namespace,
        state=state,
        phase=named.get(state, str(state)),
        message=message,
        record=newest,
        canary=weights.canary / 10,
        baseline=weights.baseline / 10,
        verdict=str(newest.release.verdict or "") if newest else "",
        since=newest.release.since if newest else None,
    )


async def _at_rest(cluster: Cluster, rollout: Rollout, newest: Record | None) -> tuple[State, str]:
    ready = rollout.condition("Ready")
    if ready.get("reason") == str(Rest.NOT_READY):
        return State.STALLED, str(ready.get("message") or "the rollout cannot run")
    if await _requested(cluster, rollout, newest):
        held = str(ready.get("message")) if ready.get("reason") in HELD else ""
        return State.REQUESTED, held or "a new template is requested; its release has not begun"
    if newest is None:
        return State.IDLE, "no release yet; waiting for a new template"
    failed = newest.release.outcome in FAILED
    return (State.FAILED if failed else State.IDLE), newest.release.why or str(newest.release.outcome)


async def _requested(cluster: Cluster, rollout: Rollout, newest: Record | None) -> bool:
    """Git's template is not what runs, and it is not the one that failed before."""
    named = rollout.spec.get("targetRef")
    target = str(named.get("name", "")) if isinstance(named, Mapping) else ""
    deployment = await cluster.kube.get(DEPLOYMENT, cluster.namespace, target) if target else None
    if deployment is None:
        return False
    fleet = fleet_of(Seen(deployment, await cluster.kube.list(REPLICA_SET, cluster.namespace), (), ()))
    wanted = fleet.target.template_hash
    if {rs.template_hash for rs in fleet.replica_sets if rs.replicas > 0} == {wanted}:
        return False
    if newest is None or newest.release.candidate_hash != wanted or newest.release.outcome not in FAILED:
        return True
    retry = rollout.requests.retry
    return retry == "true" or meant_for(retry) == newest.name
