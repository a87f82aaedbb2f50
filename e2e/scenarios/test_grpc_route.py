"""Calls by gRPC through a GRPCRoute: its weights make the share of calls, and no call is lost to them."""

from collections.abc import Iterator

import pytest

from e2e.call_shop import TAKES_CALLS, CallShop, opened
from e2e.cluster.progress import say
from e2e.demo.traffic import Load
from e2e.figures.watch import Share, Sight, shares, watching
from e2e.ground import Ground

pytestmark = [pytest.mark.cluster, pytest.mark.order(87)]

NAMESPACE = "shop"
RATE = 120.0
FAR = 4.5
"""Standard errors: twenty fair shares go beyond it once in several thousand runs."""


@pytest.fixture(scope="module")
def quotes(made: Ground) -> Iterator[tuple[CallShop, Load]]:
    app = made.app("quotes", NAMESPACE, replicas=8, extra=TAKES_CALLS)
    with opened(made, app, RATE, 3600) as standing:
        yield standing


def told(version: str, seen: list[Sight]) -> list[Share]:
    found = shares(seen)
    for share in found:
        say(
            f"{version}: {share.arm} {share.observed:.4f} of {share.requests} calls for a weight of "
            f"{share.weight:g}, {share.off:+.1f} standard errors"
        )
    return found


def test_a_slower_release_of_a_grpc_server_is_reverted(quotes: tuple[CallShop, Load]) -> None:
    shop, load = quotes
    before, asked = len(shop.records()), load.stats()
    shop.request("v3")
    shop.wait_release(after=before, seconds=60)
    with watching(shop, load) as seen:
        assert shop.wait_end(seconds=420) == "Reverted"
    assert "latency" in shop.state()["why"]
    assert any(sight.weights.canary for sight in seen), "it had traffic"
    assert shop.home()
    assert set(shop.versions()) == {"v1"}
    told("v3", seen)
    during = load.stats().since(asked)
    say(f"v3: {during.requests} calls, {during.failures} failed")
    assert during.failures == 0, during.unserved
    shop.back_to("v1")


def test_a_good_release_of_a_grpc_server_is_promoted_at_its_weights(quotes: tuple[CallShop, Load]) -> None:
    shop, load = quotes
    before, asked = len(shop.records()), load.stats()
    shop.request("v6")
    shop.wait_release(after=before, seconds=60)
    with watching(shop, load) as seen:
        assert shop.wait_end(seconds=900) == "Promoted"
    assert set(shop.versions()) == {"v6"}
    assert shop.home()
    found = told("v6", seen)
    assert {share.weight for share in found if share.arm == "canary"} >= {0.1, 0.3}
    assert {share.arm for share in found} == {"canary", "baseline"}
    assert all(abs(share.off) < FAR for share in found)
    during = load.stats().since(asked)
    say(f"v6: {during.requests} calls, {during.failures} failed")
    assert during.failures == 0, during.unserved
