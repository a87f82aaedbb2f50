"""Two copies of the operator: by a Lease one takes over from the other; without one neither acts twice."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from e2e.cluster.control_plane import audit_log
from e2e.cluster.progress import say, wait_for
from e2e.figures.rest import writes
from e2e.operator_host import OperatorProcess
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(22)]

LEASE = "causal-rollouts-operator"
"""The only one that the operator's role lets it touch."""

FAILOVER = 17.0
"""Seconds: the Lease lasts 15, and who waits for it tries each 2."""


@pytest.fixture
def observing(checkout: Shop) -> Iterator[Shop]:
    """A release that stands in its stage."""
    with checkout.held_release("20m", "30m"):
        yield checkout


@contextmanager
def copies(operator: OperatorProcess, lease: str) -> Iterator[list[OperatorProcess]]:
    """Two copies in place of the one that runs."""
    operator.stop()
    both = [OperatorProcess(operator.cluster, f"operator-{name}", lease=lease) for name in "ab"]
    try:
        yield [one.start() for one in both]
    finally:
        for one in both:
            one.stop()
        operator.start()


def test_by_a_lease_one_copy_takes_over_from_the_other(observing: Shop, operator: OperatorProcess) -> None:
    known = observing.release()
    with copies(operator, LEASE) as both:
        wait_for("one copy to lead", lambda: sum(_leads(one) for one in both) == 1, 40)
        leader, other = sorted(both, key=_leads, reverse=True)
        observing.wait_look()
        leader.kill()
        died = time.time()
        wait_for("the other to lead", lambda: _leads(other), 40, every=0.2)
        took = time.time() - died
        say(f"the other copy led {took:.1f} s after the first was killed")
        assert took < FAILOVER + 1.0
        observing.wait_look()
        assert observing.state()["timeline"] == known["release"]["timeline"]
        leader.start()
        time.sleep(5)
        assert [_leads(leader), _leads(other)] == [0.0, 1.0], "who comes back waits"
        other.stop()
        wait_for("the first to lead again", lambda: _leads(leader), 10, every=0.2)


def test_without_a_lease_neither_copy_repeats_what_the_other_did(
    observing: Shop, operator: OperatorProcess
) -> None:
    slots, timeline = observing.slots(), observing.state()["timeline"]
    with copies(operator, "") as both:
        assert all(_leads(one) for one in both)
        for _ in range(3):
            observing.wait_look()
        assert observing.slots() == slots
        assert observing.state()["timeline"] == timeline
        began = time.time()
        observing.ask("abort")
        assert observing.wait_end(seconds=120) == "Aborted"
        written = Counter(writes(audit_log(observing.cluster), began, time.time()))
    say(f"written by two copies from the request to the end: {dict(written)}")
    # Slots go once each, and the route is written once on the way home.
    assert written["delete replicasets"] == len(slots)
    assert observing.home()


def _leads(one: OperatorProcess) -> float:
    return one.metric("leader")
