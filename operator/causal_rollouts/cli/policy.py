"""`policy diff NAME`: what a rollout really runs with, and who said each value."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from causal_rollouts.analysis.recording import DEFAULT_GRID
from causal_rollouts.api.defaults import DEFAULTS
from causal_rollouts.api.layers import NESTED
from causal_rollouts.api.resolve import Unresolvable
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.printing import as_json, say, table
from causal_rollouts.control.policy import Chosen, chosen, under
from causal_rollouts.control.rest import next_release
from causal_rollouts.model.world import Json
from causal_rollouts.ports import Record, Rollout

BUILT_IN = "built-in"
_CHOICES = frozenset(DEFAULTS)


@dataclass(frozen=True, slots=True)
class Setting:
    """source: built-in, policy, rollout, guardrail or traffic. instead: of what the rollout says this."""

    name: str
    value: object
    source: str
    instead: object = None

    def plain(self) -> dict[str, object]:
        """As JSON has it."""
        known = {"name": self.name, "value": self.value, "from": self.source}
        return known if self.instead is None else {**known, "insteadOf": self.instead}


async def run(asked: argparse.Namespace, reach: Callable[[], AbstractAsyncContextManager[Cluster]]) -> Exit:
    """Print it; exit 1 where the rollout cannot run under its policy."""
    async with reach() as cluster:
        rollout = await cluster.rollout(asked.name)
        found = await chosen(rollout, cluster.store)
        records = await cluster.records(asked.name)
        mine = [r for r in records if r.rollout_uid == rollout.uid and not r.final]
        settings = _settings(
            rollout, found, next_release(asked.name, tuple(record.name for record in records))
        )
        changed = tuple(_changed(mine[-1], settings)) if mine else ()
        if asked.output == "json":
            say(as_json(_plain(found, settings, mine[-1].name if mine else "", changed)))
        else:
            say(_text(rollout, found, settings, mine[-1].name if mine else "", changed))
    return Exit.OK


def _settings(rollout: Rollout, found: Chosen, release: str) -> tuple[Setting, ...]:
    if found.problem:
        raise Stopped(f"{rollout.key.name}: {found.problem}")
    bare = {name: value for name, value in rollout.spec.items() if name not in _CHOICES}
    try:
        own = under(found.policy, rollout, rollout.spec, DEFAULT_GRID, release).effective
    except Unresolvable as error:
        said = "\n".join(f"{rollout.key.name}: {problem}" for problem in error.problems)
        raise Stopped(said) from None
    try:
        without = under(found.policy, rollout, bare, DEFAULT_GRID, release).effective
    except Unresolvable:
        # A policy whose defaults break its guardrails is mended by what the rollout says.
        without = {}
    return tuple(_setting(name, _line(own, name), _line(without, name)) for name in own)


def _setting(name: str, line: Mapping[str, object], without: Mapping[str, object]) -> Setting:
    value, source = line.get("value"), str(line.get("from"))
    if source == "rollout":
        return Setting(name, value, source, without.get("value"))
    same = source == "default" or (source == "policy" and value == _built_in(name))
    # The API server writes the built-in values into a policy that is silent.
    return Setting(name, value, BUILT_IN if same else source)


def _line(effective: Json, name: str) -> Mapping[str, object]:
    found = effective.get(name)
    return found if isinstance(found, Mapping) else {}


def _built_in(name: str) -> object:
    outer, _, inner = name.partition(".")
    value = DEFAULTS.get(outer)
    return value.get(inner) if outer in NESTED and isinstance(value, Mapping) else value


def _changed(record: Record, settings: tuple[Setting, ...]) -> Iterator[Setting]:
    """What a running release registered otherwise than what holds now."""
    for setting in settings:
        then = _line(record.effective or {}, setting.name)
        if then and then.get("value") != setting.value:
            yield Setting(setting.name, then.get("value"), str(then.get("from")), setting.value)


def _plain(
    found: Chosen, settings: tuple[Setting, ...], running: str, changed: tuple[Setting, ...]
) -> dict[str, object]:
    return {
        "policy": found.name,
        "by": found.by,
        "settings": [setting.plain() for setting in settings],
        "running": running,
        "registeredOtherwise": [setting.plain() for setting in changed],
    }


def _text(
    rollout: Rollout, found: Chosen, settings: tuple[Setting, ...], running: str, changed: tuple[Setting, ...]
) -> str:
    named = f"RolloutPolicy {found.name} ({found.by})" if found.name else "no policy: built-in values"
    rows = [(s.name, _short(s.value), s.source, _short(s.instead)) for s in settings]
    parts = [f"{rollout.key}: {named}", table(("SETTING", "VALUE", "FROM", "INSTEAD OF"), rows)]
    if changed:
        lines = [(s.name, _short(s.value), _short(s.instead)) for s in changed]
        parts.append(
            f"{running} keeps what it registered:\n" + table(("SETTING", "REGISTERED", "NOW"), lines)
        )
    return "\n\n".join(parts)


def _short(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
