"""`simulate SCENARIO`: recordings of releases that never happened, to try the gate on before trusting it."""

from __future__ import annotations

import argparse
from pathlib import Path

from causal_rollouts.analysis.closed_loop import Case
from causal_rollouts.analysis.recording import write
from causal_rollouts.analysis.simulate import simulate
from causal_rollouts.analysis.simulation.scenarios import SCENARIOS
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.printing import as_json, say, table


async def run(asked: argparse.Namespace, _: object) -> Exit:
    """Write one recording a run and say where."""
    if asked.list:
        _list(json=asked.format == "json")
        return Exit.OK
    if asked.scenario is None or asked.output is None:
        raise Stopped(
            "simulate: give a SCENARIO and where to write with -o DIR; --list names them", Exit.USAGE
        )
    if asked.scenario not in SCENARIOS:
        raise Stopped(
            f'SCENARIO: there is no "{asked.scenario}"; --list names all {len(SCENARIOS)}', Exit.USAGE
        )
    if asked.runs < 1 or asked.seed < 0:
        raise Stopped(
            f"-n {asked.runs} --seed {asked.seed}: give at least 1 run and no negative seed", Exit.USAGE
        )
    directory: Path = asked.output
    for seed in range(asked.seed, asked.seed + asked.runs):
        where = directory / f"{asked.scenario.replace('/', '-')}-{seed}"
        try:
            write(simulate(Case(asked.scenario, seed).setting(), seed), where)
        except OSError as error:
            raise Stopped(
                f"{where}: cannot be written: {error.strerror}; give another -o DIR", Exit.FAILED
            ) from error
        say(
            as_json({"scenario": asked.scenario, "seed": seed, "directory": str(where)}, lines=True)
            if asked.format == "json"
            else str(where)
        )
    return Exit.OK


def _list(*, json: bool) -> None:
    if json:
        say(as_json([{"name": s.name, "kind": str(s.kind), "what": s.what} for s in SCENARIOS.values()]))
        return
    rows = ((s.name, str(s.kind), s.what) for s in SCENARIOS.values())
    say(table(("SCENARIO", "KIND", "WHAT HAPPENS"), rows))
