"""v7 takes the CPU of its nodes and is quicker itself: those beside it suffer, and it is reverted for that.

Each node has a small budget of CPU, so one busy pod fills it: the kernel then lets all pods of that node
wait, the candidate's own too, but those need less time. Pods of other nodes feel nothing. A comparison of
the candidate with the stable pods would call it an improvement.
"""

import math
import time

import pytest

from e2e.cluster.node import small_budgets
from e2e.cluster.progress import say
from e2e.latencies import change, mean_seconds
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(15)]

CORES, PERIOD_US = 0.12, 25_000
SPAN = 20.0


def test_a_version_that_only_harms_its_neighbours_is_reverted_for_that(checkout: Shop) -> None:
    before = len(checkout.records())
    with small_budgets(checkout.cluster, CORES, PERIOD_US):
        checkout.request_anew("v7")
        checkout.wait_release(after=before)
        checkout.wait_phase("Shifting", seconds=420, stage=0)
        calm, places = time.time(), {}
        with checkout.watching() as seen:
            checkout.wait_phase("Observing", seconds=120, stage=0)
            places = checkout.places()
            assert checkout.wait_end(seconds=600) == "Reverted"

    (revert,) = [d for d in checkout.decisions() if d["decision"]["act"] == "Revert"]
    assert revert["decision"]["reason"] == "NeighbourHarm"
    found = {metric["name"]: metric for metric in revert["evidence"]["metrics"]}
    own, beside = found["latency"], found["latency/neighbours"]
    assert own["effect"] < own["harmMargin"], "it is fine itself"
    assert max(s.canary for s in seen) == 100

    full = {node for node, arm in places.values() if arm == "canary"}
    stable = {pod: node in full for pod, (node, arm) in places.items() if arm == "stable"}
    past, now = (mean_seconds(checkout.cluster, "shop", at, SPAN) for at in (calm, revert["time"]))
    neighbours = change(past, now, [pod for pod, near in stable.items() if near])
    pure = change(past, now, [pod for pod, near in stable.items() if not near])
    say(
        f"pods beside v7 {math.expm1(neighbours):+.0%}, pods away from it {math.expm1(pure):+.0%}; "
        f"the gate: v7 itself {_percent(own)} (naive {math.expm1(own['naive']):+.1%}), its neighbours "
        f"{_percent(beside)}, {revert['evidence']['logHarm']:.1f} nats, "
        f"{revert['time'] - next(s.time for s in seen if s.canary):.0f} s after the first weight"
    )
    assert neighbours - pure > math.log(1.1)
    assert pure < neighbours / 2
    assert checkout.home()
    checkout.back_to("v1")


def _percent(metric: dict[str, float]) -> str:
    low, middle, high = (100 * math.expm1(metric[name]) for name in ("lower", "effect", "upper"))
    return f"{middle:+.1f}% ({low:+.1f}% to {high:+.1f}%)"
