"""The pods of the simulated cluster as arrays, each with the lot it drew.

Rebuilt when pods come or go; what a pod has become (crashed, slow for a while)
goes over by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.simulation.chance import draws
from causal_rollouts.analysis.simulation.climate import HARMLESS, Climate, Harm
from causal_rollouts.model.arms import Arm, Pod

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Lot:
    """What one pod drew for good: constant level, log error factor, log share of load, cold start."""

    level: float
    errors: float
    balance: float
    cold: float


@dataclass(slots=True)
class Roster:
    """Arrays over pods.

    versions: harms with their pods. started: when the process began to serve; down: until when it does not.
    """

    pods: tuple[Pod, ...]
    names: tuple[str, ...]
    nodes: tuple[str, ...]
    node: Ints
    arms: dict[Arm, Bools]
    versions: tuple[tuple[Harm, Bools], ...]
    ready: Floats
    deleted: Floats
    level: Floats
    errors: Floats
    balance: Floats
    cold: Floats
    started: Floats
    down: Floats
    slow_until: Floats
    crashes: Floats

    def up(self, time: float) -> Bools:
        """Pods that serve at `time`."""
        return (self.ready <= time) & (self.deleted > time) & (self.down <= time)


def enrol(
    pods: Sequence[Pod], climate: Climate, seed: int, harm_of: Callable[[Pod], Harm], before: Roster | None
) -> Roster:
    """The roster of these pods; who was in `before` keeps what became of it."""
    nodes = tuple(sorted({pod.node for pod in pods}))
    lots = [_lot(climate, seed, pod.name, pod.arm is not Arm.STABLE) for pod in pods]
    offsets = [_node_offset(climate.unevenness.nodes, seed, node) for node in nodes]
    node = np.array([nodes.index(pod.node) for pod in pods], dtype=np.int64)
    ready = np.array([np.inf if pod.ready is None else pod.ready for pod in pods])
    young = np.array([pod.arm is not Arm.STABLE for pod in pods])
    roster = Roster(
        pods=tuple(pods),
        names=tuple(pod.name for pod in pods),
        nodes=nodes,
        node=node,
        arms={arm: np.array([pod.arm is arm for pod in pods]) for arm in Arm},
        versions=_versions(tuple(harm_of(pod) for pod in pods), [pod.zone for pod in pods]),
        ready=ready,
        deleted=np.array([np.inf if pod.deleted is None else pod.deleted for pod in pods]),
        level=np.array([lot.level for lot in lots])
        + np.array(offsets)[node]
        + climate.unevenness.age * young,
        errors=np.array([lot.errors for lot in lots]),
        balance=np.exp([lot.balance for lot in lots]),
        cold=np.array([lot.cold for lot in lots]),
        started=ready.copy(),
        down=np.full(len(pods), -np.inf),
        slow_until=np.full(len(pods), -np.inf),
        crashes=np.zeros(len(pods)),
    )
    if before is not None:
        _carry(roster, before)
    return roster


def _versions(harms: tuple[Harm, ...], zones: Sequence[str]) -> tuple[tuple[Harm, Bools], ...]:
    """Each version that does harm, with the pods where it does."""
    bad = [harm for harm in dict.fromkeys(harms) if harm != HARMLESS]
    found = (
        (
            bad_one,
            np.array([h == bad_one and bad_one.zone in {"", z} for h, z in zip(harms, zones, strict=True)]),
        )
        for bad_one in bad
    )
    return tuple((harm, mine) for harm, mine in found if mine.any())


def _carry(roster: Roster, before: Roster) -> None:
    place = {name: i for i, name in enumerate(before.names)}
    for i, name in enumerate(roster.names):
        if name in place:
            j = place[name]
            if np.isfinite(before.started[j]):
                roster.started[i] = before.started[j]
            roster.down[i] = before.down[j]
            roster.slow_until[i] = before.slow_until[j]
            roster.crashes[i] = before.crashes[j]


@lru_cache(maxsize=4096)
def _lot(climate: Climate, seed: int, name: str, young: bool) -> Lot:  # noqa: FBT001 - part of the cache key
    rng = draws(seed, "pod", name)
    uneven, df = climate.unevenness, climate.unevenness.pods_df
    heavy = rng.standard_t(df) * np.sqrt((df - 2.0) / df)
    spread = uneven.pods * (uneven.fresh_pods if young else 1.0)
    return Lot(
        level=spread * float(heavy),
        errors=climate.failures.pods * float(rng.standard_normal()),
        balance=climate.load.imbalance * float(rng.standard_normal()),
        cold=uneven.cold * float(rng.uniform(0.5, 1.5)),
    )


@lru_cache(maxsize=1024)
def _node_offset(sd: float, seed: int, node: str) -> float:
    return sd * float(draws(seed, "node", node).standard_normal())
