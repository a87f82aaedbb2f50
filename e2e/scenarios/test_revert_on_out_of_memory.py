"""v9 leaks until the kernel kills it, over and over: reverted by the tripwire, and nobody else is hurt."""

import pytest

from e2e.cluster.kubectl import get
from e2e.cluster.progress import say
from e2e.looking import sampled
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(18)]


def test_a_canary_that_runs_out_of_memory_is_reverted(checkout: Shop) -> None:
    before = len(checkout.records())
    checkout.request("v9")
    checkout.wait_release(after=before)
    with sampled(lambda: _killed(checkout), 2.0) as seen:
        assert checkout.wait_end(seconds=400) == "Reverted"
    arms = {arm for one in seen for arm in one}
    assert arms == {"canary"}, "the kernel killed a canary, and no other arm"
    (revert,) = [d["decision"] for d in checkout.decisions() if d["decision"]["act"] == "Revert"]
    assert revert["reason"] in {"CrashLoop", "NeverReady", "HarmProven"}
    say(f"v9: {revert['reason']}: {revert['because']}")
    assert checkout.home()
    checkout.back_to("v1")


def _killed(shop: Shop) -> set[str]:
    """Arms of the pods that the kernel has killed for their memory."""
    pods = get(shop.cluster, "-n", shop.app.namespace, "pods", "-l", f"app={shop.app.name}")["items"]
    return {
        pod["metadata"]["labels"]["causalrollouts.dev/arm"]
        for pod in pods
        for status in pod["status"].get("containerStatuses", [])
        for state in (status.get("state", {}), status.get("lastState", {}))
        if state.get("terminated", {}).get("reason") == "OOMKilled"
    }
