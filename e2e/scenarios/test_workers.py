"""Workers on a queue, without Service and route: gated by the share of pods, and no job is lost."""

from collections.abc import Iterator

import pytest

from e2e.cluster.progress import say
from e2e.demo.queue import Queue, QueueStats
from e2e.figures.watch import Sight, shares, watching
from e2e.ground import Ground
from e2e.worker_shop import WorkerShop, opened

pytestmark = [pytest.mark.cluster, pytest.mark.order(89)]

NAMESPACE = "shop"
RATE = 120.0
"""Eight pods that fetch a job of 27 ms on average, do it and fetch the next are busy half of the time."""

FAILING = 0.01
"""Half a percent fails at rest; it wobbles by a fifth."""

OLDEST = 15.0
"""Seconds. A job that a worker took and forgot is handed out again after five."""


@pytest.fixture(scope="module")
def mill(made: Ground) -> Iterator[tuple[WorkerShop, Queue]]:
    with opened(made, "mill", NAMESPACE, 8, RATE, 3600) as standing:
        yield standing


def told(version: str, seen: list[Sight], during: QueueStats) -> None:
    """Shares are said and not judged: a slower worker takes fewer jobs, as it should."""
    for share in shares(seen):
        say(
            f"{version}: {share.arm} did {share.observed:.4f} of {share.requests} jobs with {share.weight:g} "
            f"of the pods, {share.off:+.1f} standard errors of a fair draw"
        )
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
    before, asked = len(shop.records()), queue.stats()
    shop.request("v3")
    shop.wait_release(after=before, seconds=60)
    with watching(shop, queue) as seen:
        assert shop.wait_end(seconds=420) == "Reverted"
    assert "latency" in shop.state()["why"]
    assert any(sight.weights.canary for sight in seen), "it had work"
    assert shop.home()
    assert set(shop.versions()) == {"v1"}
    during = queue.stats().since(asked)
    told("v3", seen, during)
    assert_all_done(queue, during)
    shop.back_to("v1")


def test_good_workers_are_promoted_and_no_job_is_lost(mill: tuple[WorkerShop, Queue]) -> None:
    shop, queue = mill
    before, asked = len(shop.records()), queue.stats()
    shop.request("v6")
    shop.wait_release(after=before, seconds=60)
    with watching(shop, queue) as seen:
        assert shop.wait_end(seconds=600) == "Promoted"
    assert set(shop.versions()) == {"v6"}
    assert shop.home()
    # Beside eight pods one canary comes nearest to 10%, and four with two of the baseline to 30%.
    weights = {(sight.weights.canary, sight.weights.baseline) for sight in seen}
    assert {(100, 100), (286, 143)} <= weights, weights
    during = queue.stats().since(asked)
    told("v6", seen, during)
    assert_all_done(queue, during)
