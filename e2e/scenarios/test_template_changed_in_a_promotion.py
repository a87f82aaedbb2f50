"""A newer template arrives while the fleet rolls: the roll is undone, and the newer one is gated."""

import pytest

from e2e.harmless import accepted
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(96)]


def test_a_newer_template_stops_the_roll(checkout: Shop) -> None:
    running = set(checkout.versions())
    first = "v2" if running != {"v2"} else "v6"
    accepted(checkout, first)
    checkout.wait_phase("Promoting", seconds=10)
    before = checkout.records()
    checkout.request("v3")
    checkout.wait_release(seconds=180, after=len(before))
    ended = {r["metadata"]["name"]: r["status"]["release"] for r in checkout.records()}
    assert ended[before[-1]["metadata"]["name"]]["outcome"] == "Superseded"
    assert checkout.wait_end(seconds=600) == "Reverted"
    assert set(checkout.versions()) == running
