"""Who owns which field: `metadata.managedFields`, as far as adapters read it.

Ownership is settled before admission runs, as on a real server: what an
admission policy sets is owned by nobody.
"""

from typing import Any

from e2e.embedded.patches import Path, leaves

NOT_TRACKED = frozenset(
    {"name", "namespace", "managedFields", "resourceVersion", "uid", "generation", "creationTimestamp"}
)
_ABSENT = object()


def owned(obj: dict[str, Any], manager: str, operation: str) -> set[Path]:
    """Fields of one manager."""
    return _table(obj).get((manager, operation), set())


def updated(old: dict[str, Any] | None, new: dict[str, Any], manager: str) -> None:
    """Any write but an apply: the manager owns what it changed besides what it had, others lose it."""
    before = dict(_tracked(old)) if old else {}
    changed = {path for path, value in _tracked(new) if before.get(path, _ABSENT) != value}
    table = _without(new, changed)
    key = (manager, "Update")
    table[key] = table.get(key, set()) | changed
    _write(new, table)


def applied(old: dict[str, Any] | None, new: dict[str, Any], manager: str, named: set[Path]) -> None:
    """Server-side apply by force: the manager owns exactly what it named, others lose what it changed."""
    before = dict(_tracked(old)) if old else {}
    changed = {path for path, value in _tracked(new) if before.get(path, _ABSENT) != value}
    table = _without(new, changed)
    table[manager, "Apply"] = set(named)
    _write(new, table)


def named_in(wanted: dict[str, Any]) -> set[Path]:
    """Fields that an applied object names."""
    return {path for path, _ in _tracked(wanted)}


def _tracked(obj: dict[str, Any]) -> list[tuple[Path, Any]]:
    rest = {k: v for k, v in obj.items() if k not in {"apiVersion", "kind", "metadata", "status"}}
    meta = {k: v for k, v in obj["metadata"].items() if k not in NOT_TRACKED}
    return [(path, value) for path, value in leaves({**rest, "metadata": meta}) if value != {}]


Table = dict[tuple[str, str], set[Path]]


def _table(obj: dict[str, Any]) -> Table:
    entries = obj["metadata"].get("managedFields", [])
    return {(entry["manager"], entry["operation"]): _paths(entry["fieldsV1"]) for entry in entries}


def _without(new: dict[str, Any], changed: set[Path]) -> Table:
    present = {path for path, _ in _tracked(new)}
    return {key: (paths & present) - changed for key, paths in _table(new).items()}


def _write(new: dict[str, Any], table: Table) -> None:
    new["metadata"]["managedFields"] = [
        {
            "manager": manager,
            "operation": operation,
            "apiVersion": new["apiVersion"],
            "fieldsType": "FieldsV1",
            "fieldsV1": _fields(paths),
        }
        for (manager, operation), paths in sorted(table.items())
        if paths
    ]


def _fields(paths: set[Path]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for path in sorted(paths):
        at = out
        for part in path:
            at = at.setdefault(f"f:{part}", {})
    return out


def _paths(fields: dict[str, Any], path: Path = ()) -> set[Path]:
    if not fields:
        return {path}
    return {
        found for key, child in fields.items() for found in _paths(child, (*path, key.removeprefix("f:")))
    }
