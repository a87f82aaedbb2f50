"""Calls by gRPC through a GRPCRoute: its weights make the share of calls, and no call is lost to them."""

from collections.abc import Iterator

import pytest

from e2e.call_shop import TAKES_CALLS, CallShop, opened
from e2e.course import FAR, good_is_promoted, none_failed, slower_goes_back, told
from e2e.demo.traffic import Load
from e2e.ground import Ground
from e2e.operator_host import OperatorProcess

pytestmark = [pytest.mark.cluster, pytest.mark.order(87)]

NAMESPACE = "shop"
RATE = 120.0
COUNTED = "calls for a weight of"


@pytest.fixture(scope="module")
def quotes(made: Ground[OperatorProcess]) -> Iterator[tuple[CallShop, Load]]:
    app = made.app("quotes", NAMESPACE, replicas=8, extra=TAKES_CALLS)
    with opened(made, app, RATE, 3600) as standing:
        yield standing


def test_a_slower_release_of_a_grpc_server_is_reverted(quotes: tuple[CallShop, Load]) -> None:
    shop, load = quotes
    earlier = load.stats()
    told("v3", slower_goes_back(shop, load), COUNTED)
    none_failed("v3", load, earlier)
    shop.back_to("v1")


def test_a_good_release_of_a_grpc_server_is_promoted_at_its_weights(quotes: tuple[CallShop, Load]) -> None:
    shop, load = quotes
    earlier = load.stats()
    found = told("v6", good_is_promoted(shop, load, 900), COUNTED)
    assert {share.weight for share in found if share.arm == "canary"} >= {0.1, 0.3}
    assert {share.arm for share in found} == {"canary", "baseline"}
    assert all(abs(share.off) < FAR for share in found)
    none_failed("v6", load, earlier)
