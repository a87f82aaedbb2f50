"""Every command and its options. Nothing heavy is imported, so that `--help` answers at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from causal_rollouts import __version__
from causal_rollouts.analysis.cost import EXAMPLE
from causal_rollouts.api.units import seconds

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse names it so

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
    _policy(commands)
    _ledger(commands)
    _ask(commands)
    _git(commands)
    _offline(commands)
    return whole


def _look(commands: Commands) -> None:
    get = _add(commands, "get", "get", "one rollout with its arms, evidence and last decisions", cluster=True)
    get.add_argument("name", nargs="?", metavar="NAME", help="default: the only one of the namespace")
    every = _add(commands, "list", "listing", "all rollouts of a namespace", cluster=True)
    every.add_argument("-A", "--all-namespaces", action="store_true", help="of all namespaces")
    status = _add(
        commands,
        "status",
        "status",
        "how the newest release stands; exit 1 when it was reverted, aborted or blocked",
        cluster=True,
    )
    _name(status)
    status.add_argument("-w", "--watch", action="store_true", help="wait for its end; exit 4 on timeout")
    status.add_argument(
        "--timeout",
        type=_duration,
        default=1800.0,
        metavar="TIME",
        help="longest wait of --watch, like 90s or 1h (default 30m)",
    )
    explain = _add(
        commands, "explain", "explain", "the last decision, why, and what is missing", cluster=True
    )
    _name(explain)


def _policy(commands: Commands) -> None:
    policy = _add(
        commands,
        "policy",
        "policy",
        "what a rollout really runs with, and where each value comes from",
        cluster=True,
    )
    policy.add_argument("what", choices=("diff",), help="diff: every setting beside who said it")
    _name(policy)


def _ledger(commands: Commands) -> None:
    for verb, text, prints in (
        ("verify", "compute the chain of records again; exit 1 where one was changed or is missing", True),
        ("export", "records as JSON lines, to keep where no cluster can delete them", False),
    ):
        made = _add(commands, verb, "ledger", text, cluster=True, output=prints)
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
        ("approve", "agree to the step that waits for approval; needs the verb approve"),
        ("promote", "go on with what waits for a person: a pause, or an approval"),
    ):
        asked = _add(commands, verb, "request", text, cluster=True)
        _name(asked)
        asked.add_argument("--reason", default="", metavar="TEXT", help="why; it stands in the record")
        asked.set_defaults(full=False)
        if verb == "promote":
            asked.add_argument(
                "--full",
                action="store_true",
                help="roll the whole fleet before the evidence is complete; needs the verb bypass",
            )


def _git(commands: Commands) -> None:
    adopt = _add(
        commands,
        "adopt",
        "adopt",
        "print the lines to add to Git before a Deployment can be gated, in the right order; writes nothing",
        cluster=True,
    )
    adopt.add_argument("name", metavar="NAME", help="the Deployment")
    adopt.add_argument("--service", default="", metavar="NAME", help="where several Services select it")
    release = _add(
        commands,
        "release",
        "release",
        "let go of a target when the operator is gone: weights home, arms away, finalizer off",
        cluster=True,
    )
    _name(release)
    release.add_argument("-y", "--yes", action="store_true", help="do not ask")
    release.add_argument("--dry-run", action="store_true", help="only say what would be done")


def _offline(commands: Commands) -> None:
    report = _add(
        commands,
        "report",
        "report",
        "one HTML file that tells what the releases did and why",
        cluster=True,
        output=False,
    )
    report.add_argument("name", nargs="?", metavar="NAME", help="the CausalRollout")
    report.add_argument("-o", "--output", default="", metavar="FILE", help="- for stdout (default NAME.html)")
    report.add_argument(
        "--prices", metavar="LIST", help=f"of footprints, like {EXAMPLE} (default those of the record)"
    )
    report.add_argument(
        "--from-file",
        type=Path,
        metavar="FILE",
        help="records as `kubectl get rolloutrecords -o json` prints them, or one a line; no cluster",
    )
    report.add_argument(
        "--recording", type=Path, metavar="DIR", help="add the second opinion on this recording of a release"
    )
    record = _add(
        commands,
        "record",
        "record",
        "a recording of a running or past release, to replay anywhere",
        cluster=True,
        output=False,
    )
    _name(record)
    record.add_argument("-o", "--output", type=Path, metavar="DIR", required=True, help="new or empty")
    record.add_argument("--format", choices=("text", "json"), default="text", help="of what is printed")
    _past_release(record, required=True)
    replay = _add(
        commands,
        "replay",
        "replay",
        "decide a recorded release again, tick by tick",
        cluster=True,
        output=False,
    )
    replay.add_argument("directory", nargs="?", type=Path, metavar="DIR", help="a recording")
    replay.add_argument("--rollout", default="", metavar="NAME", help="with --prometheus: the CausalRollout")
    _past_release(replay, required=False)
    replay.add_argument("-o", "--output", choices=("text", "jsonl", "json"), default="text")
    replay.add_argument(
        "--until",
        type=_instant,
        metavar="T",
        help="no tick after T: seconds since the epoch, or a time like 2026-03-01T12:00:00Z",
    )
    replay.add_argument("--stop", action="store_true", help="end with the first Revert")
    opinion = _add(
        commands,
        "second-opinion",
        "second_opinion",
        "a recorded release judged once, by its design: fixed-time estimates, exact test, event study",
    )
    opinion.add_argument("directory", type=Path, metavar="DIR", help="a recording")
    opinion.add_argument(
        "--reference",
        type=Path,
        metavar="DIR",
        help="a recording of another service over the same time: what moved it is taken off the total effect",
    )
    _simulate(commands)
    _own_past(commands)


def _own_past(commands: Commands) -> None:
    aa = _add(
        commands,
        "aa",
        "aa",
        "the gate over the service's own past, where nothing was released: how often it would have reverted",
    )
    aa.add_argument("-n", "--runs", type=int, default=100, metavar="N", help="pseudo-releases (default 100)")
    aa.add_argument("--seed", type=int, default=0, metavar="S", help="of starts and draws (default 0)")
    aa.add_argument(
        "--live",
        default="",
        metavar="NAME",
        help="instead run both arms of a CausalRollout on its stable version for a while, and compare them",
    )
    aa.add_argument(
        "--for",
        dest="lasting",
        type=_duration,
        default=1800.0,
        metavar="TIME",
        help="of --live (default 30m)",
    )
    aa.add_argument("--namespace", default="", metavar="NS", help="of --live; default: of the context")
    aa.add_argument("--kubeconfig", default="", metavar="FILE", help="of --live; default: KUBECONFIG")
    aa.add_argument("--context", default="", metavar="NAME", help="of the kubeconfig")
    plan = _add(
        commands,
        "plan",
        "plan",
        "what a release could show at this traffic, before it begins: power and minutes",
    )
    for command, window, text in ((plan, 0.0, "the policy's history"), (aa, 6 * 3600.0, "6h")):
        command.add_argument("-f", "--file", type=Path, metavar="FILE", help="the CausalRollout")
        command.add_argument(
            "--policy", type=Path, metavar="FILE", help="its RolloutPolicy (default: the built-in values)"
        )
        command.add_argument(
            "--recording",
            type=Path,
            metavar="DIR",
            help="take the time before the first stage of a recording",
        )
        command.add_argument(
            "--prometheus",
            default="",
            metavar="URL",
            help="take the newest past: the server that the operator asks",
        )
        command.add_argument(
            "--window",
            type=_duration,
            default=window,
            metavar="TIME",
            help=f"how much of it (default {text})",
        )
        command.add_argument(
            "--to", dest="end", type=_instant, metavar="T", help="and nothing after T (default now)"
        )
        for name, least, meaning in (
            ("scrape", 15.0, "between two scrapes"),
            ("ingest-lag", 2.0, "to a query"),
        ):
            command.add_argument(
                f"--{name}",
                type=float,
                default=least,
                metavar="SECONDS",
                help=f"{meaning}, as the operator has it (default {least:g})",
            )
        _source(command)


def _past_release(command: argparse.ArgumentParser, *, required: bool) -> None:
    command.add_argument(
        "--prometheus",
        default="",
        metavar="URL",
        required=required,
        help="where its samples are: the server that the operator asks",
    )
    command.add_argument("--release", default="", metavar="NAME", help="its record (default: the newest)")
    for word, name, text in (("from", "begin", "no sample before T"), ("to", "end", "no sample after T")):
        command.add_argument(
            f"--{word}", dest=name, type=_instant, metavar="T", help=f"{text} (default: all of the release)"
        )
    command.add_argument(
        "--from-file",
        type=Path,
        metavar="FILE",
        help="records as `kubectl get rolloutrecords -o json` prints them; no cluster",
    )
    _source(command)


def _source(command: argparse.ArgumentParser) -> None:
    command.add_argument("--token-file", type=Path, metavar="FILE", help="bearer token for Prometheus")
    command.add_argument("--pod-label", default="pod", metavar="LABEL", help="that names the pod there")
    command.add_argument(
        "--namespace-label", default="namespace", metavar="LABEL", help="that names the namespace there"
    )


def _simulate(commands: Commands) -> None:
    made = _add(
        commands, "simulate", "simulate", "write recordings of simulated releases, to replay", output=False
    )
    made.add_argument("scenario", nargs="?", metavar="SCENARIO", help="what happens in them; see --list")
    made.add_argument("--list", action="store_true", help="name the scenarios and say what they are")
    made.add_argument("-n", "--runs", type=int, default=1, metavar="N", help="recordings (default 1)")
    made.add_argument("--seed", type=int, default=0, metavar="S", help="of the first one (default 0)")
    made.add_argument("-o", "--output", type=Path, metavar="DIR", help="one directory a run is made in it")
    made.add_argument("--format", choices=("text", "json"), default="text", help="of what is printed")


def _add(
    commands: Commands, verb: str, module: str, text: str, *, cluster: bool = False, output: bool = True
) -> argparse.ArgumentParser:
    made = commands.add_parser(
        verb,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        allow_abbrev=False,
    )
    made.set_defaults(command=module, kubeconfig="", context="", namespace="")
    made.add_argument("--debug", action="store_true", help="show where an unexpected error came from")
    if output:
        made.add_argument("-o", "--output", choices=("text", "json"), default="text")
    if cluster:
        made.add_argument("-n", "--namespace", default="", metavar="NS", help="default: of the context")
        made.add_argument("--kubeconfig", default="", metavar="FILE", help="default: KUBECONFIG")
        made.add_argument("--context", default="", metavar="NAME", help="of the kubeconfig")
    return made


def _name(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="the CausalRollout")


def _duration(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _instant(text: str) -> float:
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


def parse(prog: str, words: Sequence[str]) -> argparse.Namespace:
    """What was asked for; exits with 2 and a line on stderr where it makes no sense."""
    whole = parser(prog)
    asked = whole.parse_args(words)
    if asked.verb is None:
        whole.print_help()
        whole.exit(2)
    return asked
