"""A newer template arrives while the fleet rolls: the roll is undone, and the newer one is gated."""

import pytest

from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(96)]


def test_a_newer_template_stops_the_roll(checkout: Shop) -> None:
    before = len(checkout.records())
    running = set(checkout.versions())
    first = "v2" if running != {"v2"} else "v6"
    checkout.request(first)
    name = checkout.wait_release(after=before)
    checkout.wait_phase("Promoting", seconds=900)
    checkout.request("v3")
    checkout.wait_release(seconds=180, after=before + 1)
    ended = {r["metadata"]["name"]: r["status"]["release"] for r in checkout.records()}
    assert ended[name]["outcome"] == "Superseded"
    assert checkout.wait_end(seconds=600) == "Reverted"
    assert set(checkout.versions()) == running
