"""Our gate and other tools' rules over the same releases, as a table of Markdown."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from causal_rollouts.analysis.peers.verdict import PASSED, PeerVerdict
from causal_rollouts.analysis.simulated_release import End
from causal_rollouts.analysis.simulation.scenarios import SCENARIOS

OURS = "this gate"

LEFT = "this gate, left to people"
"""Neither reverted nor promoted: other tools have no such end, so a table without it would flatter ours."""

Verdicts = Mapping[str, PeerVerdict]
"""Of one release, by name of the rule, ours among them."""


def side_by_side(end: End, seconds: float, cause: str, peers: Mapping[str, PeerVerdict]) -> Verdicts:
    """Ours first. end, seconds, cause: what became of the release under our gate."""
    came = PeerVerdict(failed=True, at=seconds, why=cause)
    ours = came if end is End.REVERTED else PASSED
    left = came if end is End.PAUSED else PASSED
    return {OURS: ours, LEFT: left, **peers}


def table(course: str, by_scenario: Mapping[str, Sequence[Verdicts]]) -> str:
    """Tools down, scenarios across: share that was failed, and minutes to it (median).

    course: the one that other tools judged; ours always acts on its own.
    """
    names = list(by_scenario)
    tools = list(dict.fromkeys(tool for runs in by_scenario.values() for run in runs for tool in run))
    heads = [f"{name} ({SCENARIOS[name].kind}, {len(by_scenario[name])})" for name in names]
    lines = [[f"failed, minutes ({course})", *heads], ["---"] * (len(names) + 1)]
    lines += [[tool, *(_cell([run[tool] for run in by_scenario[name]]) for name in names)] for tool in tools]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def kept_beside(path: Path, allocation: str) -> dict[str, dict[str, list[Verdicts]]]:
    """What was kept of runs that other tools judged too, by course and scenario; a seed counts once."""
    found: dict[str, dict[str, dict[int, Verdicts]]] = {}
    for line in path.read_text().splitlines():
        fields = json.loads(line)
        if fields["allocation"] != allocation:
            continue
        for course, said in fields.get("peers", {}).items():
            peers = {name: PeerVerdict(**verdict) for name, verdict in said.items()}
            run = side_by_side(End(fields["end"]), fields["seconds"], fields["cause"], peers)
            found.setdefault(course, {}).setdefault(fields["scenario"], {})[fields["seed"]] = run
    return {
        course: {name: list(runs[name].values()) for name in SCENARIOS if name in runs}
        for course, runs in found.items()
    }


def _cell(verdicts: Sequence[PeerVerdict]) -> str:
    delays = [verdict.at for verdict in verdicts if verdict.failed and verdict.at is not None]
    share = f"{sum(verdict.failed for verdict in verdicts) / len(verdicts):.0%}"
    return f"{share}, {statistics.median(delays) / 60.0:.1f}" if delays else share
