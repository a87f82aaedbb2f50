"""Upgraded and uninstalled, in a release and at rest: no weight moves and no request fails."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from e2e.chart import operator_pod
from e2e.chart.gated import gated
from e2e.chart.helm import RELEASE, ROOT
from e2e.chart.operator_pod import OperatorPod
from e2e.cluster import parts
from e2e.cluster.kubectl import kubectl
from e2e.cluster.progress import say, wait_for
from e2e.demo.traffic import Load
from e2e.shop import Shop

pytestmark = pytest.mark.cluster

NAMESPACE = "upgrades"
Standing = tuple[Shop, Load, OperatorPod]


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    with gated("ledger", NAMESPACE) as found:
        yield found


@contextmanager
def nothing_moves(shop: Shop, load: Load, what: str) -> Iterator[None]:
    """Weights stay as they are found, and each request is answered."""
    before, earlier = shop.weights(), load.stats()
    with shop.watching() as seen:
        yield
    during = load.stats().since(earlier)
    weights = {(look.canary, look.baseline) for look in seen}
    say(f"{what}: weights {sorted(weights)}, {during.requests} requests, {during.failures} failed")
    assert weights == {(before.canary, before.baseline)}
    assert during.failures == 0, during.unserved


def bring(shop: Shop, **more: object) -> None:
    """By Helm 3; what runs before was installed by Helm 4."""
    values = {**operator_pod.settings(shop.cluster), **more}
    operator_pod.bring(shop.cluster, RELEASE, values, part=parts.HELM3)


def names(operator: OperatorPod) -> set[str]:
    return {pod["metadata"]["name"] for pod in operator.pods()}


def test_an_upgrade_in_a_release_goes_on_with_it(standing: Standing) -> None:
    shop, load, operator = standing
    shop.request("v2")
    record = shop.wait_release()
    shop.wait_phase("Observing", seconds=420, stage=0)
    before, slots = names(operator), shop.slots()
    assert shop.weights().canary > 0
    with nothing_moves(shop, load, "upgrade in a stage"):
        bring(shop, operator={"logLevel": "DEBUG"})
        shop.wait_look()
    assert not before & names(operator), "it is another pod"
    assert shop.records()[-1]["metadata"]["name"] == record
    assert shop.slots() == slots
    assert shop.state()["phase"] == "Observing"


def test_an_uninstall_in_a_release_leaves_the_traffic_where_it_is(standing: Standing) -> None:
    shop, load, operator = standing
    slots = shop.slots()
    with nothing_moves(shop, load, "uninstall in a stage, and install again"):
        operator_pod.take_away(shop.cluster)
        assert shop.slots() == slots
        assert shop.records()
        operator.start()
        shop.wait_look(seconds=120)
    assert shop.state()["phase"] == "Observing"
    shop.ask("abort")
    assert shop.wait_end(seconds=120) == "Aborted"
    shop.back_to("v1")


def test_at_rest_the_operator_goes_first(standing: Standing) -> None:
    shop, load, _ = standing
    with nothing_moves(shop, load, "operator, then rollout"):
        operator_pod.take_away(shop.cluster)
        shop.close()
    assert len(shop.records()) == 1, "the ledger stays"
    bring(shop)


def test_at_rest_the_kinds_go_first(standing: Standing) -> None:
    """With them every rollout and the ledger, under an operator that watches them."""
    shop, load, operator = standing
    shop.respec()
    wait_for("the rollout to rest", lambda: shop.condition("Ready").get("reason") == "Idle", 60)
    with nothing_moves(shop, load, "kinds, then operator"):
        kubectl(shop.cluster, "delete", "-f", ROOT / "crds", "--timeout=60s", seconds=90)
        wait_for("the operator to stand", lambda: len(operator.pods()) == 1, 30)
        operator_pod.take_away(shop.cluster)
    operator.start()
