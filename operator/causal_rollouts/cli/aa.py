"""`aa`: the user's own policy over the user's own history, where nothing was released."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from causal_rollouts.analysis.past import NoPast
from causal_rollouts.analysis.pseudo_release import pseudo_releases
from causal_rollouts.analysis.pseudo_tally import BLIND_TO, PseudoTally, pseudo_tally
from causal_rollouts.cli import aa_live
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.ground import Ground, ground
from causal_rollouts.cli.printing import as_json, say, table


async def run(asked: argparse.Namespace, reach: Callable[[], AbstractAsyncContextManager[Cluster]]) -> Exit:
    """Run the pseudo-releases and say how often each end was met; with --live an A/A test on the cluster."""
    if asked.live:
        return await aa_live.run(asked, reach)
    if asked.runs < 1 or asked.seed < 0:
        raise Stopped(
            f"-n {asked.runs} --seed {asked.seed}: give at least 1 run and no negative seed", Exit.USAGE
        )
    found = await ground(asked)
    try:
        ends = list(pseudo_releases(found.registration, found.past, asked.runs, asked.seed))
    except NoPast as error:
        raise Stopped(str(error), Exit.USAGE) from error
    told = pseudo_tally(found.registration, found.past, ends)
    say(as_json(told.plain() | {"name": found.name}) if asked.output == "json" else _text(found, told))
    return Exit.OK


def _text(found: Ground, told: PseudoTally) -> str:
    head = (
        f"{found.name}: {told.runs} pseudo-releases over {found.past.minutes:.0f} min of {found.source}, "
        f"{told.pods} pods on {told.nodes} node(s); nothing was released."
    )
    rows = [
        (
            str(end.end),
            str(end.runs),
            f"{end.runs / told.runs:.1%}",
            f"{end.bounds[0]:.1%} to {end.bounds[1]:.1%}",
            ", ".join(f"{cause} {n}" for cause, n in end.causes),
        )
        for end in told.ends
    ]
    lines = [head, "", table(("END", "RUNS", "SHARE", "95% BOUNDS", "WHY"), rows), ""]
    if told.placebo:
        lines.append(f"The placebo fired in {told.placebo}: stable pods differ from stable pods.")
    lines.append(
        f"A revert here is a false one; the policy allows {told.alpha:.2%}. The bounds hold as if runs were "
        f"independent; the history holds about {told.apart} that do not overlap."
    )
    lines += [f"- {line}" for line in BLIND_TO]
    return "\n".join(lines)
