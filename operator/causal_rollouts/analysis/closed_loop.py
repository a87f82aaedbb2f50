"""Many releases, run by the gate's own decisions, and a table of what became of them.

    python -m causal_rollouts.analysis.closed_loop --scenario plain --scenario drift -n 300
    python -m causal_rollouts.analysis.closed_loop --scenario plain -n 40 --peers clock

The promise of the product is a share of false reverts over whole rollouts, so
whole rollouts are what is counted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import partial
from pathlib import Path

import numpy as np

from causal_rollouts.analysis.calibration_table import HEADER, family, kept, row
from causal_rollouts.analysis.clocked_release import ClockedRelease
from causal_rollouts.analysis.peers.beside import beside
from causal_rollouts.analysis.peers.side_by_side import Verdicts, kept_beside, side_by_side, table
from causal_rollouts.analysis.peers.verdict import PeerVerdict
from causal_rollouts.analysis.simulated_release import Ended, SimulatedRelease
from causal_rollouts.analysis.simulation.reach import distance
from causal_rollouts.analysis.simulation.scenarios import SCENARIOS, Kind
from causal_rollouts.analysis.simulation.setting import Setting
from causal_rollouts.model.registration import ArmsPlan, Budget, Times
from causal_rollouts.model.scatter import Scatter, together
from causal_rollouts.model.switchback import Switchback


class Allocation(StrEnum):
    """How many baseline slots stand beside the canary's.

    design: one to one until they would take more than a fifth of the traffic, then one a cohort.
    equal: one to one as long as both arms fit beside stable. double: two to one, under the rule of design.
    four, five, ten: design with at least so many pods in an arm. before, five-before, ten-before: design,
    five and ten, with both arms on the stable template for ten minutes first.
    """

    DESIGN = "design"
    EQUAL = "equal"
    DOUBLE = "double"
    FOUR = "four"
    FIVE = "five"
    TEN = "ten"
    BEFORE = "before"
    FIVE_BEFORE = "five-before"
    TEN_BEFORE = "ten-before"


ARMS = {
    Allocation.DESIGN: ArmsPlan(),
    Allocation.EQUAL: ArmsPlan(baseline_max_share=1000),
    Allocation.DOUBLE: ArmsPlan(baseline_ratio=2.0),
    Allocation.FOUR: ArmsPlan(min_pods=4),
    Allocation.FIVE: ArmsPlan(min_pods=5),
    Allocation.TEN: ArmsPlan(min_pods=10),
    Allocation.BEFORE: ArmsPlan(pre_period=600.0),
    Allocation.FIVE_BEFORE: ArmsPlan(min_pods=5, pre_period=600.0),
    Allocation.TEN_BEFORE: ArmsPlan(min_pods=10, pre_period=600.0),
}


@dataclass(frozen=True, slots=True)
class Knobs:
    """Defaults of the gate that are tried against others. advance: nats; blackout: bins.

    trials: A/A tests of ten minutes that came before, of other pods of the same service.
    """

    advance: float = Budget().advance
    blackout: int = Times().blackout
    probe: bool = False
    trials: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One run: everything that fixes it."""

    scenario: str
    seed: int
    allocation: Allocation = Allocation.DESIGN
    knobs: Knobs = Knobs()

    def setting(self) -> Setting:
        """The world of this run; the same for every allocation and every knob."""
        drawn = SCENARIOS[self.scenario].draw(np.random.default_rng([self.seed, 7]))
        return replace(
            drawn,
            scatter=together([_trial(drawn, self.seed, k) for k in range(self.knobs.trials)]),
            arms=ARMS[self.allocation],
            budget=replace(drawn.budget, advance=self.knobs.advance),
            times=replace(drawn.times, blackout=self.knobs.blackout),
            probe=Switchback() if self.knobs.probe else None,
        )


def _trial(drawn: Setting, seed: int, number: int) -> tuple[Scatter, ...]:
    """The seeds are far from those of any release."""
    alike = replace(drawn, arms=ARMS[Allocation.BEFORE])
    return SimulatedRelease(alike, seed + 100_000_000 * (number + 1)).trial()


