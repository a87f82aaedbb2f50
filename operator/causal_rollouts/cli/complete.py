"""Completion while somebody types: words and a directive, as cobra's programs print them.

That form is what kubectl asks of `kubectl_complete-<plugin>`, and shells can
ask for it too, so that each shell's script only passes words on.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from causal_rollouts.cli.arguments import parser
from causal_rollouts.cli.candidates import Candidates, Wanted, candidates
from causal_rollouts.cli.printing import say

if TYPE_CHECKING:
    from causal_rollouts.cli.cluster import Opener

HIDDEN = "__complete"
"""The command that scripts call; no person does, so it stands in no help."""

PATIENCE = 3.0
"""Seconds that somebody who pressed a key waits for a cluster."""

FILES, NO_FILES = ":0", ":4"
"""Directives of cobra: whether the shell adds names of files."""


def complete(words: Sequence[str], opener: Opener | None = None) -> int:
    """Print what may come next. words: after the program's name, the last one unfinished. Never fails."""
    found = candidates(parser("causal-rollouts"), words or [""])
    names = _rollouts(found.given, opener) if found.wanted is Wanted.ROLLOUTS else []
    last = words[-1] if words else ""
    told = [f"{word}\t{text}" if text else word for word, text in found.words.items()]
    told += [name for name in names if name.startswith(last)]
    say("\n".join((*(line.replace("\n", " ") for line in told), _directive(found))), tabs=True)
    return 0


def main() -> int:
    """Entry point `kubectl_complete-causal_rollout`."""
    return complete(sys.argv[1:])


def _directive(found: Candidates) -> str:
    return FILES if found.wanted is Wanted.FILES else NO_FILES


def _rollouts(given: Mapping[str, str], opener: Opener | None) -> list[str]:
    """Names of the namespace; none where the cluster does not answer, for only a key was pressed."""
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        return asyncio.run(_asked(argparse.Namespace(**given), opener))
    except Exception:  # noqa: BLE001 - a completion that complains is worse than none
        return []


async def _asked(given: argparse.Namespace, opener: Opener | None) -> list[str]:
    from causal_rollouts.adapters.kube import ROLLOUT
    from causal_rollouts.adapters.reading import name
    from causal_rollouts.cli.cluster import Where, opened

    said = {dest: str(getattr(given, dest, "")) for dest in ("kubeconfig", "context", "namespace")}
    async with asyncio.timeout(PATIENCE), (opener or opened)(Where(**said)) as cluster:
        return sorted(name(obj) for obj in await cluster.kube.list(ROLLOUT, cluster.namespace))
