"""`aa --live NAME`: both arms of a service on its stable version for a while, told apart if they differ."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager

from causal_rollouts.analysis.aa_record import AARecord, Trial, aa_record
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.printing import as_json, say, table
from causal_rollouts.cli.request import annotate, user_of
from causal_rollouts.cli.standing import State, standing
from causal_rollouts.control.rest import LONGEST_AA
from causal_rollouts.model.percent import finite, percent
from causal_rollouts.model.reasons import Outcome
from causal_rollouts.ports import Record

EVERY = 2.0
"""Seconds between two looks."""

SPARE = 1800.0
"""Seconds beyond the test itself: history to grow, pods to start, metrics to come back."""


async def run(asked: argparse.Namespace, reach: Callable[[], AbstractAsyncContextManager[Cluster]]) -> Exit:
    """Ask for the test, wait for its end, and tell what all tests and pre-periods have shown."""
    if not 0 < asked.lasting <= LONGEST_AA:
        raise Stopped(f"--for: give more than 0s and at most {LONGEST_AA / 3600:g}h", Exit.USAGE)
    async with reach() as cluster:
        before = await _asked(cluster, asked)
        newest = await _over(cluster, asked, before)
        mine = [r for r in await cluster.records(asked.live) if r.rollout_uid == newest.rollout_uid]
        told = aa_record(mine)
        say(as_json(_plain(asked.live, newest, told)) if asked.output == "json" else _text(newest, told))
        if newest.release.outcome is not Outcome.AA_TESTED:
            return Exit.FAILED
    return Exit.OK


async def _asked(cluster: Cluster, asked: argparse.Namespace) -> int:
    """How many records there were when the test was asked for."""
    name: str = asked.live
    rollout = await cluster.rollout(name)
    seen = await standing(cluster, name)
    if seen.state in {State.RUNNING, State.REQUESTED, State.STALLED}:
        raise Stopped(f"{name}: {seen.message}; an A/A test needs a service at rest")
    user = await user_of(cluster.kube)
    value = f"{user or 'a user'}:{asked.lasting:.0f}s"
    records = await cluster.records(name)
    await annotate(cluster, rollout, "aa", value)
    return len(records)


async def _over(cluster: Cluster, asked: argparse.Namespace, before: int) -> Record:
    """The record of the test, once it has ended."""
    end, told = cluster.time.now() + asked.lasting + SPARE, ""
    while cluster.time.now() < end:
        records = await cluster.records(asked.live)
        newest = records[-1] if len(records) > before else None
        if newest is not None and newest.final:
            return newest
        line = (
            (await standing(cluster, asked.live)).line() if newest is not None else "waiting for the operator"
        )
        if line != told:
            say(line, aside=True)
            told = line
        await cluster.time.sleep(EVERY)
    raise Stopped(
        f"{asked.live}: the A/A test is not over after {asked.lasting + SPARE:.0f} s; it goes on, see "
        f"`status {asked.live}`",
        Exit.TIMEOUT,
    )


def _text(newest: Record, told: AARecord) -> str:
    head = f"{newest.name}: {newest.release.outcome}: {newest.release.why}"
    rows = [
        (t.release, _effect(t), "-" if math.isnan(t.se) else f"{t.se:.1%}", "yes" if t.fired else "no")
        for t in told.trials
    ]
    names = ("RELEASE", "LATENCY BETWEEN THE ARMS", "STANDARD ERROR", "TOLD APART")
    return "\n".join([head, "", table(names, rows), "", *_said(told)])


def _effect(trial: Trial) -> str:
    if math.isnan(trial.effect):
        return "no estimate"
    return f"{percent(trial.effect)} ({percent(trial.lower)} to {percent(trial.upper)})"


def _said(told: AARecord) -> Iterator[str]:
    yield (
        f"Arms of one template were told apart in {told.fired} of {len(told.trials)} trials (95% bounds of "
        f"the rate: {told.rate[0]:.1%} to {told.rate[1]:.1%})."
    )
    if told.scatter is not None and told.scatter_bounds is not None:
        low, high = told.scatter_bounds
        verdict = "as the gate believes"
        if low > 1.0:
            verdict = "wider than the gate believes: take more pods an arm, or a longer pre-period"
        elif high < 1.0:
            verdict = "more narrowly than the gate believes: it is more careful than it need be"
        yield (
            f"They scatter {told.scatter:.2f} times the standard error ({low:.2f} to {high:.2f}; 1 is "
            f"right): {verdict}."
        )
    for one in told.fresh:
        yield (
            f"{one.metric}: fresh pods vary {one.ratio:.2f} times as much as the gate takes from old ones "
            f"(variance, {one.df:.0f} degrees of freedom); the next release counts with it."
        )


def _plain(name: str, newest: Record, told: AARecord) -> dict[str, object]:
    return {
        "name": name,
        "release": newest.name,
        "outcome": str(newest.release.outcome or ""),
        "message": newest.release.why,
        "trials": [
            {
                "release": t.release,
                "begin": t.begin,
                "metric": t.metric,
                "effect": finite(t.effect),
                "lower": finite(t.lower),
                "upper": finite(t.upper),
                "se": finite(t.se),
                "toldApart": t.fired,
            }
            for t in told.trials
        ],
        "toldApart": told.fired,
        "rate": list(told.rate),
        "scatter": told.scatter,
        "scatterBounds": list(told.scatter_bounds) if told.scatter_bounds else None,
        "fresh": [{"metric": one.metric, "ratio": one.ratio, "df": one.df} for one in told.fresh],
    }
