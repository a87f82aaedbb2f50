"""What a cluster and its people do to a release in a stage: nodes, gateway, autoscaler, hands, upgrades.

One harmless release stands in its first stage for all of it. Whatever happens, its weight does not rise, it
is not blamed, and the stage goes on with valid evidence afterwards.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from e2e.cluster import gateway, node
from e2e.cluster.kubectl import apply, get, is_true, kubectl
from e2e.cluster.progress import say, wait_for
from e2e.cluster.state import Cluster
from e2e.looking import sampled
from e2e.operator_host import OperatorProcess, install
from e2e.shop import Manifest, Seen, Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(36)]

BLAME = {"HarmProven", "NeighbourHarm", "CrashLoop", "NeverReady", "BackendHarm", "OutOfTime"}


@pytest.fixture(scope="module")
def held(checkout: Shop) -> Iterator[Shop]:
    """A release that stands in its stage for as long as the events take."""
    with checkout.held_release("50m", "60m"):
        yield checkout


@contextmanager
def nobody_is_blamed(shop: Shop) -> Iterator[list[Seen]]:
    """The weight does not rise while the body runs, nothing is proven, and evidence is valid after it."""
    name, held = shop.wait_release(), shop.weights().canary
    with sampled(shop.weights, 1.0) as seen:
        yield seen
        going_on(shop)
    assert shop.wait_release() == name, "no other release began"
    assert max(s.canary for s in seen) <= held == shop.weights().canary
    assert not BLAME & {d["decision"]["reason"] for d in shop.decisions()}


def going_on(shop: Shop, seconds: float = 240) -> None:
    """The stage is watched again: weights stand, evidence is valid, and looks are taken."""
    shop.wait_phase("Observing", seconds=seconds, stage=0)
    shop.wait_look(seconds)
    wait_for(
        "valid evidence", lambda: shop.condition("EvidenceValid").get("status") == "True", seconds, every=1
    )


def canary_node(shop: Shop) -> str:
    """A node with a canary."""
    return next(where for where, arm in shop.places().values() if arm == "canary")


def all_arms_ready(shop: Shop, without: str) -> bool:
    """Every slot has a ready pod, none of them on that node."""
    items = get(shop.cluster, "-n", shop.app.namespace, "pods", "-l", "causalrollouts.dev/slot")["items"]
    mine = [p for p in items if p["metadata"]["labels"].get("app") == shop.app.name]
    standing = [p for p in mine if not p["metadata"].get("deletionTimestamp") and is_true(p, "Ready")]
    elsewhere = all(p["spec"].get("nodeName") != without for p in standing)
    return elsewhere and len(standing) == len(shop.slots())


def test_a_node_is_drained(held: Shop) -> None:
    where = canary_node(held)
    say(f"{where} is drained of {held.app.name}")
    with nobody_is_blamed(held):
        try:
            words = ["--ignore-daemonsets", f"--pod-selector=app={held.app.name}", "--timeout=90s"]
            kubectl(held.cluster, "drain", where, *words, seconds=100)
            wait_for("all arms to stand elsewhere", lambda: all_arms_ready(held, where), 120, every=1)
        finally:
            kubectl(held.cluster, "uncordon", where)


def test_a_node_dies(held: Shop) -> None:
    cluster, where = held.cluster, canary_node(held)
    cluster.need_host("a kubelet that dies")
    say(f"the kubelet of {where} dies, and its pods are forced away")
    with nobody_is_blamed(held):
        cluster.programs.stop([f"kubelet-{where}"], 10)
        try:
            wait_for(f"{where} to be NotReady", lambda: not _ready(cluster, where), 120, every=2)
            held_pods = ["-n", held.app.namespace, "-l", f"app={held.app.name}"]
            forced = ["--force", "--grace-period=0", f"--field-selector=spec.nodeName={where}"]
            kubectl(cluster, "delete", "pods", *held_pods, *forced, seconds=90)
            wait_for("all arms to stand elsewhere", lambda: all_arms_ready(held, where), 180, every=1)
        finally:
            node.start_kubelet(cluster, cluster.node(where))
            node.wait_until_ready(cluster)


def test_the_gateway_is_down(held: Shop) -> None:
    cluster = held.cluster
    cluster.need_host("a gateway that stops")
    with nobody_is_blamed(held) as seen:
        cluster.programs.stop([gateway.NAME], 10)
        try:
            wait_for(
                "EvidenceValid to turn False",
                lambda: held.condition("EvidenceValid").get("status") == "False",
                90,
            )
            time.sleep(20)
        finally:
            gateway.start(cluster)
            gateway.wait_until_ready(cluster)
    say(f"weights while no gateway stood: {sorted({s.canary for s in seen})}")


def test_a_weight_is_edited_by_hand(held: Shop) -> None:
    with nobody_is_blamed(held):
        weight = held.weights().canary
        began = time.time()
        _set_by_hand(held, 30)
        wait_for("the weight to be set again", lambda: held.weights().canary == weight, 30, every=0.3)
        say(f"set again after {time.time() - began:.1f} s")


def test_the_operator_is_upgraded(held: Shop, operator: OperatorProcess) -> None:
    with nobody_is_blamed(held):
        before = held.state()["timeline"]
        operator.stop()
        install(held.cluster)
        operator.start()
        going_on(held)
        assert held.state()["timeline"] == before, "the restart moved nothing"


def test_the_definitions_are_upgraded(held: Shop) -> None:
    kinds = [f"{plural}.causalrollouts.dev" for plural in ("causalrollouts", "rolloutrecords")]
    with nobody_is_blamed(held):
        for kind in kinds:
            add = {"spec": {"names": {"shortNames": ["newer", *_short(held.cluster, kind)]}}}
            _patch(held.cluster, "crd", kind, add)
        time.sleep(10)
        install(held.cluster)


def test_an_autoscaler_triples_the_fleet(held: Shop) -> None:
    many, slots = 3 * held.app.replicas, held.slots()
    try:
        with nobody_is_blamed(held):
            apply(held.cluster, [_autoscaler(held, many)])
            wait_for(f"{many} pods", lambda: len(held.versions()) >= many, 240, every=2)
            wait_for("the new size to be seen", lambda: held.state()["replicas"] == many, 120, every=1)
            going_on(held)
        # At a tenth of the traffic beside a tenth, 24 pods ask for the three slots an arm that 8 have.
        assert held.slots() == slots
    finally:
        kubectl(held.cluster, "-n", held.app.namespace, "delete", "hpa", held.app.name, "--ignore-not-found")
        _patch(held.cluster, "deployment", held.app.name, {"spec": {"replicas": held.app.replicas}}, held)


@pytest.mark.order(37)
def test_who_edits_weights_again_and_again_pauses_the_release_at_home(held: Shop) -> None:
    for _ in range(4):
        # At home a route of the form Inject lists no arm whose weight could be edited.
        wait_for("the canary to have its weight", lambda: _paused(held) or held.weights().canary == 100, 90)
        if _paused(held):
            break
        _set_by_hand(held, 30)
        wait_for("the weight to be set again", lambda: held.weights().canary != 300, 30, every=0.3)
    held.wait_phase("Paused", seconds=60)
    wait_for("all traffic to be on stable", lambda: held.weights().canary == 0, 30, every=0.5)
    said = held.condition("TrafficApplied")
    assert said["reason"] == "RouteContested", said
    say(said["message"])


def _paused(shop: Shop) -> bool:
    return shop.state().get("phase") == "Paused"


def _ready(cluster: Cluster, where: str) -> bool:
    return is_true(get(cluster, "node", where), "Ready")


def _short(cluster: Cluster, kind: str) -> list[str]:
    found: list[str] = get(cluster, "crd", kind)["spec"]["names"].get("shortNames") or []
    return found


def _set_by_hand(shop: Shop, percent: int) -> None:
    """As somebody with kubectl edit would: the canary's backend gets another weight."""
    route = get(shop.cluster, "-n", shop.app.namespace, "httproute", shop.app.name)
    rules = route["spec"]["rules"]
    for backend in rules[0]["backendRefs"]:
        if backend["name"] == shop.app.arm_name("canary"):
            backend["weight"] = 10 * percent
        elif backend["name"] == shop.app.arm_name("stable"):
            backend["weight"] = 1000 - 10 * percent - shop.weights().baseline
    _patch(shop.cluster, "httproute", shop.app.name, {"spec": {"rules": rules}}, shop)


def _patch(cluster: Cluster, kind: str, name: str, change: Manifest, shop: Shop | None = None) -> None:
    where = ["-n", shop.app.namespace] if shop is not None else []
    kubectl(cluster, *where, "patch", kind, name, "--type=merge", "-p", json.dumps(change))


def _autoscaler(shop: Shop, least: int) -> Manifest:
    """A HorizontalPodAutoscaler needs no metric to reach its least number of pods."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": shop.app.name, "namespace": shop.app.namespace},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": shop.app.name},
            "minReplicas": least,
            "maxReplicas": least,
        },
    }
