"""What the API server would say of a value by its schema alone, CEL rules left out."""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

Json = dict[str, Any]


def fits(schema: Json, value: Any, root: str = "status") -> list[str]:
    """Every complaint, each beginning with the field."""
    found = [
        f"{_where(root, e.absolute_path)}: {e.message}"
        for e in Draft202012Validator(schema).iter_errors(value)
    ]
    return [*found, *_unknown(schema, value, root)]


def _unknown(schema: Json, value: Any, where: str) -> Iterator[str]:
    """Fields that the API server refuses in a strict request, and prunes else."""
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _unknown(schema.get("items", {}), item, f"{where}[{i}]")
    if not isinstance(value, dict) or "additionalProperties" in schema:
        return
    known = schema.get("properties", {})
    for name, inner in value.items():
        if name in known:
            yield from _unknown(known[name], inner, f"{where}.{name}")
        elif not schema.get("x-kubernetes-preserve-unknown-fields") and schema.get("type") == "object":
            yield f"{where}.{name}: unknown field"


def _where(root: str, steps: Any) -> str:
    return root + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
