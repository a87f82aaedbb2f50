"""Seconds, measured so that a busy machine says as little as it can."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """The fastest and the middle one of some runs, in seconds of CPU and of the wall."""

    cpu: float
    wall: float
    wall_median: float


def of(work: Callable[[], object], runs: int) -> Figure:
    """Time of a call."""
    cpu, wall = [], []
    for _ in range(runs):
        began, began_cpu = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - began_cpu)
    return Figure(min(cpu), min(wall), sorted(wall)[runs // 2])


def of_process(words: Sequence[str], runs: int) -> Figure:
    """Time of a Python process from its start to its end, with these words after the interpreter's name."""
    spent: list[float] = []

    def once() -> None:
        before = _children()
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
        spent.append(_children() - before)

    whole = of(once, runs)
    return Figure(min(spent), whole.wall, whole.wall_median)


def _children() -> float:
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ms(seconds: float) -> str:
    """`12.3 ms`."""
    return f"{1000 * seconds:.1f} ms"
