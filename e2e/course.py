"""What every way of moving traffic is shown with: a slower release goes back, a good one is promoted."""

from collections.abc import Sequence

from e2e.cluster.progress import say
from e2e.demo.traffic import Load, LoadStats
from e2e.figures.watch import Counting, S, Share, Sight, shares, watching
from e2e.harmless import accepted
from e2e.shop import Shop

FAR = 4.5
"""Standard errors: twenty fair shares go beyond it once in several thousand runs."""


def slower_goes_back(shop: Shop, load: Counting[S], seconds: float = 420) -> list[Sight[S]]:
    """v3 from git's apply until its traffic is at home; git still asks for it."""
    before = len(shop.records())
    shop.request("v3")
    shop.wait_release(after=before, seconds=60)
    with watching(shop, load) as seen:
        assert shop.wait_end(seconds=seconds) == "Reverted"
    assert shop.home()
    assert "latency" in shop.state()["why"]
    assert any(sight.weights.canary for sight in seen), "it had traffic"
    assert set(shop.versions()) == {"v1"}
    return seen


def good_is_promoted(shop: Shop, load: Counting[S], seconds: float) -> list[Sight[S]]:
    """v6 from git's apply until it serves alone. seconds: patience with the gate."""
    with watching(shop, load) as seen:
        asked = accepted(shop, "v6", seconds)
        assert shop.wait_end(seconds=180) == "Promoted"
    assert shop.home()
    assert set(shop.versions()) == {"v6"}
    return [sight for sight in seen if sight.weights.time >= asked]


def told(version: str, seen: Sequence[Sight[S]], of: str) -> list[Share]:
    """Shares while weights stood still, each said. of: what is counted for what, "calls for a weight of"."""
    found = shares(seen)
    for share in found:
        say(
            f"{version}: {share.arm} {share.observed:.4f} of {share.requests} {of} {share.weight:g}, "
            f"{share.off:+.1f} standard errors of a fair draw"
        )
    return found


def none_failed(version: str, load: Load, earlier: LoadStats) -> None:
    during = load.stats().since(earlier)
    say(f"{version}: {during.requests} requests, {during.failures} failed")
    assert during.failures == 0, during.unserved
