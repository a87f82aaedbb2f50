"""`report NAME`: one HTML file from the records, of a cluster or of a file that was saved."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from causal_rollouts.analysis.cost import BadPrice, Price, prices_of
from causal_rollouts.analysis.opinion import SecondOpinion
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.printing import say
from causal_rollouts.cli.saved_records import saved_records
from causal_rollouts.ports import Record
from causal_rollouts.web.report import page


async def run(asked: argparse.Namespace, reach: Callable[[], AbstractAsyncContextManager[Cluster]]) -> Exit:
    """Write the page and say where."""
    name: str = asked.name or ""
    if asked.from_file is not None:
        records = _of(saved_records(asked.from_file), name, asked.from_file)
    elif name:
        async with reach() as cluster:
            records = await _of_cluster(cluster, name)
    else:
        raise Stopped("name a CausalRollout, or give --from-file FILE", Exit.USAGE)
    title = f"Releases of {name or ', '.join(sorted({str(r.key.name) for r in records}))}"
    html = page(title, records, opinion=_opinion(asked.recording), prices=_prices(asked.prices))
    _write(html, asked.output or f"{name or records[-1].key.name}.html")
    return Exit.OK


def _opinion(directory: Path | None) -> SecondOpinion | None:
    if directory is None:
        return None
    # numpy and the statistics are slow to import, and most reports need none.
    from causal_rollouts.analysis.recording import read
    from causal_rollouts.analysis.rows import BadRecording
    from causal_rollouts.analysis.second_opinion import second_opinion

    try:
        return second_opinion(read(directory))
    except BadRecording as error:
        raise Stopped(str(error), Exit.USAGE) from error


def _prices(text: str | None) -> tuple[Price, ...] | None:
    """Those that were given; None to take the record's own."""
    try:
        return None if text is None else prices_of(text)
    except BadPrice as error:
        raise Stopped(f"--prices: {error}", Exit.USAGE) from None


async def _of_cluster(cluster: Cluster, name: str) -> Sequence[Record]:
    """Records outlive their CausalRollout, so only records are asked for."""
    records = await cluster.records(name)
    if not records:
        await cluster.rollout(name)
        raise Stopped(f"{name}: has had no release yet, so there is nothing to report")
    return records


def _of(records: Sequence[Record], name: str, path: Path) -> Sequence[Record]:
    mine = [record for record in records if name in {"", record.key.name}]
    if not mine:
        there = ", ".join(sorted({record.key.name for record in records})) or "no record at all"
        raise Stopped(f'{path}: holds no record of "{name}"; it holds: {there}', Exit.USAGE)
    return mine


def _write(html: str, output: str) -> None:
    if output == "-":
        sys.stdout.write(html)
        return
    try:
        Path(output).write_text(html, encoding="utf-8")
    except OSError as error:
        raise Stopped(f"{output}: cannot be written: {error.strerror}", Exit.USAGE) from error
    say(output)
