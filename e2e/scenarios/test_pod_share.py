"""A Service without a route: pods let into its traffic make the share of requests, and none is lost."""

from collections.abc import Iterator

import pytest

from e2e.course import FAR, good_is_promoted, none_failed, slower_goes_back, told
from e2e.demo.traffic import Load
from e2e.ground import Ground
from e2e.operator_host import OperatorProcess
from e2e.pod_shop import PodShop, opened

pytestmark = [pytest.mark.cluster, pytest.mark.order(88)]

NAMESPACE = "shop"
RATE = 120.0
LONG = 900.0
"""Seconds: one pod an arm is little to tell by."""

COUNTED = "requests for a share of pods of"


@pytest.fixture(scope="module")
def till(made: Ground[OperatorProcess]) -> Iterator[tuple[PodShop, Load]]:
    with opened(made, made.app("till", NAMESPACE, replicas=8), RATE, 3600) as standing:
        yield standing


def test_a_slower_release_is_reverted_and_no_request_fails(till: tuple[PodShop, Load]) -> None:
    shop, load = till
    earlier = load.stats()
    told("v3", slower_goes_back(shop, load, LONG), COUNTED)
    none_failed("v3", load, earlier)
    shop.back_to("v1")


def test_a_good_release_is_promoted_at_the_shares_that_its_pods_make(till: tuple[PodShop, Load]) -> None:
    shop, load = till
    earlier = load.stats()
    seen = good_is_promoted(shop, load, 600)
    weights = {(sight.weights.canary, sight.weights.baseline) for sight in seen}
    # Beside eight pods one canary comes nearest to 10%, and four with two of the baseline to 30%.
    assert {(100, 100), (286, 143)} <= weights, weights
    # In the promotion stable pods come and go, and a Service shares among those that are there.
    promoted = next(d["time"] for d in shop.decisions() if d["decision"]["act"] == "Promote")
    found = told("v6", [sight for sight in seen if sight.weights.time < promoted], COUNTED)
    assert {share.weight for share in found if share.arm == "canary"} >= {0.1, 0.286}
    assert all(abs(share.off) < FAR for share in found)
    none_failed("v6", load, earlier)
