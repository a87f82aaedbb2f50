"""TrafficRouter: what is seen of Service and routes, and how weights move."""

import pytest

from causal_rollouts.adapters.gateway_api import GatewayRouter
from causal_rollouts.adapters.kube import ARM_LABEL, DEPLOYMENT, GRPC_ROUTE, HTTP_ROUTE, SERVICE
from causal_rollouts.model import actions as act
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.traffic import HOME, TrafficPlan, Weights
from causal_rollouts.ports import NotYet, Refused
from tests.contract.things import backend, deployment, route, rule, service, template

PLAN = TrafficPlan("web", (("HTTPRoute", "web"),), target="web")
SOME = Weights(canary=50, baseline=100)
HEADER = {
    "type": "RequestHeaderModifier",
    "requestHeaderModifier": {"set": [{"name": "x", "value": "1"}]},
}


@pytest.fixture
def router(lab):
    return GatewayRouter(lab.operator)


async def shop(lab, *rules, **selector):
    """Deployment, Service and route, as a user has them."""
    await lab.add(DEPLOYMENT, deployment())
    await lab.add(SERVICE, service("web", **selector))
    await lab.add(HTTP_ROUTE, route(lab.gateway, *(rules or (rule(backend()),))))


async def move(lab, router, weights, kind="HTTPRoute", plan=PLAN):
    """Set weights and see them, as the loop does."""

    async def once():
        traffic = await router.traffic(lab.namespace, plan)
        [seen] = [r for r in traffic.routes if r.kind == kind]
        if seen.weights == weights:
            return traffic
        try:
            await router.perform(
                lab.namespace, act.SetWeights("web", kind, "web", weights, seen=seen.version)
            )
        except NotYet:
            return None
        return None

    return await lab.until(f"weights {weights}", once)


async def backends(lab, index=0, kind=HTTP_ROUTE):
    found = await lab.find(kind, "web")
    return {b["name"]: b.get("weight", 1) for b in found["spec"]["rules"][index]["backendRefs"]}


async def settled_version(lab):
    """Version of the route once the gateway has written all it has to say."""

    async def still():
        found = await lab.find(HTTP_ROUTE, "web")
        for _ in range(3):
            await lab.wait()
        told = found.get("status", {}).get("parents")
        return found if told and found == await lab.find(HTTP_ROUTE, "web") else None

    return (await lab.until("the gateway has settled", still))["metadata"]["resourceVersion"]


async def test_a_shop_at_rest(lab, router):
    await shop(lab)

    async def accepted():
        traffic = await router.traffic(lab.namespace, PLAN)
        return traffic if traffic.routes[0].accepted and traffic.endpoints[Arm.STABLE] == 2 else None

    traffic = await lab.until("the route accepted and two endpoints", accepted)
    [seen] = traffic.routes
    assert (seen.form, seen.weights, seen.arms_listed) == ("Inject", HOME, False)
    assert traffic.weights == HOME
    assert not traffic.arm_services
    assert traffic.problems == ()
    assert traffic.endpoints == {"stable": 2, "baseline": 0, "canary": 0}


async def test_arm_services_follow_the_users_service(lab, router):
    await shop(lab)
    await router.perform(lab.namespace, act.EnsureArmServices("web"))
    assert (await router.traffic(lab.namespace, PLAN)).arm_services
    canary = await lab.find(SERVICE, "web-canary")
    assert canary["spec"]["selector"] == {"app": "web", ARM_LABEL: "canary"}
    assert canary["spec"]["ports"][0]["targetPort"] == "http"
    assert canary["metadata"]["labels"] == {"team": "shop"}

    ports = [{"name": "http", "port": 81, "targetPort": "http", "protocol": "TCP"}]
    await lab.person.merge(SERVICE, lab.namespace, "web", {"spec": {"ports": ports}})
    assert not (await router.traffic(lab.namespace, PLAN)).arm_services
    await router.perform(lab.namespace, act.EnsureArmServices("web"))
    assert (await router.traffic(lab.namespace, PLAN)).arm_services
    canary = await lab.find(SERVICE, "web-canary")
    assert [port["port"] for port in canary["spec"]["ports"]] == [81]


async def test_arm_services_that_are_right_are_not_written(lab, router):
    await shop(lab)
    await router.perform(lab.namespace, act.EnsureArmServices("web"))
    before = (await lab.find(SERVICE, "web-canary"))["metadata"]["resourceVersion"]
    await router.perform(lab.namespace, act.EnsureArmServices("web"))
    assert (await lab.find(SERVICE, "web-canary"))["metadata"]["resourceVersion"] == before


