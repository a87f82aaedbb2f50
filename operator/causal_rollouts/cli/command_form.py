"""What one command is made of: its entry, and the words that its options take."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from causal_rollouts.api.units import seconds

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse names it so


PLAIN = ("text", "json")
LOOKS = ("text", "wide", "json", "yaml")
"""What `-o` takes: of most commands, and of those that show how rollouts stand."""


def command_of(
    commands: Commands,
    verb: str,
    module: str,
    text: str,
    *,
    cluster: bool = False,
    output: bool = True,
    outputs: tuple[str, ...] = PLAIN,
) -> argparse.ArgumentParser:
    """A new command, carried out by `module`. cluster: it asks one. output: it takes -o, with `outputs`."""
    made = commands.add_parser(
        verb,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        allow_abbrev=False,
    )
    made.set_defaults(command=module, kubeconfig="", context="", namespace="")
    made.add_argument("--debug", action="store_true", help="show where an unexpected error came from")
    if output:
        made.add_argument("-o", "--output", choices=outputs, default="text")
    if cluster:
        made.add_argument("-n", "--namespace", default="", metavar="NS", help="default: of the context")
        made.add_argument("--kubeconfig", default="", metavar="FILE", help="default: KUBECONFIG")
        made.add_argument("--context", default="", metavar="NAME", help="of the kubeconfig")
    return made


def needs_name(command: argparse.ArgumentParser) -> None:
    """It is about one CausalRollout."""
    command.add_argument("name", metavar="NAME", help="the CausalRollout")


def duration(text: str) -> float:
    """Seconds of `5m`.

    Raises:
        argparse.ArgumentTypeError: says the form that is expected.
    """
    try:
        return seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def instant(text: str) -> float:
    """Seconds since the epoch, of themselves or of an ISO time (UTC where it names no zone).

    Raises:
        argparse.ArgumentTypeError: says the forms that are expected.
    """
    try:
        return float(text)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'"{text}" is no time; write seconds since the epoch, or 2026-03-01T12:00:00Z'
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
