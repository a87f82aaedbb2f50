"""`status NAME`: how the newest release stands, as words and as an exit code for pipelines."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.printing import as_json, say
from causal_rollouts.cli.standing import Standing, State, standing
from causal_rollouts.ports import Broken

EVERY = 2.0
"""Seconds between two looks."""

CODES = {State.FAILED: Exit.FAILED, State.STALLED: Exit.FAILED}


async def run(asked: argparse.Namespace, reach: Callable[[], AbstractAsyncContextManager[Cluster]]) -> Exit:
    """One line, or with --watch one for each change until it is over."""
    async with reach() as cluster:
        seen = await standing(cluster, asked.name)
        if not asked.watch:
            say(as_json(seen.plain()) if asked.output == "json" else seen.line())
            return CODES.get(seen.state, Exit.OK)
        return await _watch(cluster, seen, asked)


async def _watch(cluster: Cluster, seen: Standing, asked: argparse.Namespace) -> Exit:
    end = cluster.time.now() + asked.timeout
    told, silent = "", False
    while True:
        line = as_json(seen.plain(), lines=True) if asked.output == "json" else seen.line()
        if line != told:
            say(line)
            told = line
        if seen.over:
            return CODES.get(seen.state, Exit.OK)
        if cluster.time.now() >= end:
            say(f"{asked.name}: not over within {asked.timeout:g} s; it goes on", aside=True)
            return Exit.TIMEOUT
        await cluster.time.sleep(EVERY)
        try:
            seen, silent = await standing(cluster, asked.name), False
        except Broken as error:
            # An API server that restarts is no answer to the question.
            if not silent:
                say(f"{asked.name}: cannot be seen for now: {error}", aside=True)
            silent = True
