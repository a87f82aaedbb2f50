"""The command line: finds the command, runs it, and turns every failure into words and an exit code."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from causal_rollouts.cli.arguments import parse
from causal_rollouts.cli.complete import HIDDEN, complete
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.printing import say

if TYPE_CHECKING:
    from causal_rollouts.cli.cluster import Cluster, Opener


def main(words: Sequence[str] | None = None, opener: Opener | None = None) -> int:
    """Entry point `causal-rollouts`, and of the kubectl plugin. opener: a way to the cluster."""
    given = list(sys.argv[1:] if words is None else words)
    if given[:1] == [HIDDEN]:
        return complete(given[1:], opener)
    try:
        asked = parse(_program(), given)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(Exit.USAGE)
    _quiet(debug=asked.debug)
    try:
        code = asyncio.run(_run(asked, opener))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough (`| head`); nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.OK)
    except KeyboardInterrupt:
        return int(Exit.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - a person gets words, never a stack
        return int(_told(error, debug=asked.debug))
    return int(code)


async def _run(asked: argparse.Namespace, opener: Opener | None) -> Exit:
    command = importlib.import_module(f"causal_rollouts.cli.{asked.command}")

    def reach() -> AbstractAsyncContextManager[Cluster]:
        from causal_rollouts.cli.cluster import Where, opened

        where = Where(asked.kubeconfig, asked.context, asked.namespace)
        return (opener or opened)(where)

    code: Exit = await command.run(asked, reach)
    return code


def _told(error: Exception, *, debug: bool) -> Exit:
    """One line on stderr, and the code."""
    from causal_rollouts.ports import Broken, NotYet, Refused

    if debug:
        traceback.print_exception(error, file=sys.stderr)
    match error:
        case Stopped():
            text, code = str(error), error.code
        case NotYet():
            text, code = f"somebody else wrote first: {error}; run it again", Exit.FAILED
        case Refused():
            text, code = f"the API server refused: {error}", Exit.FAILED
        case Broken():
            text, code = str(error), Exit.UNAVAILABLE
        case _:
            what = " ".join(f"{type(error).__name__}: {error}".split())
            text, code = f"unexpected: {what}; --debug shows where", Exit.UNEXPECTED
    say(f"{_program()}: {text}", aside=True)
    return code


def _quiet(*, debug: bool) -> None:
    """Libraries log for operators of services; here a person reads."""
    if debug:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, force=True)
        return
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")


def _program() -> str:
    called = Path(sys.argv[0]).name
    return "kubectl causal-rollout" if called == "kubectl-causal_rollout" else "causal-rollouts"


if __name__ == "__main__":
    sys.exit(main())
