"""What the operator holds of a target, as the API server shows it when the operator is gone.

Read from the running record first: it says which route and which pods belong to
the release, also when the CausalRollout is edited or deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from causal_rollouts.adapters.arm_services import ARMS, is_ours
from causal_rollouts.adapters.backends import arm_service
from causal_rollouts.adapters.kube import SERVICE
from causal_rollouts.adapters.reading import routes_named, section
from causal_rollouts.adapters.router import KubeRouter
from causal_rollouts.adapters.workloads import KubeWorkloads
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.control.observed import Observed
from causal_rollouts.control.plan import plan
from causal_rollouts.model import actions as act
from causal_rollouts.model.actions import Action
from causal_rollouts.model.traffic import NOWHERE, TrafficPlan
from causal_rollouts.model.world import RouteState, Target
from causal_rollouts.ports import Record, Requests, Rollout


@dataclass(frozen=True, slots=True)
class Holding:
    """seen: the world of the rollout. there: the CausalRollout exists. services: of the arms, that stand."""

    seen: Observed
    there: bool
    services: tuple[str, ...]

    @property
    def record(self) -> Record | None:
        """The release that runs, or is on its way out."""
        return self.seen.record

    @property
    def target(self) -> Target | None:
        """The Deployment."""
        return self.seen.fleet.target if self.seen.fleet else None

    @property
    def listed(self) -> tuple[str, ...]:
        """Routes in which Git names the Services of the arms; what the operator put there goes with it."""
        routes = self.seen.traffic.routes if self.seen.traffic else ()
        return tuple(f'{route.kind} "{route.name}"' for route in routes if _by_git(route))

    @property
    def resting(self) -> bool:
        """What runs is what Git asks for."""
        running = self.seen.stable_set
        return (
            self.target is not None
            and running is not None
            and running.template_hash == self.target.template_hash
        )

    @property
    def settled(self) -> bool:
        """No release, no weight away from home, no slot."""
        slots = self.seen.fleet.slots if self.seen.fleet else ()
        return self.record is None and not slots and not self.strays()

    def strays(self) -> tuple[Action, ...]:
        """Weights and slots that are left although no release runs."""
        last = self.seen.past[-1] if self.seen.past and self.record is None else None
        found = plan(last, self.seen) if last else ()
        return tuple(a for a in found if isinstance(a, act.SetWeights | act.DeleteSlot))


def _by_git(route: RouteState) -> bool:
    return route.arms_listed and route.form == "Weights"


async def holding(cluster: Cluster, name: str) -> Holding:
    """Read it.

    Raises:
        Stopped: neither a CausalRollout nor a record has this name.
    """
    key = cluster.key(name)
    rollout = await cluster.store.rollout(key)
    records = await cluster.records(name)
    running = next((record for record in reversed(records) if not record.final), None)
    if rollout is None and not records:
        raise Stopped(
            f'"{name}": neither a CausalRollout nor a record of one in namespace "{cluster.namespace}"; '
            "name the CausalRollout, and its namespace with -n",
            Exit.USAGE,
        )
    named, traffic = _names(rollout, running or (records[-1] if records else None))
    # As if it were deleted: nothing is taken hold of again.
    stand_in = replace(rollout or _gone(records[-1]), deleting=True)
    fleet = await KubeWorkloads(cluster.kube).fleet(cluster.namespace, named)
    return Holding(
        seen=Observed(
            rollout=stand_in,
            resolved=None,
            fleet=fleet,
            traffic=await KubeRouter(cluster.kube).traffic(cluster.namespace, traffic),
            record=running,
            past=tuple(record for record in records if record.final),
            problems=(),
            unsupported=(),
            next_release="",
        ),
        there=rollout is not None,
        services=await _services(cluster, traffic.service),
    )


def _names(rollout: Rollout | None, record: Record | None) -> tuple[str, TrafficPlan]:
    """Target and traffic as a running release registered them, else of the rollout, else of the last one."""
    if record is not None and (rollout is None or not record.final):
        return record.registration.target, record.registration.traffic
    spec = rollout.spec if rollout else {}
    target = str(section(spec, "targetRef").get("name", ""))
    traffic = section(spec, "traffic")
    service = str(traffic.get("service", ""))
    named = service or "podShare" in traffic
    return target, TrafficPlan(service, routes_named(traffic), target) if named else NOWHERE


def _gone(record: Record) -> Rollout:
    """Stands for a CausalRollout that was deleted."""
    return Rollout(record.key, record.rollout_uid, "", 0, True, False, Requests(), {}, {})  # noqa: FBT003


async def _services(cluster: Cluster, service: str) -> tuple[str, ...]:
    names = [arm_service(service, arm) for arm in ARMS] if service else []
    found = [(named, await cluster.kube.get(SERVICE, cluster.namespace, named)) for named in names]
    return tuple(named for named, obj in found if obj is not None and is_ours(obj, service))
