"""Somebody writes between what was read and what is written: nothing is done on an old view."""

import pytest

from causal_rollouts.adapters.gateway_api import GatewayRouter
from causal_rollouts.adapters.kube import HTTP_ROUTE, ROLLOUT
from causal_rollouts.adapters.records import KubeRolloutStore
from causal_rollouts.model import actions as act
from causal_rollouts.model.traffic import TrafficPlan, Weights
from causal_rollouts.model.world import Key
from causal_rollouts.ports import NotYet
from e2e.embedded.apiserver import ApiServer
from e2e.embedded.controllers import Controllers, add_nodes
from e2e.embedded.shop import NAMESPACE, open_shop

PLAN = TrafficPlan("web", (("HTTPRoute", "web"),), "web")


class Overtaken:
    """The API for a writer whom somebody overtakes right before its JSON Patch."""

    def __init__(self, kube, overtake):
        self.kube, self.overtake = kube, overtake

    def __getattr__(self, name):
        return getattr(self.kube, name)

    async def json_patch(self, *args):
        await self.overtake()
        return await self.kube.json_patch(*args)


@pytest.fixture
def api():
    server = ApiServer()
    add_nodes(server, "node1")
    open_shop(server, replicas=2)
    Controllers(server).step(server.time)
    return server


async def test_a_route_that_changes_under_the_patch_keeps_what_the_other_wrote(api):
    git = api.client("git")

    async def overtake():
        await git.merge(HTTP_ROUTE, NAMESPACE, "web", {"spec": {"hostnames": ["other.example"]}})

    plain = GatewayRouter(api.client())
    await plain.perform(NAMESPACE, act.EnsureArmServices("web"))
    seen = (await plain.traffic(NAMESPACE, PLAN)).routes[0].version
    weights = act.SetWeights("web", "HTTPRoute", "web", Weights(50, 50), seen)
    with pytest.raises(NotYet):
        await GatewayRouter(Overtaken(api.client(), overtake)).perform(NAMESPACE, weights)
    assert api.find(HTTP_ROUTE, NAMESPACE, "web")["spec"]["rules"][0]["backendRefs"] == [
        {"name": "web", "port": 80, "group": "", "kind": "Service", "weight": 1}
    ]


async def test_a_request_that_is_asked_anew_under_the_patch_is_not_lost(api):
    people = api.client("alice")
    note = "causalrollouts.dev/pause"
    await people.create(
        ROLLOUT, NAMESPACE, {"metadata": {"name": "web", "annotations": {note: "alice:web-1"}}, "spec": {}}
    )

    async def overtake():
        await people.merge(ROLLOUT, NAMESPACE, "web", {"metadata": {"annotations": {note: "alice:web-2"}}})

    store = KubeRolloutStore(Overtaken(api.client(), overtake))
    rollout = await store.rollout(Key(NAMESPACE, "web"))
    with pytest.raises(NotYet):
        await store.perform(rollout, act.ClearRequest(note, "alice:web-1"))
    assert (await store.rollout(rollout.key)).requests.pause == "alice:web-2"


async def test_a_route_that_the_gateway_has_not_taken_yet_is_not_accepted(api):
    router = GatewayRouter(api.client())
    assert (await router.traffic(NAMESPACE, PLAN)).routes[0].accepted
    await api.client("git").merge(HTTP_ROUTE, NAMESPACE, "web", {"spec": {"hostnames": ["new.example"]}})
    assert not (await router.traffic(NAMESPACE, PLAN)).routes[0].accepted
    Controllers(api).step(api.time + 1)
    assert (await router.traffic(NAMESPACE, PLAN)).routes[0].accepted


@pytest.mark.parametrize(
    "parent",
    [
        {"conditions": [{"type": "Accepted", "status": "False", "observedGeneration": 9}]},
        {
            "conditions": [
                {"type": "Accepted", "status": "True", "observedGeneration": 9},
                {"type": "ResolvedRefs", "status": "False", "observedGeneration": 9},
            ]
        },
        {"conditions": []},
    ],
)
async def test_a_route_that_a_gateway_refuses_is_not_accepted(api, parent):
    old = api.find(HTTP_ROUTE, NAMESPACE, "web")
    api.change(HTTP_ROUTE, old, {**old, "status": {"parents": [parent]}}, status=True)
    assert not (await GatewayRouter(api.client()).traffic(NAMESPACE, PLAN)).routes[0].accepted


async def test_without_a_gateway_no_route_is_accepted(api):
    old = api.find(HTTP_ROUTE, NAMESPACE, "web")
    api.change(HTTP_ROUTE, old, {**old, "status": {"parents": []}}, status=True)
    assert not (await GatewayRouter(api.client()).traffic(NAMESPACE, PLAN)).routes[0].accepted
