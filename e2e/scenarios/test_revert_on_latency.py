"""v3 answers 1.6 times as slowly: it is reverted by evidence, and users are on stable again."""

import pytest

from e2e.cluster.progress import say
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.core, pytest.mark.order(10)]


def test_a_slower_release_is_reverted_by_evidence(checkout: Shop) -> None:
    before = len(checkout.records())
    asked = checkout.request("v3")
    checkout.wait_release(after=before)
    with checkout.watching() as seen:
        assert checkout.wait_end(seconds=420) == "Reverted"

    assert checkout.home()
    assert set(checkout.versions()) == {"v1"}
    reverts = [d for d in checkout.decisions() if d["decision"]["act"] == "Revert"]
    assert len(reverts) == 1
    because = reverts[0]["decision"]["because"]
    assert "latency" in because
    assert reverts[0]["decision"]["reason"] == "HarmProven"
    exposed = [s.time for s in seen if s.canary]
    first, home = exposed[0] - asked, seen[-1].time - asked
    say(f"v3: first seen on the route after {first:.0f} s, home after {home:.0f} s")
    assert checkout.condition("Ready")["status"] == "False"
    assert checkout.condition("Stalled")["reason"] == "Reverted"

    checkout.back_to("v1")
    assert checkout.condition("Stalled") == {}
