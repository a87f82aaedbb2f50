"""Every command and its options. Nothing heavy is imported, so that `--help` answers at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from causal_rollouts import __version__
from causal_rollouts.cli.command_form import LOOKS, command_of, duration, needs_name
from causal_rollouts.cli.offline_arguments import offline

if TYPE_CHECKING:
    from causal_rollouts.cli.command_form import Commands

EPILOG = """exit codes: 0 done; 1 not as wished (reverted, aborted, blocked, lines missing, refused);
2 asked wrongly; 4 timed out; 69 the cluster does not answer; 70 a defect of this program"""


def parser(prog: str) -> argparse.ArgumentParser:
    """The whole command line. Each command sets `command`, the module that carries it out."""
    whole = argparse.ArgumentParser(
        prog=prog,
        description="Progressive rollouts that are gated on what the release caused.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", dest="verb")
    _look(commands)
    _stand(commands)
    _policy(commands)
    _ledger(commands)
    _ask(commands)
    _git(commands)
    offline(commands)
    return whole


def _look(commands: Commands) -> None:
    get = command_of(
        commands,
        "get",
        "get",
        "one rollout as a tree: its stage, its arms, its evidence; exit 1 with -w as of status",
        cluster=True,
        outputs=(*LOOKS, "name"),
    )
    get.add_argument(
        "name", nargs="?", metavar="NAME", help="the CausalRollout (default: the only one of the namespace)"
    )
    get.add_argument("-w", "--watch", action="store_true", help="draw it again until the release ends")
    every = command_of(
        commands,
        "list",
        "listing",
        "all rollouts of a namespace",
        cluster=True,
        outputs=(*LOOKS, "name"),
    )
    every.add_argument("-A", "--all-namespaces", action="store_true", help="of all namespaces")


def _stand(commands: Commands) -> None:
    status = command_of(
        commands,
        "status",
        "status",
        "how the newest release stands; exit 1 when it was reverted, aborted or blocked",
        cluster=True,
        outputs=LOOKS,
    )
    needs_name(status)
    status.add_argument("-w", "--watch", action="store_true", help="wait for its end; exit 4 on timeout")
    status.add_argument(
        "--timeout",
        type=duration,
        default=1800.0,
        metavar="TIME",
        help="longest wait of --watch, like 90s or 1h (default 30m)",
    )
    explain = command_of(
        commands,
        "explain",
        "explain",
        "the last decision, why, and what is missing",
        cluster=True,
        outputs=LOOKS,
    )
    needs_name(explain)


def _policy(commands: Commands) -> None:
    policy = command_of(
        commands,
        "policy",
        "policy",
        "what a rollout really runs with, and where each value comes from",
        cluster=True,
    )
    policy.add_argument("what", choices=("diff",), help="diff: every setting beside who said it")
    needs_name(policy)


def _ledger(commands: Commands) -> None:
    for verb, text, prints in (
        ("verify", "compute the chain of records again; exit 1 where one was changed or is missing", True),
        ("export", "records as JSON lines, to keep where no cluster can delete them", False),
    ):
        made = command_of(commands, verb, "ledger", text, cluster=True, output=prints)
        made.add_argument("name", nargs="?", metavar="NAME", help="the CausalRollout (default: all)")
        made.add_argument(
            "--from-file",
            type=Path,
            metavar="FILE",
            help="records as `export` or `kubectl get rolloutrecords -o json` print them; no cluster",
        )
        if not prints:
            made.add_argument("-o", "--output", default="-", metavar="FILE", help="default: stdout")


def _ask(commands: Commands) -> None:
    for verb, text in (
        ("pause", "hold the weights where they are; harm still reverts"),
        ("resume", "go on after a pause"),
        ("abort", "bring the weights home and take the arms away; needs no metrics"),
        ("retry", "release a template again that was reverted, aborted or blocked"),
        ("extend", "give the stage its maxDuration once more, from now on"),
        ("approve", "agree to the step that waits for approval; needs the verb approve"),
        ("promote", "go on with what waits for a person: a pause, or an approval"),
    ):
        asked = command_of(commands, verb, "request", text, cluster=True)
        needs_name(asked)
        asked.add_argument("--reason", default="", metavar="TEXT", help="why; it stands in the record")
        asked.set_defaults(full=False)
        if verb == "promote":
            asked.add_argument(
                "--full",
                action="store_true",
                help="roll the whole fleet before the evidence is complete; needs the verb bypass",
            )


def _git(commands: Commands) -> None:
    adopt = command_of(
        commands,
        "adopt",
        "adopt",
        "print the lines to add to Git before a Deployment can be gated, in the right order; writes nothing",
        cluster=True,
    )
    adopt.add_argument("name", metavar="NAME", help="the Deployment")
    adopt.add_argument("--service", default="", metavar="NAME", help="where several Services select it")
    release = command_of(
        commands,
        "release",
        "release",
        "let go of a target when the operator is gone: weights home, arms away, finalizer off",
        cluster=True,
    )
    needs_name(release)
    release.add_argument("-y", "--yes", action="store_true", help="do not ask")
    release.add_argument("--dry-run", action="store_true", help="only say what would be done")


def parse(prog: str, words: Sequence[str]) -> argparse.Namespace:
    """What was asked for; exits with 2 and a line on stderr where it makes no sense."""
    whole = parser(prog)
    asked = whole.parse_args(words)
    if asked.verb is None:
        whole.print_help()
        whole.exit(2)
    return asked
