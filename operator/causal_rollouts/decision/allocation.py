"""How many slots each stage has and how the traffic is shared.

Load per pod is equal in canary and baseline, because a pod under another load
answers at another speed and the difference would look like an effect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.registration import ArmsPlan, Stage
from causal_rollouts.model.traffic import WHOLE, Weights

ARMS_AT_MOST = 800
"""Thousandths of the traffic that both arms may carry: stable keeps enough to be a control."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One stage of the ladder: slots that stand in it and the weights in force."""

    canaries: int
    baselines: int
    weights: Weights

    @property
    def slots(self) -> tuple[Slot, ...]:
        """All slots of this rung."""
        return (
            *(Slot(Arm.CANARY, i) for i in range(self.canaries)),
            *(Slot(Arm.BASELINE, i) for i in range(self.baselines)),
        )


def allocate(stages: tuple[Stage, ...], arms: ArmsPlan, replicas: int) -> tuple[Rung, ...]:
    """The ladder. Slots only grow: a slot that went would take its evidence with it."""
    rungs: list[Rung] = []
    canaries = baselines = 0
    for stage in stages:
        canaries, baselines = _grow(stage.weight, arms, replicas, canaries, baselines)
        rungs.append(Rung(canaries, baselines, _weights(stage.weight, canaries, baselines)))
    return tuple(rungs)


def _grow(weight: int, arms: ArmsPlan, replicas: int, canaries: int, baselines: int) -> tuple[int, int]:
    wanted = max(arms.min_pods, math.ceil(weight * replicas / WHOLE))
    if wanted > canaries:
        added = max(1, round(arms.baseline_ratio * (wanted - canaries)))
        if weight * (baselines + added) > arms.baseline_max_share * wanted and baselines:
            added = 1
        canaries, baselines = wanted, baselines + added
    while weight * (canaries + baselines) > ARMS_AT_MOST * canaries:
        canaries += 1
    return canaries, baselines


def _weights(weight: int, canaries: int, baselines: int) -> Weights:
    return Weights(canary=weight, baseline=round(weight * baselines / canaries))
