"""`python -m e2e.soak`: 200 rollouts for 20 minutes on the cluster that is up, releases coming and going.

Ends with 1 where the operator's memory grew, a pass failed without a reason, or rollouts wait too long.
"""

import argparse
import sys
import time
from collections import deque
from itertools import cycle

from e2e.cluster import state
from e2e.cluster.progress import say
from e2e.cluster.trouble import ClusterTrouble
from e2e.demo.cpu_use import CpuUse
from e2e.figures.rest import resident
from e2e.operator_host import NAME, OperatorProcess, install
from e2e.shop import sweep
from e2e.soak.crowd import Crowd
from e2e.soak.flat import Flat, flat

NAMESPACE = "soak"
SAMPLE = 10.0
RELEASE_EVERY = 20.0
AT_ONCE = 3
LATEST = 30.0
"""Seconds: rollouts wait in turn for a worker, and not behind each other without end."""


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m e2e.soak", description=__doc__)
    parser.add_argument("--rollouts", type=int, default=200, help="how many (default 200)")
    parser.add_argument("--minutes", type=float, default=20, help="for how long (default 20)")
    wanted = parser.parse_args(words)
    cluster = state.load()
    install(cluster)
    operator = OperatorProcess(cluster)
    operator.stop()
    sweep(cluster, NAMESPACE)
    operator.start()
    crowd = Crowd(cluster, NAMESPACE, wanted.rollouts)
    try:
        crowd.open()
        busy = CpuUse(cluster.programs)
        releases, mib = _soak(crowd, operator, wanted.minutes * 60)
        cores = busy.cores_by_program(at_least=0.0).get(NAME, 0.0)
        return _told(
            operator, flat(mib), f"{wanted.rollouts} rollouts, {releases} releases, {cores:.3f} cores"
        )
    except ClusterTrouble as trouble:
        print(f"e2e.soak: {trouble}", file=sys.stderr)
        return trouble.status
    finally:
        crowd.close()
        operator.stop()


def _soak(crowd: Crowd, operator: OperatorProcess, seconds: float) -> tuple[int, list[float]]:
    """(releases that came and went, MiB of each sample)."""
    mib: list[float] = []
    open_ones: deque[tuple[str, int]] = deque()
    names, end, due, build = cycle(crowd.names), time.monotonic() + seconds, 0.0, 0
    while time.monotonic() < end:
        crowd.cluster.programs.check(NAME)
        mib.append(resident(crowd.cluster))
        if time.monotonic() >= due:
            due, build = time.monotonic() + RELEASE_EVERY, build + 1
            open_ones.append((name := next(names), build))
            crowd.request(name, build)
            if len(open_ones) > AT_ONCE:
                crowd.abort(*open_ones.popleft())
            say(f"{mib[-1]:.0f} MiB, {build} releases begun, the oldest due {_late(operator):.1f} s")
        time.sleep(SAMPLE)
    while open_ones:
        crowd.abort(*open_ones.popleft())
    return build, mib


def _told(operator: OperatorProcess, found: Flat, what: str) -> int:
    quarters = ", ".join(f"{mib:.0f}" for mib in found.quarters)
    print(
        f"{what}: {quarters} MiB in the quarters of the time, {found.growth:+.1%} from the second to the last"
    )
    failures, late = operator.metric("pass_failures_total", kind="Unexpected"), _late(operator)
    print(f"passes that failed without a known reason: {failures:g}; the oldest due at the end: {late:.1f} s")
    return 0 if found.ok and not failures and late <= LATEST else 1


def _late(operator: OperatorProcess) -> float:
    """Seconds by which the most overdue rollout waits for its pass."""
    return operator.metric("queue_oldest_seconds")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
