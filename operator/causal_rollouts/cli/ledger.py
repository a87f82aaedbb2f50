"""`verify` and `export`: the records of releases as a ledger that can be checked and taken away."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from causal_rollouts.adapters.chain import Checked, checked, number
from causal_rollouts.adapters.kube import NAME_LABEL, RECORD, Object
from causal_rollouts.adapters.reading import section
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.printing import as_json, say, table
from causal_rollouts.cli.saved_records import saved_objects

Reach = Callable[[], AbstractAsyncContextManager[Cluster]]


async def run(asked: argparse.Namespace, reach: Reach) -> Exit:
    """Print what was asked for; `verify` exits with 1 where a record is not what it was."""
    records = await _records(asked, reach)
    if asked.verb == "export":
        return _export(asked, records)
    found = _verified(records)
    if asked.output == "json":
        say(as_json([one.plain() for one in found]))
    else:
        rows = [(one.name, str(one.link), one.digest[:12] or "-", one.said) for one in found]
        say(table(("RECORD", "CHAIN", "DIGEST", "SAYS"), rows))
    bad = [one.name for one in found if one.bad]
    if bad:
        raise Stopped(f"not as the operator left it: {', '.join(bad)}; compare with an export from before")
    return Exit.OK


def _verified(records: list[Object]) -> list[Checked]:
    """Each rollout has a chain of its own."""
    by_rollout: defaultdict[tuple[str, str], list[Object]] = defaultdict(list)
    for obj in records:
        where = str(section(obj, "metadata").get("namespace") or "")
        by_rollout[where, str(section(obj, "spec").get("rollout") or "")].append(obj)
    return [one for _, mine in sorted(by_rollout.items()) for one in checked(mine)]


def _export(asked: argparse.Namespace, records: list[Object]) -> Exit:
    lines = [json.dumps(_kept(obj), ensure_ascii=False, sort_keys=True) for obj in records]
    if asked.output in {"", "-"}:
        for line in lines:
            say(line)
        return Exit.OK
    try:
        Path(asked.output).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise Stopped(f"{asked.output}: cannot be written: {error}", Exit.USAGE) from error
    say(f"{len(lines)} records written to {asked.output}; check them with: verify --from-file {asked.output}")
    return Exit.OK


def _kept(obj: Object) -> dict[str, object]:
    """The record without what only the API server needs."""
    meta: Mapping[str, object] = section(obj, "metadata")
    known = {"apiVersion": RECORD.api_version, "kind": RECORD.kind, **obj}
    return {**known, "metadata": {key: value for key, value in meta.items() if key != "managedFields"}}


async def _records(asked: argparse.Namespace, reach: Reach) -> list[Object]:
    name: str = asked.name or ""
    if asked.from_file is not None:
        found = [obj for obj in saved_objects(asked.from_file) if not name or _of(obj) == name]
    else:
        async with reach() as cluster:
            wanted = f"{NAME_LABEL}={name}" if name else ""
            found = await cluster.kube.list(RECORD, cluster.namespace, wanted)
            if not found and name:
                await cluster.rollout(name)
    if not found:
        raise Stopped(f"no records{f' of {name}' if name else ''}; nothing to {asked.verb}")
    return sorted(found, key=lambda obj: (_of(obj), number(obj)))


def _of(obj: Object) -> str:
    return str(section(obj, "spec").get("rollout") or "")
