"""`python -m e2e.figures`: harms, harmless releases in a row, shares, and rest, on the cluster that is up.

Two apps run beside each other, as in the scenarios; the first takes the harms, both take A/A releases.
"""

import argparse
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from statistics import NormalDist

from e2e.cluster.progress import say
from e2e.cluster.trouble import ClusterTrouble
from e2e.demo.cpu_use import CpuUse
from e2e.demo.manifests import RouteForm
from e2e.demo.traffic import Load
from e2e.figures.rest import at_rest, resident
from e2e.figures.told import HEAD, Told, a_a, run
from e2e.ground import Ground, ground
from e2e.operator_host import NAME, OperatorProcess, process
from e2e.shop import Shop

NAMESPACE = "figures"
RATE = 120.0
LONGEST = 4 * 3600.0
FORMS = {"checkout": RouteForm.INJECT, "basket": RouteForm.WEIGHTS}


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m e2e.figures", description=__doc__)
    parser.add_argument("--harms", default="v3,v4,v5", help="versions to be reverted (default v3,v4,v5)")
    parser.add_argument("--aa", type=int, default=20, help="A/A releases in all (default 20)")
    parser.add_argument("--rest", type=float, default=600, help="seconds at rest (default 600)")
    wanted = parser.parse_args(words)
    try:
        with ground(NAMESPACE, process) as made, ExitStack() as stack:
            opened = [_open(made, stack, name) for name in FORMS]
            _figures(made, opened, wanted)
    except ClusterTrouble as trouble:
        print(f"e2e.figures: {trouble}", file=sys.stderr)
        return trouble.status
    return 0


def _open(made: Ground[OperatorProcess], stack: ExitStack, name: str) -> tuple[Shop, Load]:
    shop = Shop(made.cluster, made.app(name, NAMESPACE, replicas=8), FORMS[name])
    return shop, stack.enter_context(made.open(shop, RATE, LONGEST))


def _figures(
    made: Ground[OperatorProcess], opened: list[tuple[Shop, Load]], wanted: argparse.Namespace
) -> None:
    busy = CpuUse(made.cluster.programs)
    harms = [name for name in wanted.harms.split(",") if name]
    each = -(-wanted.aa // len(opened))
    with ThreadPoolExecutor(len(opened)) as pool:
        tasks = [pool.submit(_series, *pair, harms if not at else [], each) for at, pair in enumerate(opened)]
        told = [one for task in tasks for one in task.result()]
    cores, memory = busy.cores_by_program(at_least=0.0).get(NAME, 0.0), resident(made.cluster)
    rest = at_rest(made.cluster, wanted.rest) if wanted.rest else None
    print(HEAD)
    for one in told:
        print(one.line())
    print(_alarms(told))
    print(_shares(told))
    print(f"the operator with releases of two apps: {cores:.3f} cores, {memory:.0f} MiB resident")
    if rest:
        print(rest.line())


def _series(shop: Shop, load: Load, harms: list[str], releases: int) -> list[Told]:
    found = []
    for version in harms:
        found.append(run(shop, load, version))
        say(found[-1].line())
    for one in a_a(shop, load, releases):
        found.append(one)
        say(one.line())
    return found


def _alarms(told: Iterable[Told]) -> str:
    harmless = [one for one in told if one.version in {"v2", "v6"}]
    ends = sorted({one.outcome for one in harmless})
    counted = ", ".join(f"{sum(one.outcome == end for one in harmless)} {end}" for end in ends)
    return f"A/A releases: {len(harmless)}, of which {counted}"


def _shares(told: Iterable[Told]) -> str:
    """The largest distance, beside what the largest of as many fair draws exceeds once in twenty times."""
    found = [share for one in told for share in one.shares]
    if not found:
        return "no weights stood still for long enough"
    worst = max(found, key=lambda share: abs(share.off))
    fair = NormalDist().inv_cdf(1 - 0.05 / (2 * len(found)))
    return (
        f"shares at {len(found)} standing weights: the furthest is {worst.observed:.4f} for {worst.weight:g} "
        f"({worst.arm}, {worst.requests} requests), {worst.off:+.1f} standard errors; "
        f"one in twenty sets of fair draws goes beyond {fair:.1f}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
