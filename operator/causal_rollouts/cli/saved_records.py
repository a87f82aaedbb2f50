"""Records out of a file: a list as kubectl prints it, one record, or one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from causal_rollouts.adapters.kube import RECORD, Object
from causal_rollouts.adapters.record_form import begun, record_of
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.ports import Broken, Record


def saved_records(path: Path) -> tuple[Record, ...]:
    """All records of the file, oldest first.

    Raises:
        Stopped: it cannot be read, or holds something else; says what and where.
    """
    found = (_record(obj, where) for obj, where in _each(path))
    known = [record for record in found if record is not None]
    return tuple(sorted(known, key=lambda r: (r.key.name, _number(r.name))))


def saved_objects(path: Path) -> tuple[Object, ...]:
    """All records of the file as they stand in it.

    Raises:
        Stopped: it cannot be read, or holds something else; says what and where.
    """
    return tuple(obj for obj, _ in _each(path))


def _each(path: Path) -> Iterator[tuple[Object, str]]:
    """Each record as it stands, and where."""
    for number, item in enumerate(_objects(_text(path), path)):
        where = f"{path}: item {number}"
        yield _record_object(item, where), where


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Stopped(f"{path}: cannot be read: {error}", Exit.USAGE) from error


def _objects(text: str, path: Path) -> list[object]:
    try:
        whole: object = json.loads(text)
    except ValueError:
        try:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            what = f"{path}: is neither JSON nor JSON lines: {error}"
            raise Stopped(f"{what}; save it with kubectl get rolloutrecords -o json", Exit.USAGE) from None
    if isinstance(whole, list):
        return whole
    items = whole.get("items") if isinstance(whole, dict) else None
    return items if isinstance(items, list) else [whole]


def _record_object(item: object, where: str) -> Object:
    if not isinstance(item, Mapping) or item.get("kind", RECORD.kind) != RECORD.kind:
        kind = item.get("kind") if isinstance(item, Mapping) else type(item).__name__
        raise Stopped(f"{where}: is a {kind}, not a {RECORD.kind}", Exit.USAGE)
    return dict(item)


def _record(obj: Object, where: str) -> Record | None:
    """One record; None where its release never began."""
    try:
        return record_of(obj) if begun(obj) else None
    except (KeyError, TypeError, AttributeError) as error:
        raise Stopped(f"{where}: is no whole {RECORD.kind}: {error!r}", Exit.USAGE) from error
    except Broken as error:
        raise Stopped(f"{where}: {error}", Exit.USAGE) from error


def _number(name: str) -> int:
    last = name.rpartition("-")[2]
    return int(last) if last.isdigit() else 0
