"""Which nodes could carry a slot: what the scheduler would refuse is not offered to the draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from causal_rollouts.adapters.kube import HOSTNAME, MACHINE, ZONE, Object
from causal_rollouts.adapters.reading import condition, labels, name, section
from causal_rollouts.model.world import Node

KEEPS_OUT = frozenset({"NoSchedule", "NoExecute"})


def nodes_for(template: Mapping[str, Any], found: list[Object]) -> tuple[Node, ...]:
    """All nodes; `schedulable` says whether a pod of the template may go there."""
    spec = section(template, "spec")
    return tuple(
        Node(name(node), labels(node).get(ZONE, ""), _fits(spec, node), machine=labels(node).get(MACHINE, ""))
        for node in found
    )


def _fits(spec: Mapping[str, Any], node: Object) -> bool:
    here = {HOSTNAME: name(node), **labels(node)}
    terms = section(spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    choices = terms.get("nodeSelectorTerms") or ()
    return (
        not section(node, "spec").get("unschedulable")
        and condition(node, "Ready").get("status") == "True"
        and all(here.get(key) == value for key, value in section(spec, "nodeSelector").items())
        and (not choices or any(_meets(term, here) for term in choices))
        and all(_tolerated(taint, spec) for taint in section(node, "spec").get("taints") or ())
    )


def _meets(term: Mapping[str, Any], here: Mapping[str, str]) -> bool:
    named = term.get("matchFields") or ()
    return all(_holds(entry, here) for entry in term.get("matchExpressions") or ()) and all(
        _holds({**entry, "key": HOSTNAME}, here) for entry in named if entry["key"] == "metadata.name"
    )


def _holds(entry: Mapping[str, Any], here: Mapping[str, str]) -> bool:
    value, values = here.get(entry["key"]), list(entry.get("values") or ())
    match entry["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return _number(value) > _number(values[0])
        case "Lt":
            return _number(value) < _number(values[0])
        case _:
            return False


def _number(text: str | None) -> float:
    try:
        return int(text or "")
    except ValueError:
        return float("nan")


def _tolerated(taint: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    if taint.get("effect") not in KEEPS_OUT:
        return True
    return any(
        t.get("effect") in (None, "", taint["effect"])
        and (t.get("key") in (None, "") or t.get("key") == taint["key"])
        and (t.get("operator") == "Exists" or (t.get("value") or "") == (taint.get("value") or ""))
        for t in spec.get("tolerations") or ()
    )
