"""Reading API objects: fields that may be absent, and times as seconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from causal_rollouts.adapters.kube import Object
from causal_rollouts.model.traffic import POD_CONDITION, ROUTE_FIELDS

NOTHING: Mapping[str, Any] = {}


def seconds(stamp: str) -> float:
    """A time as the API writes it, in seconds since the epoch."""
    return datetime.fromisoformat(stamp).timestamp()


def section(obj: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The object at a path, empty where there is none."""
    for part in path:
        found = obj.get(part)
        if not isinstance(found, Mapping):
            return NOTHING
        obj = found
    return obj


def labels(obj: Mapping[str, Any]) -> Mapping[str, str]:
    """Labels of an object or of a pod template."""
    return section(obj, "metadata", "labels")


def notes(obj: Mapping[str, Any]) -> Mapping[str, str]:
    """Annotations of an object or of a pod template."""
    return section(obj, "metadata", "annotations")


def routes_named(traffic: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(kind, name) of the routes in a rollout's `spec.traffic` as it was written."""
    listed = ((kind, traffic.get(field) or ()) for kind, field in ROUTE_FIELDS.items())
    return tuple((kind, str(route["name"])) for kind, routes in listed for route in routes if "name" in route)


def name(obj: Object) -> str:
    """`metadata.name`."""
    return str(obj["metadata"]["name"])


def uid(obj: Object) -> str:
    """`metadata.uid`."""
    return str(obj["metadata"]["uid"])


def created(obj: Object) -> float:
    """When it was created."""
    return seconds(obj["metadata"]["creationTimestamp"])


def deletion_asked(obj: Object) -> float | None:
    """When its deletion was asked for; the API writes when it must be over."""
    meta = obj["metadata"]
    stamp = meta.get("deletionTimestamp")
    return None if not stamp else seconds(stamp) - float(meta.get("deletionGracePeriodSeconds") or 0)


def condition(obj: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """A condition of the status, empty where there is none."""
    found = (c for c in section(obj, "status").get("conditions") or () if c.get("type") == kind)
    return next(found, NOTHING)


def gated(pod: Object) -> bool:
    """It takes traffic only when weights give it some (podShare)."""
    gates = section(pod, "spec").get("readinessGates") or ()
    return any(gate.get("conditionType") == POD_CONDITION for gate in gates)


def controller(obj: Object) -> str:
    """Uid of the object that controls it, "" if none does."""
    return _owner(obj, "uid")


def owner(obj: Object) -> str:
    """Name of the object that controls it, "" if none does."""
    return _owner(obj, "name")


def _owner(obj: Object, field: str) -> str:
    owners = obj["metadata"].get("ownerReferences") or ()
    return next((str(one[field]) for one in owners if one.get("controller")), "")


def selector_text(selector: Mapping[str, Any]) -> str:
    """A LabelSelector as the list call wants it."""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for entry in selector.get("matchExpressions") or ():
        values = ",".join(entry.get("values") or ())
        forms = {
            "In": f"{entry['key']} in ({values})",
            "NotIn": f"{entry['key']} notin ({values})",
            "Exists": entry["key"],
            "DoesNotExist": f"!{entry['key']}",
        }
        parts.append(forms[entry["operator"]])
    return ",".join(parts)
