"""A running or past release as a recording: its record, and its samples from Prometheus."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from causal_rollouts.analysis.from_record import Window, complete, each_once, recording_of, window
from causal_rollouts.analysis.recording import Recording
from causal_rollouts.analysis.rows import BadRecording
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.offline_source import offline_connect, source_settings
from causal_rollouts.cli.printing import say
from causal_rollouts.cli.saved_records import saved_records
from causal_rollouts.model.telemetry import Series
from causal_rollouts.ports import Broken, Record, Refused, Scope

Reach = Callable[[], AbstractAsyncContextManager[Cluster]]


async def past_release(asked: argparse.Namespace, name: str, reach: Reach) -> Recording:
    """What a command asked for by --release, --from and --to.

    Raises:
        Stopped: there is no such release, or its samples cannot be had; says which.
    """
    if asked.begin is not None and asked.end is not None and asked.begin >= asked.end:
        raise Stopped(f"--from {asked.begin:.0f} is not before --to {asked.end:.0f}; swap them", Exit.USAGE)
    record = _chosen(await _records(asked, name, reach), asked)
    try:
        within = _within(window(record, time.time()), asked)
        series = await _samples(asked, record, within)
        if not complete(record):
            say(
                f"{record.name}: its record does not hold the time of every look; "
                "where it holds none, a replay looks by the clock",
                aside=True,
            )
        return recording_of(record, series, asked.prometheus, within)
    except BadRecording as error:
        raise Stopped(str(error)) from error


async def _records(asked: argparse.Namespace, name: str, reach: Reach) -> Sequence[Record]:
    if asked.from_file is not None:
        return [record for record in saved_records(asked.from_file) if record.key.name == name]
    async with reach() as cluster:
        found = await cluster.records(name)
        if not found:
            await cluster.rollout(name)
        return found


def _chosen(records: Sequence[Record], asked: argparse.Namespace) -> Record:
    """The release that was named, or the newest that had begun by --to."""
    there = ", ".join(record.name for record in records) or "no release at all"
    if asked.release:
        mine = [record for record in records if record.name == asked.release]
        if not mine:
            raise Stopped(f'--release: there is no "{asked.release}"; there is {there}', Exit.USAGE)
        return mine[-1]
    mine = [r for r in records if asked.end is None or any(g.time < asked.end for g in r.glances)]
    if not mine:
        raise Stopped(f"no release had begun by then; there is {there}", Exit.USAGE)
    return mine[-1]


def _within(whole: Window, asked: argparse.Namespace) -> Window:
    start = whole.start if asked.begin is None else max(whole.start, asked.begin)
    end = whole.end if asked.end is None else min(whole.end, asked.end)
    if start >= end:
        raise Stopped(
            f"--from, --to: the release ran from {whole.start:.0f} to {whole.end:.0f}; "
            "give a span that meets it",
            Exit.USAGE,
        )
    return Window(start, end)


async def _samples(asked: argparse.Namespace, record: Record, within: Window) -> tuple[Series, ...]:
    """Each series once, though several metrics read it."""
    connect = offline_connect()
    scope = Scope(record.registration.namespace, tuple(sorted({pod.name for pod in record.release.pods})))
    metrics = {metric.reads: metric for metric in record.registration.metrics}
    fetched: dict[tuple[str, ...], tuple[Series, ...]] = {}
    with connect(source_settings(asked)) as source:
        for names, metric in metrics.items():
            try:
                fetched[names] = await source.fetch(metric, scope, within.start, within.end)
            except (Broken, Refused) as error:
                raise Stopped(
                    f"--prometheus: no samples of metric {metric.name}: {error}", Exit.UNAVAILABLE
                ) from error
    found = each_once(fetched)
    if not found:
        raise Stopped(
            f"--prometheus: holds no sample of {record.name} from {within.start:.0f} to {within.end:.0f}; "
            "is it the server that the operator asks, and does it keep samples that long?"
        )
    return found
