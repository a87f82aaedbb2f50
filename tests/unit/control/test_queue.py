"""Keys are worked on one at a time each, many at once; failures wait longer; a stop waits for what runs."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from causal_rollouts.control import queue as module
from causal_rollouts.control.queue import KeyedQueue
from causal_rollouts.model.world import Key
from causal_rollouts.ports import Broken, NotYet, Refused

A, B = Key("shop", "a"), Key("shop", "b")
SOON = 0.01


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKOFF_FIRST", SOON)
    monkeypatch.setattr(module, "BACKOFF_MOST", 4 * SOON)


@dataclass
class Worker:
    """Notes each pass; `answer` says what a pass gives, by how many there were of its key."""

    answer: Callable[[Key, int], float | None]
    lasts: float = 0.0
    passes: list[Key] = field(default_factory=list)
    at_once: dict[Key, int] = field(default_factory=dict)
    most: dict[Key, int] = field(default_factory=dict)
    together: int = 0

    async def __call__(self, key: Key) -> float | None:
        self.passes.append(key)
        self.at_once[key] = self.at_once.get(key, 0) + 1
        self.most[key] = max(self.most.get(key, 0), self.at_once[key])
        self.together = max(self.together, sum(self.at_once.values()))
        try:
            await asyncio.sleep(self.lasts)
            return self.answer(key, self.passes.count(key))
        finally:
            self.at_once[key] -= 1


async def running(queue: KeyedQueue, story: Callable[[], Awaitable[None]], *, within: float = 5.0) -> None:
    """Run the queue while a story is told, then stop it."""
    stop = asyncio.Event()
    task = asyncio.create_task(queue.run(stop))
    try:
        await asyncio.wait_for(story(), within)
    finally:
        stop.set()
        await asyncio.wait_for(task, within)


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - what is waited for knows of no event
        await asyncio.sleep(SOON / 10)


async def test_a_key_that_is_told_is_worked_on() -> None:
    worker = Worker(lambda *_: None)
    queue = KeyedQueue(worker)

    async def story() -> None:
        queue.tell(A)
        await until(lambda: queue.done == 1)

    await running(queue, story)
    assert worker.passes == [A]
    assert queue.depth == 0


async def test_one_key_is_never_worked_on_twice_at_once_and_different_keys_are() -> None:
    worker = Worker(lambda *_: 0.0, lasts=SOON)
    queue = KeyedQueue(worker)

    async def story() -> None:
        queue.tell(A)
        queue.tell(B)
        while queue.done < 12:
            queue.tell(A)
            await asyncio.sleep(SOON / 4)

    await running(queue, story)
    assert worker.most == {A: 1, B: 1}
    assert worker.together == 2


async def test_no_more_keys_at_once_than_workers() -> None:
    worker = Worker(lambda *_: None, lasts=SOON)
    queue = KeyedQueue(worker, workers=3)

    async def story() -> None:
        for i in range(12):
            queue.tell(Key("shop", f"k{i}"))
        await until(lambda: queue.done == 12)

    await running(queue, story)
    assert worker.together == 3


async def test_a_key_told_while_it_runs_is_worked_on_again_even_if_the_pass_forgot_it() -> None:
    worker = Worker(lambda *_: None, lasts=2 * SOON)
    queue = KeyedQueue(worker)

    async def story() -> None:
        queue.tell(A)
        await until(lambda: worker.passes == [A])
        queue.tell(A)
        queue.tell(A)
        await until(lambda: queue.done == 2)
        await asyncio.sleep(4 * SOON)

    await running(queue, story)
    assert worker.passes == [A, A]
    assert queue.depth == 0


async def test_a_pass_comes_again_when_it_asked_to() -> None:
    loop = asyncio.get_running_loop()
    times: list[float] = []

    async def work(_: Key) -> float | None:
        times.append(loop.time())
        return 3 * SOON if len(times) == 1 else None

    queue = KeyedQueue(work)

    async def story() -> None:
        queue.tell(A)
        await until(lambda: queue.done == 2)

    await running(queue, story)
    assert times[1] - times[0] >= 3 * SOON


async def test_a_key_that_is_told_does_not_wait_for_its_time() -> None:
    worker = Worker(lambda *_: 3600.0)
    queue = KeyedQueue(worker)

    async def story() -> None:
        queue.tell(A)
        await until(lambda: queue.done == 1)
        queue.tell(A)
        await until(lambda: queue.done == 2)

    await running(queue, story)
    assert worker.passes == [A, A]


@pytest.mark.parametrize("error", [NotYet("late"), Refused("no"), Broken("gone"), ZeroDivisionError("bug")])
async def test_a_pass_that_fails_is_tried_again_later_each_time_up_to_a_bound(error: Exception) -> None:
    loop = asyncio.get_running_loop()
    times: list[float] = []

    async def work(_: Key) -> float | None:
        times.append(loop.time())
        if len(times) < 7:
            raise error
        return None

    queue = KeyedQueue(work)

    async def story() -> None:
        queue.tell(A)
        await until(lambda: queue.done == 7)

    await running(queue, story)
    waits = [b - a for a, b in itertools.pairwise(times)]
    least = [SOON, 2 * SOON, 4 * SOON, 4 * SOON, 4 * SOON, 4 * SOON]
    assert all(wait >= low for wait, low in zip(waits, least, strict=True)), waits
    assert queue.depth == 0


async def test_a_key_that_fails_keeps_no_other_from_being_worked_on() -> None:
    def answer(key: Key, _: int) -> float | None:
        if key == A:
            raise Broken("gone")
        return None

    worker = Worker(answer)
    queue = KeyedQueue(worker)

    async def story() -> None:
        queue.tell(A)
        queue.tell(B)
        await until(lambda: B in worker.passes and worker.passes.count(A) > 2)

    await running(queue, story)


async def test_a_success_makes_the_next_failure_the_first_again() -> None:
    outcomes = [Broken("x"), Broken("x"), Broken("x"), 0.0, Broken("x"), None]
    failures: list[int] = []

    async def work(key: Key) -> float | None:
        failures.append(queue._entries[key].failures)
        found = outcomes[len(failures) - 1]
        if isinstance(found, Exception):
            raise found
        return found

    queue = KeyedQueue(work)

    async def story() -> None:
        queue.tell(A)
        await until(lambda: queue.done == len(outcomes))

    await running(queue, story)
    assert failures == [0, 1, 2, 3, 0, 1]
    assert queue.depth == 0


async def test_a_stop_waits_for_the_passes_under_way_and_begins_no_new_one() -> None:
    worker = Worker(lambda *_: 0.0, lasts=5 * SOON)
    queue = KeyedQueue(worker)
    stop = asyncio.Event()
    task = asyncio.create_task(queue.run(stop))
    queue.tell(A)
    await until(lambda: worker.passes == [A])
    queue.tell(B)
    stop.set()
    await asyncio.wait_for(task, 5)
    assert queue.done == len(worker.passes)
    assert worker.at_once[A] == 0
    before = len(worker.passes)
    await asyncio.sleep(5 * SOON)
    assert len(worker.passes) == before


async def test_a_bug_in_a_pass_is_logged_with_its_trace_and_a_conflict_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outcomes: list[Exception | None] = [NotYet("somebody wrote"), ZeroDivisionError("bug"), None]

    async def work(_: Key) -> float | None:
        found = outcomes.pop(0)
        if found is not None:
            raise found
        return None

    queue = KeyedQueue(work)

    async def story() -> None:
        queue.tell(A)
        await until(lambda: queue.done == 3)

    with caplog.at_level(logging.INFO, logger="causal_rollouts.queue"):
        await running(queue, story)
    levels = [(record.levelname, bool(record.exc_info)) for record in caplog.records]
    assert levels == [("INFO", False), ("ERROR", True)]


async def test_lateness_counts_keys_that_should_have_run_and_not_those_that_do() -> None:
    worker = Worker(lambda *_: 3600.0, lasts=3 * SOON)
    queue = KeyedQueue(worker, workers=1)

    async def story() -> None:
        queue.tell(A)
        queue.tell(B)
        await until(lambda: worker.passes == [A])
        await asyncio.sleep(SOON)
        assert queue.oldest_due() > 0
        await until(lambda: queue.done == 2)
        assert queue.oldest_due() == 0

    await running(queue, story)
