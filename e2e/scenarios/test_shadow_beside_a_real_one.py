"""v3 goes to two apps at once: the gate reverts it in the one, and in the other only says that it would have.

The shadow's first stage is long enough for the verdict, and its ladder goes on by time: a person ends it.
"""

import itertools

import pytest

from e2e.cluster.kubectl import get
from e2e.cluster.progress import say, wait_for
from e2e.shop import Manifest, Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(18)]

LADDER = [
    {"weight": 10, "minDuration": "240s", "maxDuration": "30m"},
    {"weight": 30, "minDuration": "20m", "maxDuration": "30m"},
]
SAID = "the gate would revert now, since the candidate causes harm: latency +"


def test_a_shadow_tells_what_the_real_one_does(checkout: Shop, basket: Shop) -> None:
    before = {shop.app.name: len(shop.records()) for shop in (checkout, basket)}
    basket.respec(mode="Observe", stages=LADDER)
    for shop in (basket, checkout):
        shop.request_anew("v3")
    for shop in (basket, checkout):
        shop.wait_release(after=before[shop.app.name])
    with basket.watching() as seen:
        assert checkout.wait_end(seconds=600) == "Reverted"
        assert checkout.home()
        (revert,) = [d for d in checkout.decisions() if d["decision"]["act"] == "Revert"]
        assert revert["decision"]["reason"] == "HarmProven"
        told = wait_for("the shadow to tell of harm", lambda: _harm(basket), 420, every=1)
        assert basket.state()["stage"] == 0
        wait_for("the status to say so", lambda: basket.status().get("verdict") == "Harm", 30, every=1)
        basket.wait_phase("Observing", seconds=420, stage=1)
        wait_for("the weights of the second stage", lambda: basket.weights().canary == 300, 30, every=1)

    say(
        f"the real one reverted: {revert['decision']['because']}; "
        f"the shadow, {told['time'] - revert['time']:+.0f} s from there: {told['decision']['because']}"
    )
    weights = [s.canary for s in seen]
    assert all(a <= b for a, b in itertools.pairwise(weights)), f"weights went {weights}"
    (advance,) = [d for d in basket.decisions() if d["decision"]["act"] != "Hold"]
    assert (advance["decision"]["act"], advance["decision"]["reason"]) == ("Advance", "TimePassed")
    assert told["time"] < advance["time"]
    assert any(SAID in event.get("note", "") for event in _events(basket))

    basket.ask("abort")
    assert basket.wait_end(seconds=120) == "Aborted"
    assert basket.home()
    basket.respec()
    for shop in (basket, checkout):
        shop.back_to("v1")


def _harm(shop: Shop) -> Manifest | None:
    """The first decision that says what would have been done."""
    return next((d for d in shop.decisions() if SAID in d["decision"]["because"]), None)


def _events(shop: Shop) -> list[Manifest]:
    found: list[Manifest] = get(shop.cluster, "-n", shop.app.namespace, "events.events.k8s.io")["items"]
    return [event for event in found if event.get("regarding", {}).get("name") == shop.app.name]
