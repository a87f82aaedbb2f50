"""Actions in the words of a person who did them by hand."""

from __future__ import annotations

from causal_rollouts.model import actions as act
from causal_rollouts.model.actions import Action
from causal_rollouts.model.percent import of_traffic
from causal_rollouts.model.traffic import HOME


def words(action: Action) -> str:
    """One line."""
    match action:
        case act.SetWeights():
            return f'{action.kind} "{action.route}": {_weights(action)}'
        case act.EnsureArmServices() | act.DeleteArmServices():
            does = "deleted" if isinstance(action, act.DeleteArmServices) else "kept, the route needs them"
            return f'Services "{action.service}-baseline" and "{action.service}-canary": {does}'
        case act.DeleteSlot() | act.DeleteReplicaSet() | act.RestoreStableSet():
            does = "restored" if isinstance(action, act.RestoreStableSet) else "deleted"
            return f'ReplicaSet "{action.name}": {does}'
        case act.UnpauseTarget():
            return f'Deployment "{action.target}": un-paused, it runs what Git asks for'
        case act.PauseTarget():
            return f'Deployment "{action.target}": paused, it stays as it runs'
        case act.DeleteRecord():
            return f'RolloutRecord "{action.name}": deleted'
        case act.DeletePod():
            return f'Pod "{action.name}": deleted'
        case act.RemoveFinalizer():
            return "CausalRollout: finalizer removed"
    return type(action).__name__


def _weights(action: act.SetWeights) -> str:
    if action.kind == "Pod":
        return "out of the traffic" if action.weights == HOME else "in the traffic"
    if action.weights == HOME:
        return f'weights home, everything to Service "{action.service}"'
    return f"canary {of_traffic(action.weights.canary)}, baseline {of_traffic(action.weights.baseline)}"
