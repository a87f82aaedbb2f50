"""What the API server refuses or changes on the way in: the gate, immutable fields, labels that must match.

The gate repeats the shipped admission policy, so that a story told without a
cluster has the same holes and the same strengths.
"""

from typing import Any

from causal_rollouts.adapters.kube import GATE_LABEL, RECORD, ROUTES, SERVICE, Kind
from causal_rollouts.ports import Refused

OPERATOR = "system:serviceaccount:causal-rollouts:operator"


def gate(old: dict[str, Any], new: dict[str, Any], user: str, *, bypass: bool) -> None:
    """Pause a new template in the same write, hold the pause, restore the label (in place)."""
    before, after = (obj["metadata"].get("labels", {}).get(GATE_LABEL) for obj in (old, new))
    if user == OPERATOR or "enabled" not in (before, after):
        return
    may = bypass and not user.startswith("system:serviceaccount:")
    held = old["spec"].get("paused", False) and not may
    if new["spec"]["template"] != old["spec"]["template"] or held:
        new["spec"]["paused"] = True
    if not (may and after is not None):
        new["metadata"].setdefault("labels", {})[GATE_LABEL] = "enabled"


def fill_in(kind: Kind, new: dict[str, Any]) -> None:
    """What the API server adds to what was left out, as far as anybody reads it (in place)."""
    spec = new.get("spec") or {}
    if kind in ROUTES.values():
        for rule in spec.get("rules", []):
            for backend in rule.get("backendRefs", []):
                for key, value in (("group", ""), ("kind", "Service"), ("weight", 1)):
                    backend.setdefault(key, value)
    if kind == SERVICE:
        for port in spec.get("ports", []):
            port.setdefault("protocol", "TCP")
            port.setdefault("targetPort", port["port"])


def validate(kind: Kind, old: dict[str, Any] | None, new: dict[str, Any]) -> None:
    """Raise Refused where the API server answers 422."""
    if kind.plural in {"deployments", "replicasets"}:
        _workload(kind, old, new)
    if kind == RECORD and old is not None:
        _record(old, new)


def _workload(kind: Kind, old: dict[str, Any] | None, new: dict[str, Any]) -> None:
    spec, name = new.get("spec", {}), new["metadata"]["name"]
    if "template" not in spec or "selector" not in spec:
        raise Refused(f'{kind.kind} "{name}" is invalid: spec.template: Required value')
    wanted = spec["selector"].get("matchLabels", {})
    labels = spec["template"].get("metadata", {}).get("labels", {})
    if not wanted or any(labels.get(k) != v for k, v in wanted.items()):
        raise Refused(
            f'{kind.kind} "{name}" is invalid: spec.template.metadata.labels: '
            "`selector` does not match template `labels`"
        )
    if old is not None and old["spec"]["selector"] != spec["selector"]:
        raise Refused(f'{kind.kind} "{name}" is invalid: spec.selector: field is immutable')


def _record(old: dict[str, Any], new: dict[str, Any]) -> None:
    name = new["metadata"]["name"]
    if old.get("spec") != new.get("spec"):
        raise Refused(f'RolloutRecord "{name}" is invalid: spec: the registration never changes')
    before = old.get("status", {})
    if before.get("final") and before != new.get("status", {}):
        raise Refused(f'RolloutRecord "{name}" is invalid: status: a final record never changes')
