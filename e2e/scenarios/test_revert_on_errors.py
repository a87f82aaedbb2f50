"""v4 fails five requests in a hundred more: reverted by the evidence of errors."""

import pytest

from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(12)]


def test_a_failing_release_is_reverted_by_evidence(checkout: Shop) -> None:
    before = len(checkout.records())
    checkout.request("v4")
    checkout.wait_release(after=before)
    assert checkout.wait_end(seconds=420) == "Reverted"
    (revert,) = [d for d in checkout.decisions() if d["decision"]["act"] == "Revert"]
    assert revert["decision"]["reason"] == "HarmProven"
    assert "errors" in revert["decision"]["because"]
    assert checkout.home()
    checkout.back_to("v1")
