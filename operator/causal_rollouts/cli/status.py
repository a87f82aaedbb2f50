"""`status NAME`: how the newest release stands, as words and as an exit code for pipelines."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.printing import DATA, as_data, fields, say
from causal_rollouts.cli.standing import Standing, State, standing
from causal_rollouts.cli.watching import Aside, looks

CODES = {State.FAILED: Exit.FAILED, State.STALLED: Exit.FAILED}


async def run(asked: argparse.Namespace, reach: Callable[[], AbstractAsyncContextManager[Cluster]]) -> Exit:
    """One line, or with --watch one for each change until it is over."""
    async with reach() as cluster:
        if asked.watch:
            return await _watch(cluster, asked)
        seen = await standing(cluster, asked.name)
        say(_said(seen, asked.output))
        return CODES.get(seen.state, Exit.OK)


async def _watch(cluster: Cluster, asked: argparse.Namespace) -> Exit:
    end = cluster.time.now() + asked.timeout
    told, aside = "", Aside()
    async for seen, away in looks(cluster, asked.name):
        aside.tell(away)
        line = _said(seen, asked.output, lines=True)
        if line != told:
            say(line)
            told = line
        if seen.over:
            return CODES.get(seen.state, Exit.OK)
        if cluster.time.now() >= end:
            break
    say(f"{asked.name}: not over within {asked.timeout:g} s; it goes on", aside=True)
    return Exit.TIMEOUT


def _said(seen: Standing, output: str, *, lines: bool = False) -> str:
    if output in DATA:
        return as_data(seen.plain(), output, lines=lines)
    if output == "wide":
        more = fields([("  verdict", seen.verdict), ("  effect", seen.effect)])
        return f"{seen.line()}\n{more}".rstrip()
    return seen.line()
