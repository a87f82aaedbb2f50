"""Keys to reconcile: one worker per key at a time, many keys at once.

kopf only tells that something changed; this queue decides when to look. A key
that fails waits longer each time, up to a bound; a key told again while it is
being worked on is worked on again.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from causal_rollouts.model.world import Key
from causal_rollouts.ports import Broken, NotYet, Refused

BACKOFF_FIRST = 1.0
BACKOFF_MOST = 60.0

Work = Callable[[Key], Awaitable[float | None]]
"""Reconcile one key; returns seconds until the next look, None to forget it."""

log = logging.getLogger("causal_rollouts.queue")


@dataclass(slots=True)
class _Entry:
    due: float
    failures: int = 0
    running: bool = False
    again: bool = False


@dataclass(slots=True)
class KeyedQueue:
    """Runs `work` for keys as they become due. `done` counts finished passes (liveness reads it)."""

    work: Work
    workers: int = 8
    done: int = 0
    _entries: dict[Key, _Entry] = field(default_factory=dict)
    _heap: list[tuple[float, int, Key]] = field(default_factory=list)
    _order: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def tell(self, key: Key) -> None:
        """Something about this key changed."""
        entry = self._entries.get(key)
        if entry is not None and entry.running:
            entry.again = True
            return
        self._schedule(key, 0.0)

    @property
    def depth(self) -> int:
        """Keys known."""
        return len(self._entries)

    def oldest_due(self) -> float:
        """Seconds by which the most overdue key is late, 0 if none is."""
        now = asyncio.get_running_loop().time()
        late = [now - e.due for e in self._entries.values() if not e.running]
        return max(0.0, max(late, default=0.0))

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then waits for the passes under way."""
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._start_due()
                await self._sleep(stopped)
        finally:
            stopped.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)

    def _schedule(self, key: Key, delay: float) -> None:
        due = asyncio.get_running_loop().time() + delay
        entry = self._entries.setdefault(key, _Entry(due))
        entry.due = due
        self._order += 1
        heapq.heappush(self._heap, (due, self._order, key))
        self._wake.set()

    def _start_due(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._heap and self._heap[0][0] <= now and len(self._tasks) < self.workers:
            due, _, key = heapq.heappop(self._heap)
            entry = self._entries.get(key)
            if entry is None or entry.running or entry.due != due:
                continue
            entry.running, entry.again = True, False
            task = asyncio.create_task(self._one(key, entry))
            self._tasks.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()

    async def _one(self, key: Key, entry: _Entry) -> None:
        delay = await self._attempt(key, entry)
        self.done += 1
        entry.running = False
        if delay is None and not entry.again:
            self._entries.pop(key, None)
            return
        self._schedule(key, 0.0 if entry.again else delay or 0.0)

    async def _attempt(self, key: Key, entry: _Entry) -> float | None:
        try:
            delay = await self.work(key)
        except NotYet as error:
            log.info("%s: somebody else wrote first: %s", key, error)
        except (Refused, Broken) as error:
            log.warning("%s: %s", key, error)
        except Exception:
            log.exception("%s: unexpected failure of a pass", key)
        else:
            entry.failures = 0
            return delay
        entry.failures += 1
        return float(min(BACKOFF_FIRST * 2 ** min(entry.failures - 1, 10), BACKOFF_MOST))

    async def _sleep(self, stopped: asyncio.Task[bool]) -> None:
        self._wake.clear()
        timeout = None
        if self._heap and len(self._tasks) < self.workers:
            timeout = max(0.0, self._heap[0][0] - asyncio.get_running_loop().time())
        woken = asyncio.create_task(self._wake.wait())
        await asyncio.wait({woken, stopped}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        woken.cancel()
