"""`release NAME`: let go of a target when the operator is gone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from causal_rollouts.cli.action_words import words
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.holding import Holding, holding
from causal_rollouts.cli.letting_go import LettingGo, end_of, meant
from causal_rollouts.cli.printing import as_json, say
from causal_rollouts.model import actions as act


async def run(asked: argparse.Namespace, reach: Callable[[], AbstractAsyncContextManager[Cluster]]) -> Exit:
    """Say what would be done, ask, do it, and say what is left to the person."""
    plain = asked.output == "json"
    async with reach() as cluster:
        held = await holding(cluster, asked.name)
        todo = intended(held, cluster.time.now())
        if asked.dry_run or not todo:
            _say(plain, "would", todo, left(held))
            return Exit.OK
        if not asked.yes:
            _confirm(asked.name, todo)
        done: list[str] = []

        def tell(text: str) -> None:
            done.append(text)
            if not plain:
                say(text)

        after = await LettingGo(cluster, asked.name, tell).run()
        _say(plain, "done", done if plain else [], left(after))
    return Exit.OK


def intended(held: Holding, now: float) -> list[str]:
    """Everything that would be done, as far as it can be seen from here."""
    record, target = held.record, held.target
    out = [words(action) for action in held.strays()]
    if record is not None:
        out.append(f"record {record.name}: end the release ({record.release.phase})")
        release = record.release if record.release.outcome else end_of(record, now)[0]
        first = meant(replace(record, release=release), held)
        out += [words(action) for action in first if isinstance(action, act.SetWeights | act.PauseTarget)]
        slots = held.seen.fleet.slots if held.seen.fleet else ()
        out += [words(act.DeleteSlot(state.slot, state.name)) for state in slots]
    if held.services and held.seen.traffic is not None and not held.listed:
        out.append(words(act.DeleteArmServices(held.seen.traffic.service)))
    if target is not None and target.paused and held.resting and not target.paused_in_git:
        out.append(words(act.UnpauseTarget(target.name, target.version)))
    if held.there and held.seen.rollout.held:
        out.append(words(act.RemoveFinalizer()))
    return out


def left(held: Holding) -> list[str]:
    """What stays as it is and is the person's to decide."""
    out = []
    if held.services and held.listed:
        routes = ", ".join(held.listed)
        out.append(
            f"Services {', '.join(held.services)} stay: {routes} lists them; take them out in Git first"
        )
    out += _about_target(held)
    if held.there:
        name = held.seen.rollout.key.name
        out.append(
            f'CausalRollout "{name}" stays: an operator that runs takes hold again; delete it to be rid of it'
        )
    return out


def _about_target(held: Holding) -> list[str]:
    target = held.target
    if target is None:
        return []
    where = f"kubectl -n {held.seen.rollout.key.namespace}"
    out = []
    if target.paused and held.resting:
        out.append(
            f'Deployment "{target.name}" is paused: {where} rollout resume deployment/{target.name} '
            "(while the gate is installed this needs the verb bypass on causalrollouts)"
        )
    elif target.paused:
        out.append(_choice(held, where))
    if target.gate:
        out.append(
            f'Deployment "{target.name}" keeps its gate label: while the admission policy is installed a new '
            f"template stays paused. To leave the gate: {where} label deployment {target.name} "
            "causalrollouts.dev/gate=disabled --overwrite (needs the verb bypass), and in Git"
        )
    return out


def _choice(held: Holding, where: str) -> str:
    """Paused between two templates: nobody but a person can say which one is meant."""
    target, record = held.target, held.record or (held.seen.past[-1] if held.seen.past else None)
    if target is None:
        return ""
    # In the middle of a roll two sets run; the record knows which one is stable.
    running = held.seen.stable_set
    stable = running.name if running else record.release.stable_set if record else "REPLICASET"
    template = f"$({where} get replicaset {stable} -o jsonpath='{{.spec.template}}')"
    ops = [
        f'{{\\"op\\":\\"replace\\",\\"path\\":\\"/spec/template\\",\\"value\\":{template}}}',
        '{\\"op\\":\\"remove\\",\\"path\\":\\"/spec/template/metadata/labels/pod-template-hash\\"}',
    ]
    resume = f"{where} rollout resume deployment/{target.name}"
    return (
        f'Deployment "{target.name}" is paused, and its template is not what runs. Choose:\n'
        f"    roll it out, ungated: {resume}\n"
        f"    go back to {stable} (and in Git): {where} patch deployment {target.name} --type=json -p "
        f'"[{",".join(ops)}]" && {resume}'
    )


def _confirm(name: str, todo: Sequence[str]) -> None:
    say("\n".join([f"To let go of {name}:", *(f"  - {line}" for line in todo)]), aside=True)
    if not sys.stdin.isatty():
        raise Stopped("nothing was done; say --yes to do it, or --dry-run to look only", Exit.USAGE)
    print("Do it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise Stopped("nothing was done")


def _say(plain: bool, title: str, lines: Sequence[str], rest: Sequence[str]) -> None:  # noqa: FBT001
    if plain:
        say(as_json({title: list(lines), "left": list(rest)}))
        return
    if title == "would":
        say("\n".join([f"would: {line}" for line in lines]) or "nothing is held")
    if rest:
        say("\n".join(["left to you:", *(f"  - {line}" for line in rest)]))
