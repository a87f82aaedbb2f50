"""What may come next on a command line, from the very parser that will read it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

Parser = argparse.ArgumentParser
CLUSTER = ("namespace", "kubeconfig", "context")


class Wanted(Enum):
    """What the shell or the cluster has to add to the words."""

    NOTHING = 0
    FILES = 1
    ROLLOUTS = 2


@dataclass(frozen=True, slots=True)
class Candidates:
    """words: each with what it means, "" where that is plain. given: options that name a cluster."""

    words: Mapping[str, str]
    wanted: Wanted = Wanted.NOTHING
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Walk:
    """Where the words so far lead. pending: an option whose value comes next."""

    parser: Parser
    taken: int = 0
    pending: argparse.Action | None = None
    given: dict[str, str] = field(default_factory=dict)

    def over(self, word: str) -> None:
        if self.pending is not None:
            self.given[self.pending.dest], self.pending = word, None
        elif word.startswith("-") and word != "-":
            name, equals, value = word.partition("=")
            action = _options(self.parser).get(name)
            if action is not None and action.nargs != 0:
                self.pending = None if equals else action
                self.given |= {action.dest: value} if equals else {}
        else:
            self._positional(word)

    def _positional(self, word: str) -> None:
        commands = _commands(self.parser)
        if commands is None:
            self.taken += 1
        elif word in commands.choices:
            self.parser = commands.choices[word]


def candidates(parser: Parser, words: Sequence[str]) -> Candidates:
    """words: after the program's name; the last is being written, "" where it is not begun."""
    # Bash takes `--output=json` for three words.
    *before, last = [*(word for word in words if word != "="), *([""] if words[-1] == "=" else [])]
    walk = _Walk(parser)
    for word in before:
        walk.over(word)
    name, equals, value = last.partition("=")
    option = _options(walk.parser).get(name) if equals else None
    if option is not None:
        found = _values(option, value)
        return Candidates({f"{name}={word}": text for word, text in found.words.items()}, found.wanted)
    given = {dest: value for dest, value in walk.given.items() if dest in CLUSTER}
    action = walk.pending or (None if last.startswith("-") else _next(walk))
    if action is None:
        named = dict(_named(walk.parser, last)) if last.startswith("-") else {}
        return Candidates(named, Wanted.NOTHING, given)
    found = _values(action, last)
    return Candidates(found.words, found.wanted, given)


def _next(walk: _Walk) -> argparse.Action | None:
    positionals = [action for action in walk.parser._actions if not action.option_strings]  # noqa: SLF001
    return positionals[walk.taken] if walk.taken < len(positionals) else None


def _values(action: argparse.Action, begun: str) -> Candidates:
    if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
        told = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001
        return Candidates({verb: text for verb, text in told.items() if verb.startswith(begun)})
    if action.choices is not None:
        return Candidates({str(one): "" for one in action.choices if str(one).startswith(begun)})
    if action.type is Path or action.metavar in {"FILE", "DIR"}:
        return Candidates({}, Wanted.FILES)
    names_rollout = action.metavar == "NAME" and "CausalRollout" in (action.help or "")
    return Candidates({}, Wanted.ROLLOUTS if names_rollout else Wanted.NOTHING)


def _named(parser: Parser, begun: str) -> Iterator[tuple[str, str]]:
    for name, action in _options(parser).items():
        # The short forms are quicker written than completed.
        if name.startswith(begun) and (name.startswith("--") or begun == name):
            yield name, (action.help or "").replace("%%", "%")


def _options(parser: Parser) -> Mapping[str, argparse.Action]:
    return parser._option_string_actions  # noqa: SLF001


def _commands(parser: Parser) -> argparse._SubParsersAction[Parser] | None:
    found = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
    return next(found, None)
