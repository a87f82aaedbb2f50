"""The same recording with the labels of the arms exchanged.

A gate that judges by thresholds reverts whichever arm it is told is the
candidate. One that measures an effect sees it change its sign.
"""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.analysis.recording import Recording
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.traffic import Change, Weights

_OTHER = {Arm.CANARY: Arm.BASELINE, Arm.BASELINE: Arm.CANARY, Arm.STABLE: Arm.STABLE}


def swapped(recording: Recording) -> Recording:
    """Canary pods are called baseline and the other way round; pods, nodes and samples stay as they are."""
    return replace(
        recording,
        pods=tuple(_pod(pod) for pod in recording.pods),
        timeline=tuple(_change(change) for change in recording.timeline),
    )


def _pod(pod: Pod) -> Pod:
    other = _OTHER[pod.arm]
    slot = pod.slot.replace(str(pod.arm), str(other), 1) if pod.arm is not Arm.STABLE else pod.slot
    return replace(pod, arm=other, slot=slot)


def _change(change: Change) -> Change:
    held = change.weights
    return replace(change, weights=Weights(held.baseline, held.canary, held.baselines, held.canaries))
