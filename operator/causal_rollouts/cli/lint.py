"""`lint -f FILE`: what a cluster or the operator would refuse, told without either, with line and fix."""

from __future__ import annotations

import argparse

from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.finding import Finding
from causal_rollouts.cli.manifest_files import manifest_files
from causal_rollouts.cli.manifests import Manifests
from causal_rollouts.cli.printing import as_json, say
from causal_rollouts.model.bins import Grid


async def run(asked: argparse.Namespace, _: object) -> Exit:
    """Print what is wrong; exit 1 where anything is."""
    read = Manifests()
    for name, text in manifest_files(asked.file, recursive=asked.recursive):
        read.add(name, text)
    width = 2.0 * asked.scrape
    found = await read.judge(Grid(width, width + asked.ingest_lag, asked.scrape))
    if asked.output == "json":
        say(as_json(_plain(read, found)))
    else:
        say("\n".join((*map(str, found), _summary(read, found))))
    return Exit.FAILED if found else Exit.OK


def _plain(read: Manifests, found: tuple[Finding, ...]) -> dict[str, object]:
    return {
        "findings": [one.plain() for one in found],
        "checked": read.checked,
        "skipped": read.skipped,
        "policiesAbsent": sorted(read.absent),
    }


def _summary(read: Manifests, found: tuple[Finding, ...]) -> str:
    said = f"{read.checked} checked, {read.skipped} of other kinds skipped: {len(found) or 'no'} finding"
    absent = ", ".join(sorted(read.absent))
    left_out = f"; not judged under RolloutPolicy {absent}, which is in no file" if absent else ""
    return f"{said}{'' if len(found) == 1 else 's'}{left_out}"
