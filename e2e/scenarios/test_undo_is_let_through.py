"""The version before the last promotion is wanted back: going back is never gated."""

import time

import pytest

from e2e.cluster.progress import say, wait_for
from e2e.shop import BUILD, Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(94)]


def test_going_back_is_let_through(checkout: Shop) -> None:
    last = checkout.records()[-1]
    assert last["status"]["release"]["outcome"] == "Promoted", "runs after a promotion"
    stable = last["spec"]["templates"]["stable"]
    env = stable["spec"]["containers"][0]["env"]
    old = next(e["value"] for e in env if e["name"] == "VERSION")
    build = stable["metadata"]["annotations"].get(BUILD, "")
    before = len(checkout.records())
    asked = checkout.request(old, build)
    wait_for(f"all pods to be {old}", lambda: set(checkout.versions()) == {old}, 90)
    say(f"undo took {time.time() - asked:.0f} s")
    assert len(checkout.records()) == before
