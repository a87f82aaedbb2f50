"""Label selectors, as text in a list call and as structure in a spec."""

from collections.abc import Mapping
from typing import Any

Requirement = tuple[str, str, tuple[str, ...]]


def parse(text: str) -> tuple[Requirement, ...]:
    """`a=b,c!=d,e in (f,g),h,!i`."""
    found: list[Requirement] = []
    for part in _split(text):
        if " in " in part or " notin " in part:
            key, verb, values = part.split(" ", 2)
            found.append((key, verb, tuple(v.strip() for v in values.strip("()").split(","))))
        elif "!=" in part:
            key, _, value = part.partition("!=")
            found.append((key, "notin", (value,)))
        elif "=" in part:
            key, _, value = part.replace("==", "=").partition("=")
            found.append((key, "in", (value,)))
        else:
            found.append((part.lstrip("!"), "absent" if part.startswith("!") else "exists", ()))
    return tuple(found)


def of(selector: Mapping[str, Any]) -> tuple[Requirement, ...]:
    """A LabelSelector; one without any requirement selects nothing here."""
    verbs = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "absent"}
    equal = [(k, "in", (v,)) for k, v in selector.get("matchLabels", {}).items()]
    expressions = selector.get("matchExpressions", [])
    other = [(e["key"], verbs[e["operator"]], tuple(e.get("values", ()))) for e in expressions]
    return (*equal, *other)


def matches(wanted: tuple[Requirement, ...], labels: Mapping[str, str]) -> bool:
    """All requirements hold."""
    return all(_holds(labels.get(key), verb, values) for key, verb, values in wanted)


def _holds(value: str | None, verb: str, values: tuple[str, ...]) -> bool:
    match verb:
        case "in":
            return value in values
        case "notin":
            return value not in values
        case "exists":
            return value is not None
        case _:
            return value is None


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [part.strip() for part in (*parts, text[start:]) if part.strip()]
