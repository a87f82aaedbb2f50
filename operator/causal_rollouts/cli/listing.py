"""`list`: all rollouts, a line each, from their own status."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from causal_rollouts.adapters.kube import ROLLOUT, Object
from causal_rollouts.adapters.reading import created, name, section
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.printing import age, as_json, say, table

COLUMNS = ("phase", "release", "step", "weight", "verdict", "effect")


async def run(asked: argparse.Namespace, reach: Callable[[], AbstractAsyncContextManager[Cluster]]) -> Exit:
    """Print the table, or the same as JSON."""
    async with reach() as cluster:
        wide: bool = asked.all_namespaces
        found = await cluster.kube.list(ROLLOUT, "" if wide else cluster.namespace)
        rows = [_row(obj) for obj in found]
        if asked.output == "json":
            say(as_json(rows))
        elif rows:
            say(listed(rows, cluster.time.now(), wide=wide))
        else:
            where = "in any namespace" if wide else f'in namespace "{cluster.namespace}"'
            say(f"no CausalRollout {where}")
    return Exit.OK


def listed(rows: list[dict[str, object]], now: float, *, wide: bool) -> str:
    """The table. wide: with namespaces."""
    head = (*(("NAMESPACE",) if wide else ()), "NAME", *(column.upper() for column in COLUMNS), "AGE")
    cells = [
        (
            *((str(row["namespace"]),) if wide else ()),
            str(row["name"]),
            *(str(row[column]) or "-" for column in COLUMNS),
            age(now - float(str(row["created"]))),
        )
        for row in rows
    ]
    return table(head, cells)


def _row(obj: Object) -> dict[str, object]:
    status: Mapping[str, object] = section(obj, "status")
    return {
        "name": name(obj),
        "namespace": str(obj["metadata"]["namespace"]),
        **{column: str(status.get(column) or "") for column in COLUMNS},
        "message": str(status.get("message") or ""),
        "created": created(obj),
    }
