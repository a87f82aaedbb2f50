"""TrafficRouter where the number of pods makes the share: what is seen of the slots, and how weights move."""

import pytest

from causal_rollouts.adapters.kube import ARM_LABEL, POD, SERVICE
from causal_rollouts.model import actions as act
from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.traffic import HOME, POD_CONDITION, Weights
from causal_rollouts.ports import NotYet
from tests.contract.pods import Pods

CANARY, BASELINE = Slot(Arm.CANARY, 0), Slot(Arm.BASELINE, 0)
SECOND = Slot(Arm.CANARY, 1)
SOME = Weights.of_pods(1, 1, 2)
MORE = Weights.of_pods(2, 1, 2)


@pytest.fixture
def pods(lab):
    return Pods(lab)


async def test_pods_of_the_arms_wait_outside_of_the_traffic(pods):
    await pods.open(CANARY, BASELINE)
    traffic = await pods.traffic()
    assert traffic.problems == ()
    assert traffic.weights == HOME
    assert traffic.arm_services
    assert traffic.endpoints == {"stable": 2, "baseline": 1, "canary": 1}
    assert {(r.kind, r.form, r.slot, r.weights, r.fresh, r.accepted) for r in traffic.routes} == {
        ("Pod", "Pods", CANARY, HOME, True, True),
        ("Pod", "Pods", BASELINE, HOME, True, True),
    }
    assert await pods.serving() == ["stable", "stable"]
    fleet = await pods.workloads.fleet(pods.lab.namespace, "web")
    assert all(state.ready for state in fleet.slots), "what could serve counts as ready"


async def test_weights_let_pods_in_and_take_them_out(pods):
    await pods.open(CANARY, BASELINE)
    traffic = await pods.move(SOME)
    assert traffic.weights == SOME
    assert not any(route.fresh for route in traffic.routes)
    assert await pods.serving() == ["baseline", "canary", "stable", "stable"]
    traffic = await pods.move(HOME)
    assert traffic.weights == HOME
    assert await pods.serving() == ["stable", "stable"]
    assert traffic.endpoints == {"stable": 2, "baseline": 1, "canary": 1}


async def test_a_slot_that_the_weights_do_not_count_waits(pods):
    await pods.open(CANARY, BASELINE, SECOND)
    traffic = await pods.move(SOME)
    assert traffic.weights == SOME
    assert {r.slot: r.fresh for r in traffic.routes} == {CANARY: False, BASELINE: False, SECOND: True}
    assert await pods.serving() == ["baseline", "canary", "stable", "stable"]
    await pods.move(MORE)
    assert await pods.serving() == ["baseline", "canary", "canary", "stable", "stable"]
    await pods.move(Weights(canary=0, baseline=250, baselines=1))
    assert await pods.serving() == ["baseline", "stable", "stable"]


async def test_a_shift_that_stopped_half_way_is_no_set_of_weights(pods):
    await pods.open(CANARY, BASELINE)
    await pods.move(SOME)

    async def half_way():
        traffic = await pods.traffic()
        [canary] = [r for r in traffic.routes if r.slot == CANARY]
        try:
            await pods.set(canary, Weights.of_pods(1, 1, 3))
        except NotYet:
            return False
        return True

    await pods.lab.until("one pod told", half_way)
    assert (await pods.traffic()).weights is None


async def test_a_pod_that_replaces_another_waits_until_it_is_let_in(pods):
    await pods.open(CANARY, BASELINE)
    await pods.move(SOME)
    first = (await pods.pod(CANARY))["metadata"]["name"]
    await pods.lab.person.delete(POD, pods.lab.namespace, first)

    async def replaced():
        traffic = await pods.traffic()
        new = [r for r in traffic.routes if r.slot == CANARY and r.name != first]
        return traffic if new and traffic.endpoints["canary"] == 1 else None

    traffic = await pods.lab.until("another pod in the slot", replaced)
    [new] = [route for route in traffic.routes if route.slot == CANARY]
    assert (new.weights, new.fresh) == (HOME, True)
    assert traffic.weights == SOME, "what nobody has told yet speaks against no weights"
    assert await pods.serving() == ["baseline", "stable", "stable"]
    await pods.move(SOME)
    assert await pods.serving() == ["baseline", "canary", "stable", "stable"]


