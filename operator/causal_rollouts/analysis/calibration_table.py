"""What many simulated releases came to, as a table of Markdown and a bound of all nulls together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from causal_rollouts.analysis.simulated_release import End, Ended
from causal_rollouts.analysis.simulation.reach import IN_REACH
from causal_rollouts.analysis.simulation.scenarios import SCENARIOS, Kind
from causal_rollouts.analysis.tally import tally
from causal_rollouts.stats.binomial import clopper_pearson

HEADER = (
    "| scenario | kind | runs | reverted | 95% bounds | promoted | 95% bounds | paused "
    "| within reach, of them caught | to revert, median, p90 | to promote | why |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|\n"
)


def row(name: str, runs: Sequence[Ended], z: Sequence[float | None]) -> str:
    """One scenario as a line. z: how far each run's harm stood out, None where that is not defined."""
    found = tally(runs)
    why = ", ".join(f"{cause} {n}" for cause, n in (*found.causes, *found.reasons))
    late = f" ({found.late} after promotion)" if found.late else ""
    cells = (
        name,
        str(SCENARIOS[name].kind),
        str(found.runs),
        f"{found.reverted}{late}",
        _bounds(found.reverted_bounds),
        str(found.promoted),
        _bounds(found.promoted_bounds),
        str(found.paused),
        _within(runs, z),
        f"{_minutes(found.to_revert)}, {_minutes(found.to_revert_90)}",
        _minutes(found.to_promote),
        why + (f"; placebo {found.placebo}" if found.placebo else ""),
    )
    return "| " + " | ".join(cells) + " |\n"


def family(by_scenario: Mapping[str, Sequence[Ended]]) -> str:
    """All nulls together, as a sentence; empty without any."""
    nulls = [runs for name, runs in by_scenario.items() if SCENARIOS[name].kind is Kind.NULL]
    total = sum(map(len, nulls))
    if not total:
        return ""
    reverted = sum(run.end is End.REVERTED for runs in nulls for run in runs)
    bounds = _bounds(clopper_pearson(reverted, total))
    return f"All nulls together: {reverted} of {total:,} reverted ({bounds}).\n"


def kept(path: Path, allocation: str) -> dict[str, list[tuple[int, Ended]]]:
    """Runs of one allocation from a file of JSON lines, by scenario, as (seed, run); a seed counts once."""
    found: dict[str, dict[int, Ended]] = {}
    for line in path.read_text().splitlines():
        fields = json.loads(line)
        name, seed = fields.pop("scenario"), fields.pop("seed")
        fields.pop("peers", None)
        if fields.pop("allocation") == allocation:
            fields["end"] = End(fields["end"])
            found.setdefault(name, {})[seed] = Ended(**fields)
    return {name: sorted(found[name].items()) for name in SCENARIOS if name in found}


def _within(runs: Iterable[Ended], z: Iterable[float | None]) -> str:
    near = [run for run, far in zip(runs, z, strict=True) if far is not None and far >= IN_REACH]
    if not near:
        return "-"
    caught = sum(run.end is End.REVERTED for run in near)
    return f"{len(near)}, {caught} ({caught / len(near):.0%})"


def _bounds(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:.2%} to {bounds[1]:.2%}"


def _minutes(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds / 60.0:.1f} min"
