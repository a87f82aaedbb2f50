"""`list`: all rollouts, a line each, from their own status."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from causal_rollouts.adapters.kube import GROUP, ROLLOUT, Object
from causal_rollouts.adapters.reading import created, name, section
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.printing import DATA, age, as_data, say, table

COLUMNS = ("phase", "release", "step", "weight", "verdict", "effect")


async def run(asked: argparse.Namespace, reach: Callable[[], AbstractAsyncContextManager[Cluster]]) -> Exit:
    """Print the table, the same as data, or names only."""
    async with reach() as cluster:
        everywhere: bool = asked.all_namespaces
        found = await cluster.kube.list(ROLLOUT, "" if everywhere else cluster.namespace)
        rows = [_row(obj) for obj in found]
        if asked.output in DATA:
            say(as_data(rows, asked.output))
        elif asked.output == "name":
            for row in rows:
                say(full_name(str(row["name"])))
        elif rows:
            now = cluster.time.now()
            say(listed(rows, now, everywhere=everywhere, wide=asked.output == "wide"))
        else:
            where = "in any namespace" if everywhere else f'in namespace "{cluster.namespace}"'
            say(f"no CausalRollout {where}")
    return Exit.OK


def full_name(name: str) -> str:
    """As `kubectl -o name` prints it."""
    return f"causalrollout.{GROUP}/{name}"


def listed(rows: list[dict[str, object]], now: float, *, everywhere: bool, wide: bool) -> str:
    """The table. everywhere: with namespaces. wide: with what each waits for or has found."""
    before, after = ("namespace",) if everywhere else (), ("message",) if wide else ()
    head = (*before, "name", *COLUMNS, "age", *after)
    cells = [
        [
            age(now - float(str(row["created"]))) if column == "age" else str(row[column]) or "-"
            for column in head
        ]
        for row in rows
    ]
    return table([column.upper() for column in head], cells)


def _row(obj: Object) -> dict[str, object]:
    status: Mapping[str, object] = section(obj, "status")
    return {
        "name": name(obj),
        "namespace": str(obj["metadata"]["namespace"]),
        **{column: str(status.get(column) or "") for column in COLUMNS},
        "message": str(status.get("message") or ""),
        "created": created(obj),
    }
