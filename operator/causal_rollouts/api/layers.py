"""Whose word holds: the rollout's, else the policy's, else the built-in default.

The record keeps the result with its origin, so that a later reader can tell a
choice from a default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel

from causal_rollouts.api.defaults import DEFAULTS, MARGINS
from causal_rollouts.api.v1alpha1 import Choices
from causal_rollouts.api.v1alpha1_metrics import Metric
from causal_rollouts.api.v1alpha1_policy import PolicySpec
from causal_rollouts.model.world import Json

NESTED = ("evidence", "weights", "windowWeights", "arms", "switchback")
"""Choices whose parts are set one by one; of all others the whole value is taken from one layer."""

POLICY_FIELD = "RolloutPolicy.spec.defaults"


class Origin(StrEnum):
    """Who said a value, or what leaves no other."""

    ROLLOUT = "rollout"
    POLICY = "policy"
    DEFAULT = "default"
    GUARDRAIL = "guardrail"
    TRAFFIC = "traffic"


@dataclass(frozen=True, slots=True)
class Layers:
    """merged: the choices in force. origins: by name, of nested ones by `arms.minPods`."""

    merged: Json
    origins: Mapping[str, Origin]

    def field(self, name: str) -> str:
        """Where a person finds the value in force."""
        return f"{POLICY_FIELD}.{name}" if self.origins.get(name) is Origin.POLICY else f"spec.{name}"

    def ruled(self, name: str, value: object, by: Origin) -> Layers:
        """The same where something else leaves a choice no other value than this one."""
        if self.merged[name] == value:
            return self
        return Layers({**self.merged, name: value}, {**self.origins, name: by})


def layered(own: Choices, given: Choices | None) -> Layers:
    """The rollout's own choices over the policy's over the defaults."""
    layers: tuple[tuple[Origin, Json], ...] = (
        (Origin.ROLLOUT, said(own)),
        (Origin.POLICY, said(given) if given else {}),
        (Origin.DEFAULT, DEFAULTS),
    )
    merged: dict[str, object] = {}
    origins: dict[str, Origin] = {}
    for name, default in DEFAULTS.items():
        if name not in NESTED or not isinstance(default, Mapping):
            merged[name], origins[name] = _first(name, layers)
            continue
        parts = [(origin, layer.get(name)) for origin, layer in layers]
        inner = [(origin, part) for origin, part in parts if isinstance(part, Mapping)]
        found = {part: _first(part, inner) for part in default}
        merged[name] = {part: value for part, (value, _) in found.items()}
        origins |= {f"{name}.{part}": origin for part, (_, origin) in found.items()}
    return Layers(merged, origins)


def effective(layers: Layers, choices: Choices, policy: PolicySpec) -> Json:
    """Each choice with the value in force and who said it; metrics with the margins in force.

    Guardrails stand beside them: what they ask for holds too, or bounds what may be said. So do
    notifications, which a rollout cannot say.
    """
    flat = dict(_flat(layers.merged))
    flat["metrics"] = [in_force(metric) for metric in choices.metrics or []]
    chosen = {
        name: {"value": value, "from": str(layers.origins[name])} for name, value in sorted(flat.items())
    }
    if policy.notifications:
        told = [said(one) for one in policy.notifications]
        chosen["notifications"] = {"value": told, "from": str(Origin.POLICY)}
    bounds = said(policy.guardrails) if policy.guardrails else {}
    return chosen | {
        f"guardrails.{name}": {"value": value, "from": str(Origin.GUARDRAIL)}
        for name, value in bounds.items()
    }


def in_force(metric: Metric) -> dict[str, object]:
    """A metric with the margins that hold for it, its own or those of its kind."""
    source = metric.sources[0] if metric.sources else ""
    return {**MARGINS.get(source, {}), **said(metric)}


def said(model: BaseModel) -> dict[str, object]:
    """What was really said, as in the manifest."""
    return model.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)


def _first(name: str, layers: Iterable[tuple[Origin, Json]]) -> tuple[object, Origin]:
    return next((layer[name], origin) for origin, layer in layers if layer.get(name) is not None)


def _flat(merged: Json) -> Iterator[tuple[str, object]]:
    for name, value in merged.items():
        if name in NESTED and isinstance(value, Mapping):
            yield from ((f"{name}.{part}", inner) for part, inner in value.items())
        else:
            yield name, value