async def test_a_service_of_somebody_else_is_never_taken(lab, router):
    await shop(lab)
    await lab.add(SERVICE, service("web-canary"))
    [text] = (await router.traffic(lab.namespace, PLAN)).problems
    assert '"web-canary"' in text
    with pytest.raises(Refused):
        await router.perform(lab.namespace, act.EnsureArmServices("web"))
    await router.perform(lab.namespace, act.DeleteArmServices("web"))
    assert await lab.operator.get(SERVICE, lab.namespace, "web-canary") is not None


async def test_injected_arms_come_and_go_and_git_sees_its_route_again(lab, router):
    await shop(lab, rule(backend(weight=1, filters=[HEADER])))
    before = (await lab.find(HTTP_ROUTE, "web"))["spec"]
    await router.perform(lab.namespace, act.EnsureArmServices("web"))
    traffic = await move(lab, router, SOME)
    assert traffic.routes[0].form == "Inject"
    assert await backends(lab) == {"web": 850, "web-canary": 50, "web-baseline": 100}
    listed = (await lab.find(HTTP_ROUTE, "web"))["spec"]["rules"][0]["backendRefs"]
    assert all(b["filters"] == [HEADER] for b in listed)
    await move(lab, router, Weights(canary=0, baseline=100))
    assert await backends(lab) == {"web": 900, "web-canary": 0, "web-baseline": 100}
    await move(lab, router, HOME)
    assert (await lab.find(HTTP_ROUTE, "web"))["spec"] == before
    assert not (await router.traffic(lab.namespace, PLAN)).routes[0].arms_listed


async def test_listed_arms_stay_listed_and_only_integers_change(lab, router):
    await shop(lab, rule(backend(weight=100), backend("web-canary", 0), backend("web-baseline", 0)))
    before = (await lab.find(HTTP_ROUTE, "web"))["spec"]
    await router.perform(lab.namespace, act.EnsureArmServices("web"))
    traffic = await move(lab, router, SOME)
    assert traffic.routes[0].form == "Weights"
    assert await backends(lab) == {"web": 85_000, "web-canary": 5_000, "web-baseline": 10_000}
    await move(lab, router, HOME)
    assert (await lab.find(HTTP_ROUTE, "web"))["spec"] == before


async def test_other_backends_keep_their_share_and_every_rule_moves(lab, router):
    await shop(
        lab,
        rule(backend(weight=3), backend("other", weight=1), path="/a"),
        rule(backend("other"), path="/b"),
        rule(backend(), path="/c"),
    )
    before = (await lab.find(HTTP_ROUTE, "web"))["spec"]
    await router.perform(lab.namespace, act.EnsureArmServices("web"))
    await move(lab, router, SOME)
    assert await backends(lab, 0) == {"web": 2550, "web-canary": 150, "web-baseline": 300, "other": 1000}
    assert await backends(lab, 1) == {"other": 1}
    assert await backends(lab, 2) == {"web": 850, "web-canary": 50, "web-baseline": 100}
    await move(lab, router, HOME)
    assert (await lab.find(HTTP_ROUTE, "web"))["spec"] == before


@pytest.mark.parametrize("listed", [False, True])
async def test_weights_written_by_hand_do_not_outlive_the_release(lab, router, listed):
    arms = [backend("web-canary", 0), backend("web-baseline", 0)] if listed else []
    await shop(lab, rule(backend(weight=1000), *arms))
    before = (await lab.find(HTTP_ROUTE, "web"))["spec"]
    await router.perform(lab.namespace, act.EnsureArmServices("web"))
    await move(lab, router, SOME)
    found = await lab.find(HTTP_ROUTE, "web")
    for entry in found["spec"]["rules"][0]["backendRefs"]:
        entry["weight"] = {"web": 600, "web-canary": 300, "web-baseline": 100_007}[entry["name"]]
    await lab.git.merge(HTTP_ROUTE, lab.namespace, "web", {"spec": {"rules": found["spec"]["rules"]}})
    await move(lab, router, SOME)
    assert await backends(lab) == {"web": 850_000, "web-canary": 50_000, "web-baseline": 100_000}
    await move(lab, router, HOME)
    assert (await lab.find(HTTP_ROUTE, "web"))["spec"] == before
    assert "weights-at-home" not in str(await lab.find(SERVICE, "web-canary"))


async def test_grpc_routes_move_too(lab, router):
    await shop(lab)
    grpc = route(lab.gateway, {"backendRefs": [backend()]})
    await lab.add(GRPC_ROUTE, grpc)
    await router.perform(lab.namespace, act.EnsureArmServices("web"))
    plan = TrafficPlan("web", (("HTTPRoute", "web"), ("GRPCRoute", "web")), target="web")
    await move(lab, router, SOME, "GRPCRoute", plan)
    traffic = await router.traffic(lab.namespace, plan)
    assert [r.weights for r in traffic.routes] == [HOME, SOME]
    assert traffic.weights is None
    assert await backends(lab, kind=GRPC_ROUTE) == {"web": 850, "web-canary": 50, "web-baseline": 100}


