"""Commands that ask no cluster: recordings, the past of a service, and simulations."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from causal_rollouts.analysis.cost import EXAMPLE
from causal_rollouts.cli.command_form import command_of, duration, instant, needs_name

if TYPE_CHECKING:
    from causal_rollouts.cli.command_form import Commands


def offline(commands: Commands) -> None:
    """All of them."""
    report = command_of(
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
    record = command_of(
        commands,
        "record",
        "record",
        "a recording of a running or past release, to replay anywhere",
        cluster=True,
        output=False,
    )
    needs_name(record)
    record.add_argument("-o", "--output", type=Path, metavar="DIR", required=True, help="new or empty")
    record.add_argument("--format", choices=("text", "json"), default="text", help="of what is printed")
    _past_release(record, required=True)
    replay = command_of(
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
        type=instant,
        metavar="T",
        help="no tick after T: seconds since the epoch, or a time like 2026-03-01T12:00:00Z",
    )
    replay.add_argument("--stop", action="store_true", help="end with the first Revert")
    opinion = command_of(
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
        help="a recording of another service over the same time, whose moves are taken off the total effect "
        "(default: that of spec.reference, where it was recorded)",
    )
    _simulate(commands)
    _own_past(commands)
    _lint(commands)
    completion = command_of(
        commands,
        "completion",
        "completion",
        "the script that completes these commands in a shell",
        output=False,
    )
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), help="source what is printed")


def _own_past(commands: Commands) -> None:
    aa = command_of(
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
        type=duration,
        default=1800.0,
        metavar="TIME",
        help="of --live (default 30m)",
    )
    aa.add_argument("--namespace", default="", metavar="NS", help="of --live; default: of the context")
    aa.add_argument("--kubeconfig", default="", metavar="FILE", help="of --live; default: KUBECONFIG")
    aa.add_argument("--context", default="", metavar="NAME", help="of the kubeconfig")
    plan = command_of(
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
            type=duration,
            default=window,
            metavar="TIME",
            help=f"how much of it (default {text})",
        )
        command.add_argument(
            "--to", dest="end", type=instant, metavar="T", help="and nothing after T (default now)"
        )
        _bins(command)
        _source(command)


def _bins(command: argparse.ArgumentParser) -> None:
    """What makes a bin."""
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


def _lint(commands: Commands) -> None:
    lint = command_of(
        commands,
        "lint",
        "lint",
        "what the cluster or the operator would refuse of manifests, by line; asks neither",
    )
    lint.add_argument(
        "-f",
        "--file",
        action="append",
        required=True,
        metavar="FILE",
        help="manifests, a directory of them, or - for stdin; may be repeated",
    )
    lint.add_argument("-R", "--recursive", action="store_true", help="directories with all that is below")
    _bins(lint)


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
            f"--{word}", dest=name, type=instant, metavar="T", help=f"{text} (default: all of the release)"
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
    made = command_of(
        commands, "simulate", "simulate", "write recordings of simulated releases, to replay", output=False
    )
    made.add_argument("scenario", nargs="?", metavar="SCENARIO", help="what happens in them; see --list")
    made.add_argument("--list", action="store_true", help="name the scenarios and say what they are")
    made.add_argument("-n", "--runs", type=int, default=1, metavar="N", help="recordings (default 1)")
    made.add_argument("--seed", type=int, default=0, metavar="S", help="of the first one (default 0)")
    made.add_argument("-o", "--output", type=Path, metavar="DIR", help="one directory a run is made in it")
    made.add_argument("--format", choices=("text", "json"), default="text", help="of what is printed")
