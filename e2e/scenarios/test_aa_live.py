"""An A/A test on the cluster: arms of the version that runs are not told apart, and nothing is released."""

import json

import pytest

from e2e.cluster.progress import say
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(55)]


def test_arms_of_one_version_are_not_told_apart(basket: Shop) -> None:
    before = len(basket.records())
    asked = ("aa", "--live", basket.app.name, "--namespace", basket.app.namespace, "--for", "90s")
    with basket.watching() as seen:
        told = json.loads(basket.command(*asked, "-o", "json", seconds=700))
    assert told["outcome"] == "AATested"
    assert told["toldApart"] == 0
    newest = told["trials"][-1]
    assert newest["lower"] < newest["effect"] < newest["upper"]
    assert 0 < newest["se"] < 0.2
    assert len(basket.records()) == before + 1
    assert {s.canary for s in seen} == {0, 100}
    assert set(basket.versions()) == {"v1"}
    assert basket.home()
    say(f"A/A: latency {newest['effect']:+.1%}, standard error {newest['se']:.1%}")