async def test_weights_for_an_older_pod_are_not_set(pods):
    await pods.open(CANARY)
    [seen] = (await pods.traffic()).routes
    await pods.lab.person.merge(POD, pods.lab.namespace, seen.name, {"metadata": {"labels": {"new": "1"}}})
    with pytest.raises(NotYet):
        await pods.set(seen, SOME)
    assert await pods.serving() == ["stable", "stable"]


async def test_weights_of_a_pod_that_is_gone_are_not_yet(pods):
    await pods.open()
    gone = act.SetWeights("web", "Pod", "web-canary-0-zzzzz", SOME, "1")
    with pytest.raises(NotYet):
        await pods.router.perform(pods.lab.namespace, gone)


async def test_weights_that_stand_are_not_written_again(pods):
    await pods.open(CANARY, BASELINE)
    traffic = await pods.move(SOME)
    for route in traffic.routes:
        await pods.set(route, SOME)
    assert {r.version for r in (await pods.traffic()).routes} == {r.version for r in traffic.routes}


async def test_what_somebody_else_wrote_is_no_set_of_weights(pods):
    await pods.open(CANARY)
    await pods.move(Weights.of_pods(1, 0, 2))

    async def forged():
        pod = await pods.pod(CANARY)
        told = [
            {**c, "message": "mine"} if c["type"] == POD_CONDITION else c for c in pod["status"]["conditions"]
        ]
        patch = {
            "metadata": {"resourceVersion": pod["metadata"]["resourceVersion"]},
            "status": {"conditions": told},
        }
        try:
            await pods.lab.person.merge(POD, pods.lab.namespace, pod["metadata"]["name"], patch, status=True)
        except NotYet:
            return False
        return True

    await pods.lab.until("written", forged)
    assert (await pods.traffic()).weights is None
    await pods.move(HOME)
    assert await pods.serving() == ["stable", "stable"]


async def test_a_pod_without_the_gate_carries_no_weights(pods):
    """Left by a release over routes: nothing can keep it out, so nothing waits for it to be kept out."""
    await pods.open(CANARY, gated=False)
    traffic = await pods.traffic()
    assert (traffic.routes, traffic.weights) == ((), None)


async def test_weights_go_home_without_the_service(pods):
    await pods.open(CANARY, BASELINE)
    await pods.move(SOME)
    await pods.lab.person.delete(SERVICE, pods.lab.namespace, "web")
    traffic = await pods.move(HOME)
    assert traffic.weights == HOME
    [text] = traffic.problems
    assert "create it or correct the name" in text


async def test_a_service_that_keeps_the_arms_out_is_told(pods):
    await pods.open()
    line = {"spec": {"selector": {ARM_LABEL: "stable"}}}
    await pods.lab.person.merge(SERVICE, pods.lab.namespace, "web", line)
    [text] = (await pods.traffic()).problems
    assert text.startswith("spec.traffic.service")
    assert text.endswith("take this line out of its spec.selector")


async def test_a_service_of_other_pods_is_told(pods):
    await pods.open()
    await pods.lab.person.merge(SERVICE, pods.lab.namespace, "web", {"spec": {"selector": {"tier": "front"}}})
    [text] = (await pods.traffic()).problems
    assert "tier=front" in text


@pytest.mark.parametrize(
    "spec",
    [
        {"publishNotReadyAddresses": True},
        {"sessionAffinity": "ClientIP"},
        {"internalTrafficPolicy": "Local"},
        {"trafficDistribution": "PreferClose"},
        {"type": "NodePort", "externalTrafficPolicy": "Local"},
    ],
    ids=lambda spec: list(spec)[-1],
)
async def test_a_service_that_does_not_share_evenly_is_told(pods, spec):
    await pods.open(**spec)
    [text] = (await pods.traffic()).problems
    assert list(spec)[-1] in text
    assert text.endswith("take it out, or name a route instead")


async def test_pods_published_before_they_are_ready_still_go_home(pods):
    """Only `serving` tells of the pod itself there; without it a release would never be seen to end."""
    await pods.open(CANARY, BASELINE, publishNotReadyAddresses=True)
    await pods.move(SOME)
    await pods.move(HOME)