class Course(StrEnum):
    """Which course of a release other tools' rules are given to judge.

    gate: the one that our gate's decisions made, up to where it ended the release.
    clock: that of the same service and pods with stages that pass by the clock, on which nobody acts.
    """

    GATE = "gate"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a release, and what other tools would have done on a course of it (where asked)."""

    ended: Ended
    course: Course | None = None
    peers: Mapping[str, PeerVerdict] = field(default_factory=dict)


def run(case: Case) -> Ended:
    """One release to its end."""
    return SimulatedRelease(case.setting(), case.seed).run()


def run_judged(case: Case, course: Course | None = None) -> Judged:
    """One release to its end, and the verdicts of other tools on a course of it."""
    release = SimulatedRelease(case.setting(), case.seed)
    ended = release.run()
    if course is None:
        return Judged(ended)
    if course is Course.CLOCK:
        release = ClockedRelease(case.setting(), case.seed)
        release.run()
    return Judged(ended, course, beside(release.watched()))


def run_all(cases: Sequence[Case], jobs: int = 1, course: Course | None = None) -> Iterator[Judged]:
    """All of them in order, on `jobs` processes."""
    judge = partial(run_judged, course=course)
    if jobs == 1:
        yield from map(judge, cases)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(judge, cases, chunksize=4)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    given = _parser().parse_args(arguments)
    names = given.scenario or [name for name, s in SCENARIOS.items() if given.kind in (None, s.kind)]
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        sys.stderr.write(f"--scenario: no scenario {', '.join(unknown)}; use one of {', '.join(SCENARIOS)}\n")
        return 2
    sys.stdout.write(HEADER)
    if given.table:
        _print_kept(given.table, given.allocation)
        return 0
    knobs = Knobs(given.advance, given.blackout, given.probe, given.trials)
    if given.keep and knobs != Knobs():
        sys.stderr.write(
            "--keep: holds runs of the defaults only; leave out --advance, --blackout, --probe, --trials\n"
        )
        return 2
    # What other tools said of a run that was kept without them is not in the file.
    before = {} if given.peers else _before(given.keep, given.allocation)
    verdicts: dict[str, list[Verdicts]] = {}
    for name in names:
        cases = [Case(name, given.seed + i, given.allocation, knobs) for i in range(given.n)]
        ended, verdicts[name] = before.get(name, {}), []
        fresh = [case for case in cases if case.seed not in ended]
        for case, one in zip(fresh, run_all(fresh, given.jobs, given.peers), strict=True):
            ended[case.seed] = one.ended
            verdicts[name].append(_beside(one))
            if given.keep:
                _keep(given.keep, case, one)
        runs = [ended[case.seed] for case in cases]
        sys.stdout.write(row(name, runs, _distances(cases, runs)))
        sys.stdout.flush()
    if given.peers:
        sys.stdout.write("\n" + table(given.peers, verdicts))
    return 0


def _before(path: Path | None, allocation: Allocation) -> dict[str, dict[int, Ended]]:
    """Runs that an earlier call kept, by scenario and seed."""
    if path is None or not path.exists():
        return {}
    return {name: dict(runs) for name, runs in kept(path, allocation).items()}


def _print_kept(path: Path, allocation: Allocation) -> None:
    """The table of runs that were kept, whatever the calls that made them."""
    found = kept(path, allocation)
    for name, runs in found.items():
        cases = [Case(name, seed, allocation) for seed, _ in runs]
        sys.stdout.write(row(name, [run for _, run in runs], _distances(cases, [run for _, run in runs])))
    sys.stdout.write("\n" + family({name: [run for _, run in runs] for name, runs in found.items()}))
    for course, by_others in kept_beside(path, allocation).items():
        sys.stdout.write("\n" + table(course, by_others))


def _beside(judged: Judged) -> Verdicts:
    ended = judged.ended
    return side_by_side(ended.end, ended.seconds, ended.cause, judged.peers)


def _distances(cases: Sequence[Case], runs: Sequence[Ended]) -> list[float | None]:
    return [distance(case.setting(), run.stage) for case, run in zip(cases, runs, strict=True)]


def _keep(path: Path, case: Case, one: Judged) -> None:
    """Append a run as a line of JSON: a false revert has to be looked at one by one."""
    fixed = {"scenario": case.scenario, "seed": case.seed, "allocation": case.allocation}
    verdicts = {name: asdict(verdict) for name, verdict in one.peers.items()}
    peers = {one.course: verdicts} if one.course else {}
    with path.open("a") as out:
        out.write(json.dumps({**fixed, **asdict(one.ended), "peers": peers}) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m causal_rollouts.analysis.closed_loop", description=__doc__
    )
    parser.add_argument("--scenario", action="append", help="name of a scenario, repeatable; default all")
    parser.add_argument("--kind", type=Kind, choices=list(Kind), help="only scenarios of this kind")
    parser.add_argument("-n", type=int, default=100, help="runs a scenario")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first run")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--allocation", type=Allocation, choices=list(Allocation), default=Allocation.DESIGN)
    knobs = Knobs()
    parser.add_argument("--advance", type=float, default=knobs.advance, help="nats that let a stage advance")
    parser.add_argument("--blackout", type=int, default=knobs.blackout, help="bins left out after a move")
    parser.add_argument("--probe", action="store_true", help="probe by switchback what makes everybody worse")
    parser.add_argument("--trials", type=int, default=0, help="A/A tests that came before each release")
    parser.add_argument(
        "--peers", type=Course, choices=list(Course), help="ask other tools' rules too, about this course"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        help="append every run to this file as JSON lines; those it has are not run again",
    )
    parser.add_argument(
        "--table", type=Path, help="run nothing: print the table of the runs kept in this file"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
