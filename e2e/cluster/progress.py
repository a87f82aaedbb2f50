"""Everything that takes time says so: lines with elapsed seconds, and waits with a bound."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from e2e.cluster.trouble import ClusterTrouble

T = TypeVar("T")
_STARTED = time.monotonic()


def say(text: str) -> None:
    print(f"[{time.monotonic() - _STARTED:6.1f} s] {text}", flush=True)


def wait_for(
    what: str,
    probe: Callable[[], T | None],
    seconds: float,
    every: float = 0.2,
    alive: Callable[[], None] = lambda: None,
) -> T:
    """Ask `probe` until it gives something true; give up after `seconds` and name `what` was awaited.

    A probe may raise OSError (nothing listens yet) or ClusterTrouble (a command failed): both mean
    "not yet", and the last one is quoted if the time runs out. `alive` raises when waiting is vain.
    """
    began = time.monotonic()
    told = began
    last = ""
    while True:
        try:
            answer = probe()
        except (OSError, ClusterTrouble) as problem:
            answer, last = None, f" (last: {problem})"
        if answer:
            return answer
        alive()
        now = time.monotonic()
        if now - began > seconds:
            raise ClusterTrouble(f"waited {seconds:.0f} s for {what}, in vain{last}")
        if now - told > 10:
            told = now
            say(f"  still waiting for {what}, {now - began:.0f} of at most {seconds:.0f} s")
        time.sleep(every)


@contextmanager
def heartbeat(what: Callable[[], str], every: float = 15) -> Iterator[None]:
    """Say `what()` now and then while the body runs, so that a long step is not taken for a hung one."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(every):
            say(f"  {what()}")

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
