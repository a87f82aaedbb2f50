"""Pods and where they run, for a release that was never applied anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from causal_rollouts.analysis.simulation.chance import draws
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.assignment import block_of
from causal_rollouts.model.release import PlannedSlot

ZONES = ("zone-a", "zone-b", "zone-c")
_BEFORE = "-before"


def places(nodes: int) -> dict[str, str]:
    """`node-0`, `node-1`, ... with their blocks."""
    return {f"node-{i}": block_of(_zone(f"node-{i}"), "") for i in range(nodes)}


def stable_fleet(replicas: int, nodes: int, seed: int, born: float) -> tuple[Pod, ...]:
    """A fleet that has run for a while, spread over the nodes as evenly as a scheduler would."""
    rng = draws(seed, "placement")
    order = [int(i) for i in rng.permutation(nodes)]
    return tuple(
        _pod(f"stable-{i}", Arm.STABLE, f"stable-{i}", f"node-{order[i % nodes]}", born - 60.0, born)
        for i in range(replicas)
    )


def slot_pods(planned: Sequence[PlannedSlot], created: float, start_up: float) -> tuple[Pod, ...]:
    """The first pod of each of these slots."""
    return tuple(
        _pod(f"{p.slot.id}-0", p.slot.arm, p.slot.id, p.node, created, created + start_up) for p in planned
    )


def before_pods(planned: Sequence[PlannedSlot], created: float, start_up: float) -> tuple[Pod, ...]:
    """The pods of these slots in a pre-period, on the stable template in either arm."""
    first = slot_pods(planned, created, start_up)
    return tuple(replace(pod, name=pod.name + _BEFORE, uid=pod.uid + _BEFORE) for pod in first)


def stands_before(pod: Pod) -> bool:
    """The pod is one of a pre-period."""
    return pod.name.endswith(_BEFORE)


def replaced(pods: tuple[Pod, ...], victim: Pod, time: float, start_up: float) -> tuple[Pod, ...]:
    """The fleet after `victim` died and another pod came up on the same node; a slot keeps its place."""
    heir = f"{victim.name.rsplit('.', 1)[0]}.{int(time)}"
    slot = heir if victim.arm is Arm.STABLE else victim.slot
    return (
        *(replace(pod, deleted=time) if pod is victim else pod for pod in pods),
        _pod(heir, victim.arm, slot, victim.node, time, time + start_up),
    )


def scaled(
    pods: tuple[Pod, ...], by: int, time: float, start_up: float, nodes: int, seed: int
) -> tuple[Pod, ...]:
    """The fleet after its autoscaler asked for `by` more stable pods, or fewer."""
    luck = draws(seed, "scaling", str(int(time)))
    if by > 0:
        names = [f"stable-s{int(time)}-{i}" for i in range(by)]
        places = luck.integers(nodes, size=by)
        return (
            *pods,
            *(
                _pod(name, Arm.STABLE, name, f"node-{place}", time, time + start_up)
                for name, place in zip(names, places, strict=True)
            ),
        )
    there = there_at(pods, time, stable=True)
    gone = luck.permutation(len(there))[: min(-by, len(there) - 1)]
    leaving = {there[int(i)].name for i in gone}
    return tuple(replace(pod, deleted=time) if pod.name in leaving else pod for pod in pods)


def there_at(pods: Sequence[Pod], time: float, *, stable: bool) -> list[Pod]:
    """Pods of the fleet, or those of the arms, that serve at `time` and were not told to go."""
    return [
        pod
        for pod in pods
        if (pod.arm is Arm.STABLE) is stable and pod.deleted is None and pod.ready and pod.ready < time
    ]


def _pod(name: str, arm: Arm, slot: str, node: str, created: float, ready: float) -> Pod:
    return Pod(name, name, arm, slot, node, _zone(node), created, ready)


def _zone(node: str) -> str:
    return ZONES[int(node.rsplit("-", 1)[1]) % len(ZONES)]
