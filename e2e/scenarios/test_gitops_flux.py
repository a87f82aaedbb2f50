"""Flux syncs a real repository: a commit asks, the gate decides, `git revert` goes back."""

from collections.abc import Iterator

import pytest

from e2e.cluster.kubectl import get
from e2e.cluster.progress import wait_for
from e2e.gitops.flux import NAMESPACE
from e2e.gitops.ground import standing
from e2e.gitops.shop import GitShop
from e2e.gitops.story import Story
from e2e.ground import Ground
from e2e.operator_host import OperatorProcess

pytestmark = [pytest.mark.cluster, pytest.mark.order(60)]


@pytest.fixture(scope="module")
def shop(made: Ground[OperatorProcess]) -> Iterator[GitShop]:
    with standing(made, "flux", "parcels", "shop", {}, longest=3600) as shop:
        yield shop


class TestFlux(Story):
    def degraded(self, shop: GitShop, release: str, told: str) -> None:
        """Flux names the object and the commit; the reason stands in the rollout itself."""
        assert "CausalRollout/shop/parcels status: 'Failed'" in told
        health = get(shop.look.cluster, "-n", NAMESPACE, "kustomization", "parcels-health")
        assert health["status"]["lastAttemptedRevision"].endswith(shop.repository.head())
        stalled = shop.look.condition("Stalled")
        assert stalled["reason"] == "Reverted"
        assert "latency" in stalled["message"]
        assert shop.look.status()["release"] == release

    def while_weights_are_out(self, shop: GitShop) -> dict[str, int]:
        """A commit to the route arrives, and the weights stand as the operator put them."""
        before = shop.look.weights()
        shop.edit_route("two")
        wait_for("the route to add the header", lambda: shop.note() == "two", 30)
        after = shop.look.weights()
        assert (after.canary, after.baseline) == (before.canary, before.baseline) != (0, 0)
        return {"httproutes": 1}
