"""How many slots each stage has and how the traffic is shared.

Load per pod is equal in canary and baseline, because a pod under another load
answers at another speed and the difference would look like an effect. Where the
number of pods makes the share, load is equal by itself and the share is what the
pods make of it: the achieved one is what counts, not the one that was asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.registration import ArmsPlan, Stage
from causal_rollouts.model.traffic import WHOLE, Weights

ARMS_AT_MOST = 800
"""Thousandths of the traffic that both arms may carry: stable keeps enough to be a control."""


ARMS_TO_STABLE = 2
"""Pods of both arms to one stable pod, at most, where pods make the share."""


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
        if arms.pod_share:
            canaries, baselines = _nearest(stage.weight, arms, replicas, canaries, baselines)
            rungs.append(rung_of_pods(canaries, baselines, replicas))
            continue
        canaries, baselines = _grow(stage.weight, arms, replicas, canaries, baselines)
        rungs.append(Rung(canaries, baselines, _weights(stage.weight, canaries, baselines)))
    return tuple(rungs)


def rung_of_pods(canaries: int, baselines: int, replicas: int) -> Rung:
    """So many slots beside so many stable pods, all with the same load."""
    return Rung(canaries, baselines, Weights.of_pods(canaries, baselines, replicas))


def _nearest(weight: int, arms: ArmsPlan, replicas: int, canaries: int, baselines: int) -> tuple[int, int]:
    """Slots whose share is nearest to the weight: with one pod at least, and never fewer than stand.

    minPods gives way: more pods than the weight has room for would be more exposure than was agreed to.
    """
    most = ARMS_TO_STABLE * replicas
    found: list[tuple[int, int]] = []
    for wanted in range(max(1, canaries), max(1, canaries, most) + 1):
        with_baseline = baselines + _beside(weight, arms, wanted, canaries, baselines)
        if found and wanted + with_baseline > most:
            break
        found.append((wanted, with_baseline))
    return min(found, key=lambda pods: abs(pods[0] / (sum(pods) + replicas) - weight / WHOLE))


def _beside(weight: int, arms: ArmsPlan, wanted: int, canaries: int, baselines: int) -> int:
    """Baseline slots that come with a rise to so many canary slots."""
    if wanted <= canaries:
        return 0
    added = max(1, round(arms.baseline_ratio * (wanted - canaries)))
    too_many = weight * (baselines + added) > arms.baseline_max_share * wanted and baselines > 0
    return 1 if too_many else added


def _grow(weight: int, arms: ArmsPlan, replicas: int, canaries: int, baselines: int) -> tuple[int, int]:
    wanted = max(arms.min_pods, math.ceil(weight * replicas / WHOLE))
    if wanted > canaries:
        canaries, baselines = wanted, baselines + _beside(weight, arms, wanted, canaries, baselines)
    while weight * (canaries + baselines) > ARMS_AT_MOST * canaries:
        canaries += 1
    return canaries, baselines


def _weights(weight: int, canaries: int, baselines: int) -> Weights:
    return Weights(canary=weight, baseline=round(weight * baselines / canaries))
