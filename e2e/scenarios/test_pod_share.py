"""A Service without a route: pods let into its traffic make the share of requests, and none is lost."""

from collections.abc import Iterator

import pytest

from e2e.cluster.progress import say
from e2e.demo.traffic import Load
from e2e.figures.watch import Share, Sight, shares, watching
from e2e.ground import Ground
from e2e.pod_shop import PodShop, opened

pytestmark = [pytest.mark.cluster, pytest.mark.order(88)]

NAMESPACE = "shop"
RATE = 120.0
FAR = 4.5
"""Standard errors: twenty fair shares go beyond it once in several thousand runs."""


@pytest.fixture(scope="module")
def till(made: Ground) -> Iterator[tuple[PodShop, Load]]:
    with opened(made, made.app("till", NAMESPACE, replicas=8), RATE, 3600) as standing:
        yield standing


def told(version: str, seen: list[Sight]) -> list[Share]:
    found = shares(seen)
    for share in found:
        say(
            f"{version}: {share.arm} {share.observed:.4f} of {share.requests} requests for {share.weight:g} "
            f"of the pods, {share.off:+.1f} standard errors"
        )
    return found


def test_a_slower_release_is_reverted_and_no_request_fails(till: tuple[PodShop, Load]) -> None:
    shop, load = till
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
    say(f"v3: {during.requests} requests, {during.failures} failed")
    assert during.failures == 0, during.unserved
    shop.back_to("v1")


def test_a_good_release_is_promoted_at_the_shares_that_its_pods_make(till: tuple[PodShop, Load]) -> None:
    shop, load = till
    before, asked = len(shop.records()), load.stats()
    shop.request("v6")
    shop.wait_release(after=before, seconds=60)
    with watching(shop, load) as seen:
        assert shop.wait_end(seconds=600) == "Promoted"
    assert set(shop.versions()) == {"v6"}
    assert shop.home()
    weights = {(sight.weights.canary, sight.weights.baseline) for sight in seen}
    # Beside eight pods one canary comes nearest to 10%, and four with two of the baseline to 30%.
    assert {(100, 100), (286, 143)} <= weights, weights
    found = told("v6", seen)
    assert {share.weight for share in found if share.arm == "canary"} >= {0.1, 0.286}
    assert all(abs(share.off) < FAR for share in found)
    during = load.stats().since(asked)
    say(f"v6: {during.requests} requests, {during.failures} failed")
    assert during.failures == 0, during.unserved