async def test_weights_for_an_older_route_are_not_set(lab, router):
    await shop(lab)
    await router.perform(lab.namespace, act.EnsureArmServices("web"))
    seen = (await lab.find(HTTP_ROUTE, "web"))["metadata"]["resourceVersion"]
    await lab.person.merge(HTTP_ROUTE, lab.namespace, "web", {"metadata": {"labels": {"new": "1"}}})
    with pytest.raises(NotYet):
        await router.perform(lab.namespace, act.SetWeights("web", "HTTPRoute", "web", SOME, seen))
    assert await backends(lab) == {"web": 1}


async def test_weights_that_stand_are_not_written_again(lab, router):
    await shop(lab)
    await router.perform(lab.namespace, act.EnsureArmServices("web"))
    await move(lab, router, SOME)

    seen = await settled_version(lab)
    await router.perform(lab.namespace, act.SetWeights("web", "HTTPRoute", "web", SOME, seen))
    assert (await lab.find(HTTP_ROUTE, "web"))["metadata"]["resourceVersion"] == seen


async def test_no_weights_before_the_arm_services_stand(lab, router):
    await shop(lab)
    seen = await settled_version(lab)
    with pytest.raises(NotYet, match="arms"):
        await router.perform(lab.namespace, act.SetWeights("web", "HTTPRoute", "web", SOME, seen))


async def test_arm_services_stay_while_a_route_points_at_them(lab, router):
    await shop(lab)
    await router.perform(lab.namespace, act.EnsureArmServices("web"))
    await move(lab, router, SOME)
    with pytest.raises(NotYet, match="still points"):
        await router.perform(lab.namespace, act.DeleteArmServices("web"))
    await move(lab, router, HOME)
    for _ in range(2):
        await router.perform(lab.namespace, act.DeleteArmServices("web"))
    assert await lab.operator.get(SERVICE, lab.namespace, "web-canary") is None


async def test_what_is_missing_is_named(lab, router):
    texts = (await router.traffic(lab.namespace, PLAN)).problems
    assert [t.split(":")[0] for t in texts] == ["spec.traffic.service", "spec.traffic.httpRoutes[0].name"]
    assert all("create it or correct the name" in t for t in texts)


async def problem(lab, router):
    [text] = (await router.traffic(lab.namespace, PLAN)).problems
    return text


async def test_a_route_that_sends_nothing_to_the_service_says_so(lab, router):
    await shop(lab, rule(backend("other")))
    assert await problem(lab, router) == (
        'spec.traffic.httpRoutes[0]: route "web" sends nothing to Service "web"; add it as a backendRef '
        "or name the Service it uses in spec.traffic.service"
    )


async def test_the_arm_label_is_asked_for_in_the_right_order(lab, router):
    await shop(lab, app="web")
    text = await problem(lab, router)
    assert "spec.selector" in text
    assert "once all its pods" in text

    bare = template("web")
    bare["metadata"]["labels"][ARM_LABEL] = None
    await lab.person.merge(DEPLOYMENT, lab.namespace, "web", {"spec": {"template": bare}})
    text = await problem(lab, router)
    assert text.index("template.metadata.labels") < text.index("spec.selector")
    assert text.startswith("spec.targetRef")

    await lab.person.merge(SERVICE, lab.namespace, "web", {"spec": {"selector": {ARM_LABEL: "stable"}}})
    text = await problem(lab, router)
    assert text.index("take the line out") < text.index("add it to") < text.index("put it back")

    bare["metadata"]["labels"][ARM_LABEL] = "stable"
    await lab.person.merge(DEPLOYMENT, lab.namespace, "web", {"spec": {"template": bare}})
    assert (await router.traffic(lab.namespace, PLAN)).problems == ()


async def test_a_service_of_other_pods_is_told(lab, router):
    await shop(lab, **{"app": "other", ARM_LABEL: "stable"})
    text = await problem(lab, router)
    assert "app=other" in text
    assert text.startswith("spec.traffic.service")


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        ([rule(backend(port=81))], "port 81"),
        ([rule(backend(), backend("other", namespace="else"))], "namespace"),
        ([rule(backend(weight=2000))], "weight above 1000"),
        ([rule(backend(), backend(weight=2))], "twice"),
        ([rule(backend(), *(backend(f"o{i}") for i in range(14)))], "no room"),
    ],
)
async def test_a_rule_that_cannot_be_split_is_told(lab, router, rules, word):
    await shop(lab, *rules)
    text = await problem(lab, router)
    assert word in text
    assert text.startswith("spec.traffic.httpRoutes[0]: rule 0")
