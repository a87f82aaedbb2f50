"""`python -m bench.faults`: runs every suite that tries faults and prints the table of docs/failure-modes.md.

A suite watches some of the promises in each of its runs; a run that fails is
counted against every promise that its suite watches, since it may be any.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import pytest

LOST, REPEATED, ROSE, BLAMED = "lost effects", "repeated effects", "rises without evidence", "false blame"
PROMISES = (LOST, REPEATED, ROSE, BLAMED)
EFFECTS, TRUST = (LOST, REPEATED), (ROSE, BLAMED)


@dataclass
class Suite:
    """watches: promises that each of its runs would break by failing. faults: names of what was done."""

    what: str
    path: str
    watches: tuple[str, ...]
    faults: set[str] = field(default_factory=set)
    runs: int = 0
    failed: int = 0

    def row(self) -> str:
        """A line of the table."""
        cells = [str(self.failed) if promise in self.watches else "" for promise in PROMISES]
        return "| " + " | ".join((self.what, str(len(self.faults)), str(self.runs), *cells)) + " |"


SUITES = (
    Suite("death before and after each call", "tests/unit/control/test_crash_anywhere.py", EFFECTS),
    Suite("two operators at once", "tests/unit/control/test_two_operators.py", (*EFFECTS, ROSE)),
    Suite("leaders that stop, wake and resign", "tests/unit/runtime/test_election.py", EFFECTS),
    Suite("faults of the API server", "tests/unit/control/test_api_faults.py", PROMISES),
    Suite("pods that cannot run", "tests/unit/control/test_blocked.py", TRUST),
    Suite("the operator is away", "tests/unit/control/test_operator_away.py", TRUST),
    Suite("everything in any order", "tests/unit/control/test_anything_goes.py", (ROSE,)),
    Suite("metrics: the adapter", "tests/contract/test_metric_faults.py", ()),
    Suite("metrics: faults on a whole release", "tests/unit/control/test_metric_faults.py", TRUST),
    Suite("metrics: away in each phase", "tests/unit/control/test_metrics_away.py", TRUST),
    Suite("metrics: one that cannot be used", "tests/unit/control/test_bad_metrics.py", TRUST),
)


class Counting:
    """A pytest plugin that keeps the score."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test."""
        suite = next((s for s in SUITES if report.nodeid.startswith(s.path)), None)
        if suite is None or (report.when != "call" and not report.failed):
            return
        suite.runs += 1
        suite.failed += report.failed
        test, _, given = report.nodeid.partition("::")[2].partition("[")
        suite.faults.add(given.rstrip("]").rpartition("-")[2] or test)


def points() -> int:
    """Places at which a release was cut."""
    from tests.unit.control.test_crash_anywhere import STORIES, places, uncut

    return sum(len(list(places(uncut(name).calls))) for name in STORIES)


def main(chosen: list[str]) -> int:
    """Run the suites (or those whose path holds a chosen word) and print the table."""
    suites = [s for s in SUITES if not chosen or any(word in s.path for word in chosen)]
    paths = [suite.path for suite in suites]
    code = pytest.main(["-q", "--no-header", "-m", "not cluster", *paths], plugins=[Counting()])
    print("\n| what | faults | runs | " + " | ".join(PROMISES) + " |")
    print("|---|---|---|---|---|---|---|")
    for suite in suites:
        if "crash" in suite.path:
            # One test cuts many places in turn.
            suite.faults = {str(i) for i in range(points())}
            suite.runs = len(suite.faults)
        print(suite.row())
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
