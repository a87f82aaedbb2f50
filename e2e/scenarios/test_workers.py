"""Workers on a queue, without Service and route: gated by the share of pods, and no job is lost."""

from collections.abc import Iterator

import pytest

from e2e.cluster.progress import say
from e2e.course import good_is_promoted, slower_goes_back, told
from e2e.demo.queue import Queue, QueueStats
from e2e.figures.watch import Sight
from e2e.ground import Ground
from e2e.operator_host import OperatorProcess
from e2e.worker_shop import WorkerShop, opened

pytestmark = [pytest.mark.cluster, pytest.mark.order(89)]

NAMESPACE = "shop"
RATE = 120.0
"""Eight pods that fetch a job of 27 ms on average, do it and fetch the next are busy half of the time."""

FAILING = 0.01
"""Half a percent fails at rest; it wobbles by a fifth."""

LONG = 900.0
"""Seconds. One pod an arm is little to tell by: on a busy machine four minutes of it were not enough."""

OLDEST = 15.0
"""Seconds. A job that a worker took and forgot is handed out again after five."""


@pytest.fixture(scope="module")
def mill(made: Ground[OperatorProcess]) -> Iterator[tuple[WorkerShop, Queue]]:
    with opened(made, "mill", NAMESPACE, 8, RATE, 3600) as standing:
        yield standing


def said(version: str, seen: list[Sight[QueueStats]], during: QueueStats) -> None:
    """Shares are said and not judged: a slower worker takes fewer jobs, as it should."""
    told(version, seen, "jobs for a share of pods of")
    say(
        f"{version}: {during.arrived} jobs arrived, {during.done} done, {during.failed} of them failed, "
        f"{during.redelivered} handed out again, {during.refused} refused"
    )


def assert_all_done(queue: Queue, during: QueueStats) -> None:
    """Each job is done by somebody, and each arm did some."""
    now = queue.stats()
    assert now.lost == 0, now
    assert now.oldest_seconds < OLDEST, now
    assert during.refused == 0
    assert during.failed < FAILING * during.done
    assert set(during.arms) == {"stable", "canary", "baseline"}


def test_slower_workers_are_reverted_and_no_job_is_lost(mill: tuple[WorkerShop, Queue]) -> None:
    shop, queue = mill
    earlier = queue.stats()
    seen = slower_goes_back(shop, queue, LONG)
    during = queue.stats().since(earlier)
    said("v3", seen, during)
    assert_all_done(queue, during)
    shop.back_to("v1")


def test_good_workers_are_promoted_and_no_job_is_lost(mill: tuple[WorkerShop, Queue]) -> None:
    shop, queue = mill
    earlier = queue.stats()
    seen = good_is_promoted(shop, queue, 600)
    # Beside eight pods one canary comes nearest to 10%, and four with two of the baseline to 30%.
    weights = {(sight.weights.canary, sight.weights.baseline) for sight in seen}
    assert {(100, 100), (286, 143)} <= weights, weights
    during = queue.stats().since(earlier)
    said("v6", seen, during)
    assert_all_done(queue, during)
