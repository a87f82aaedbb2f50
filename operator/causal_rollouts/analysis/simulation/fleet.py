"""Pods and where they run, for a release that was never applied anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from causal_rollouts.analysis.simulation.chance import draws
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.release import PlannedSlot

ZONES = ("zone-a", "zone-b", "zone-c")


def node_names(nodes: int) -> tuple[str, ...]:
    """`node-0`, `node-1`, ..."""
    return tuple(f"node-{i}" for i in range(nodes))


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


def replaced(pods: tuple[Pod, ...], victim: Pod, time: float, start_up: float) -> tuple[Pod, ...]:
    """The fleet after `victim` died and another stable pod came up on the same node."""
    heir = f"{victim.name.rsplit('.', 1)[0]}.{int(time)}"
    return (
        *(replace(pod, deleted=time) if pod is victim else pod for pod in pods),
        _pod(heir, Arm.STABLE, heir, victim.node, time, time + start_up),
    )


def _pod(name: str, arm: Arm, slot: str, node: str, created: float, ready: float) -> Pod:
    zone = ZONES[int(node.rsplit("-", 1)[1]) % len(ZONES)]
    return Pod(name, name, arm, slot, node, zone, created, ready)
