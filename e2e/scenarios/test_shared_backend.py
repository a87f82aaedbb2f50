"""All pods share a backend that nears its capacity: everybody slows down, and no arm differs from another.

v8 makes two more calls beside each answer, which does not wait for them: at a small weight nobody feels it,
at a large one the backend's queue grows for all. The same slow-down comes from a load of somebody else. By
the contrast of the arms the two cannot be told apart, so both are held.
"""

import math
import time

import pytest

from e2e.cluster.progress import say, wait_for
from e2e.demo.backend import Backend, outside_load
from e2e.ground import Ground
from e2e.shop import Seen, Shop

pytestmark = [pytest.mark.cluster]

HELD = 45.0


@pytest.mark.order(42)
def test_a_version_that_calls_the_backend_three_times_is_held_when_all_slow_down(orders: Shop) -> None:
    before = len(orders.records())
    asked = orders.request_anew("v8")
    orders.wait_release(after=before)
    orders.wait_phase("Observing", seconds=420, stage=0)
    orders.wait_phase("Observing", seconds=420, stage=1)
    held = orders.weights().canary
    with orders.watching() as seen:
        _held_as_shared(orders, seen, held)
    say(f"v8: held {time.time() - asked:.0f} s after git asked; {_told(orders)}")
    orders.ask("abort")
    assert orders.wait_end(seconds=90) == "Aborted"
    orders.back_to("v1")


@pytest.mark.order(44)
def test_a_load_of_somebody_else_is_held_and_not_blamed(made: Ground, orders: Shop, backend: Backend) -> None:
    before = len(orders.records())
    orders.request_anew("v2")
    orders.wait_release(after=before)
    orders.wait_phase("Observing", seconds=420, stage=0)
    held = orders.weights().canary
    load = outside_load(made.cluster, made.binaries, backend, rate=100, seconds=600, in_flight=4)
    with load, orders.watching() as seen:
        _held_as_shared(orders, seen, held)
        say(f"outside load: {_told(orders)}")
    over = time.time()
    assert orders.wait_end(seconds=900) == "Promoted"
    say(f"promoted {time.time() - over:.0f} s after the outside load ended")


def _held_as_shared(shop: Shop, seen: list[Seen], held: int) -> None:
    def verdicts() -> set[str]:
        return {d["decision"]["verdict"] for d in shop.decisions()}

    wait_for("the verdict SharedIncident", lambda: "SharedIncident" in verdicts(), 240, every=1)
    time.sleep(HELD)
    assert {s.canary for s in seen} == {held}
    assert "Harm" not in verdicts()


def _told(shop: Shop) -> str:
    """What the newest evidence of a shared incident says."""
    found = [d["evidence"] for d in shop.decisions() if d["decision"]["verdict"] == "SharedIncident"]
    own = next(metric for metric in found[-1]["metrics"] if metric["name"] == "latency")
    return (
        f"service {math.expm1(found[-1]['shared']):+.0%} against its past, canary against baseline "
        f"{math.expm1(own['effect']):+.1%}"
    )
