"""Git changes its mind in a stage: another template supersedes the release, the old one withdraws it."""

import pytest

from e2e.cluster.progress import wait_for
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(34)]


def test_another_template_supersedes_and_the_old_one_withdraws(checkout: Shop) -> None:
    before = len(checkout.records())
    checkout.request_anew("v2")
    first = checkout.wait_release(after=before)
    checkout.wait_phase("Observing", seconds=420, stage=0)
    checkout.request("v6")
    checkout.wait_release(seconds=90, after=before + 1)
    ended = {r["metadata"]["name"]: r["status"]["release"] for r in checkout.records()}
    assert ended[first]["outcome"] == "Superseded"

    checkout.wait_phase("Observing", "Shifting", seconds=120, stage=0)
    checkout.request("v1")
    assert checkout.wait_end(seconds=90) == "Withdrawn"
    wait_for("the target to rest", checkout.home, 30)
    assert set(checkout.versions()) == {"v1"}
    checkout.back_to("v1")
