"""`replay`: what the gate would have decided, one line a tick, of a directory or out of a Prometheus."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from causal_rollouts.analysis.recording import Recording, read
from causal_rollouts.analysis.replay import replay
from causal_rollouts.analysis.replay_line import MetricLine, ReplayLine
from causal_rollouts.analysis.rows import BadRecording
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.printing import as_json, say

if TYPE_CHECKING:
    from causal_rollouts.cli.past_release import Reach


async def run(asked: argparse.Namespace, reach: Reach) -> Exit:
    """Print the ticks as they are decided."""
    try:
        lines = replay(await _recording(asked, reach), asked.until, stop=asked.stop)
        if asked.output == "json":
            say(as_json([line.plain() for line in lines]))
            return Exit.OK
        _print(lines, jsonl=asked.output == "jsonl")
    except BadRecording as error:
        raise Stopped(str(error), Exit.USAGE) from error
    return Exit.OK


async def _recording(asked: argparse.Namespace, reach: Reach) -> Recording:
    directory: Path | None = asked.directory
    if directory is not None and not (asked.prometheus or asked.rollout):
        return read(directory)
    if directory is not None or not (asked.prometheus and asked.rollout):
        raise Stopped("give a recording DIR, or --prometheus URL with --rollout NAME", Exit.USAGE)
    # The API client is slow to import, and a directory needs none.
    from causal_rollouts.cli.past_release import past_release

    return await past_release(asked, asked.rollout, reach)


def _print(lines: Iterable[ReplayLine], *, jsonl: bool) -> None:
    begin: float | None = None
    for line in lines:
        begin = line.time if begin is None else begin
        say(line.json() if jsonl else told(line, line.time - begin))


def told(line: ReplayLine, since: float) -> str:
    """One tick for people. since: seconds from the first tick."""
    stage = "-" if line.stage is None else str(line.stage + 1)
    metrics = "; ".join(_metric(metric) for metric in line.metrics)
    head = f"{since / 60:7.1f} min  stage {stage}  {line.weight:5.1f}%  {line.decision:<8}{line.reason:<20}"
    return f"{head} {line.verdict:<14}{metrics}" if metrics else f"{head} {line.verdict}"


def _metric(metric: MetricLine) -> str:
    if metric.effect is None:
        return f"{metric.name} -" if metric.validity == "Ok" else f"{metric.name} {metric.validity}"
    low, high = (_percent(bound) for bound in (metric.lower, metric.upper))
    return f"{metric.name} {_percent(metric.effect)} ({low} to {high})"


def _percent(change: float | None) -> str:
    return "?" if change is None else f"{100 * change:+.1f}%"
