"""Looking at something again and again while something else happens."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from e2e.cluster.progress import say
from e2e.cluster.trouble import ClusterTrouble

T = TypeVar("T")


@contextmanager
def sampled(look: Callable[[], T], every: float) -> Iterator[list[T]]:
    """What each look saw, `every` seconds, while the body runs; one that fails is told and left out."""
    seen: list[T] = []
    over = threading.Event()

    def keep_looking() -> None:
        while not over.is_set():
            try:
                seen.append(look())
            except (ClusterTrouble, ValueError) as trouble:
                say(f"  a look failed: {trouble}")
            over.wait(every)

    thread = threading.Thread(target=keep_looking, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
