"""`get NAME`: one rollout with its arms and its evidence as a tree; with -w it is live."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager

from causal_rollouts.adapters.kube import ROLLOUT
from causal_rollouts.adapters.reading import name as name_of
from causal_rollouts.api.plain import to_plain
from causal_rollouts.cli import listing
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.knowledge import known
from causal_rollouts.cli.pace import until_step
from causal_rollouts.cli.printing import DATA, as_data, say
from causal_rollouts.cli.standing import Standing, standing
from causal_rollouts.cli.status import CODES
from causal_rollouts.cli.terminal import Line, Tone, terminal
from causal_rollouts.cli.tree import measured, tree
from causal_rollouts.cli.watching import Aside, looks
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.ports import Record


async def run(asked: argparse.Namespace, reach: Callable[[], AbstractAsyncContextManager[Cluster]]) -> Exit:
    """Print it; without a name the only one there is, or all of them."""
    async with reach() as cluster:
        if not asked.name:
            found = await cluster.kube.list(ROLLOUT, cluster.namespace)
            if len(found) != 1:
                asked.all_namespaces = False
                return await listing.run(asked, reach)
            asked.name = name_of(found[0])
        if asked.watch:
            return await _watch(cluster, asked)
        seen = await standing(cluster, asked.name)
        if asked.output == "name":
            say(listing.full_name(seen.name))
        elif asked.output in DATA:
            say(as_data(_plain(seen, cluster.time.now()), asked.output))
        else:
            _draw(seen, cluster.time.now(), wide=asked.output == "wide")
    return Exit.OK


async def _watch(cluster: Cluster, asked: argparse.Namespace) -> Exit:
    """Until the release is over: the tree in place where somebody looks, else a line for each change."""
    live = terminal().live and asked.output not in DATA
    drawn, told, aside = 0, set[str](), Aside()
    async for seen, away in looks(cluster, asked.name):
        if live:
            drawn = _draw(seen, cluster.time.now(), wide=asked.output == "wide", away=away, over=drawn)
        else:
            aside.tell(away)
            lines = list(_changing(seen, asked.output))
            for line in lines:
                if line not in told:
                    say(line)
            told = set(lines)
        if seen.over:
            return CODES.get(seen.state, Exit.OK)
    return Exit.OK


def _draw(seen: Standing, now: float, *, wide: bool, away: str = "", over: int = 0) -> int:
    # Asked anew each time: a window may have another size by now.
    shown = terminal()
    lines = tree(seen, now, signs=shown.signs, wide=wide)
    return shown.picture([*lines, Line(away, Tone.WAITS)] if away else lines, over=over)


def _changing(seen: Standing, output: str) -> Iterator[str]:
    """A line for the whole, and one for each metric."""
    if output in DATA:
        # Without the clock: what grows by itself is no change.
        yield as_data(_plain(seen, None), output, lines=True)
        return
    if output == "name":
        yield listing.full_name(seen.name)
        return
    yield seen.line()
    for metric in known(seen.record) if seen.record else ():
        yield f"{seen.release}: {metric.name} {metric.effect}; {measured(metric)}"


def _in_slots(record: Record) -> list[Pod]:
    there = [pod for pod in record.release.pods if pod.arm is not Arm.STABLE and pod.deleted is None]
    return sorted(there, key=lambda pod: (pod.arm, pod.slot))


def _plain(seen: Standing, now: float | None) -> dict[str, object]:
    record = seen.record
    span = until_step(record, now) if record and not record.final and now is not None else None
    return {
        **seen.plain(),
        "arms": [to_plain(pod) for pod in _in_slots(record)] if record and not record.final else [],
        "beside": to_plain(record.beside) if record else [],
        "evidence": [m.plain() for m in known(record)] if record else [],
        "nextStepSeconds": {"least": span.least, "most": span.most} if span else None,
        "decisions": [
            {"time": d.time, "stage": d.stage, "weight": d.weight / 10, **_words(d.decision)}
            for d in (record.decisions if record else ())
        ],
    }


def _words(decision: object) -> dict[str, object]:
    plain = to_plain(decision)
    return dict(plain) if isinstance(plain, dict) else {}
