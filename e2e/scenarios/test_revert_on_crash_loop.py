"""v5 crashes 15 s after each start: reverted by the tripwire, which needs no statistics."""

import pytest

from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(14)]


def test_a_crash_loop_is_reverted_at_once(checkout: Shop) -> None:
    before = len(checkout.records())
    checkout.request("v5")
    checkout.wait_release(after=before)
    assert checkout.wait_end(seconds=300) == "Reverted"
    (revert,) = [d for d in checkout.decisions() if d["decision"]["act"] == "Revert"]
    assert revert["decision"]["reason"] in {"CrashLoop", "NeverReady", "HarmProven"}
    assert checkout.home()
    checkout.back_to("v1")
