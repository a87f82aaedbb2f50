"""TrafficRouter: what is seen of Service and routes, and how weights move, on both kinds of routes."""

import pytest

from causal_rollouts.adapters.kube import ARM_LABEL, DEPLOYMENT, GRPC_ROUTE, HTTP_ROUTE, ROUTES, SERVICE
from causal_rollouts.model import actions as act
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.traffic import HOME, TrafficPlan, Weights
from causal_rollouts.ports import NotYet, Refused
from tests.contract.shops import Shop
from tests.contract.things import backend, service, template

SOME = Weights(canary=50, baseline=100)
HEADER = {
    "type": "RequestHeaderModifier",
    "requestHeaderModifier": {"set": [{"name": "x", "value": "1"}]},
}


@pytest.fixture(params=ROUTES.values(), ids=ROUTES)
def shop(request, lab):
    return Shop(lab, request.param)


async def test_a_shop_at_rest(shop):
    await shop.open()

    async def accepted():
        traffic = await shop.traffic()
        return traffic if traffic.routes[0].accepted and traffic.endpoints[Arm.STABLE] == 2 else None

    traffic = await shop.lab.until("the route accepted and two endpoints", accepted)
    [seen] = traffic.routes
    assert (seen.form, seen.weights, seen.arms_listed) == ("Inject", HOME, False)
    assert traffic.weights == HOME
    assert not traffic.arm_services
    assert traffic.problems == ()
    assert traffic.endpoints == {"stable": 2, "baseline": 0, "canary": 0}


async def test_arm_services_follow_the_users_service(shop):
    await shop.open()
    await shop.perform(act.EnsureArmServices("web"))
    assert (await shop.traffic()).arm_services
    canary = await shop.lab.find(SERVICE, "web-canary")
    assert canary["spec"]["selector"] == {"app": "web", ARM_LABEL: "canary"}
    assert canary["spec"]["ports"][0]["targetPort"] == "http"
    assert canary["metadata"]["labels"] == {"team": "shop"}

    ports = [{"name": "http", "port": 81, "targetPort": "http", "appProtocol": "kubernetes.io/h2c"}]
    await shop.lab.person.merge(SERVICE, shop.lab.namespace, "web", {"spec": {"ports": ports}})
    assert not (await shop.traffic()).arm_services
    await shop.perform(act.EnsureArmServices("web"))
    assert (await shop.traffic()).arm_services
    canary = await shop.lab.find(SERVICE, "web-canary")
    assert [(port["port"], port["appProtocol"]) for port in canary["spec"]["ports"]] == [
        (81, "kubernetes.io/h2c")
    ]


async def test_arm_services_that_are_right_are_not_written(shop):
    await shop.open()
    await shop.perform(act.EnsureArmServices("web"))
    before = (await shop.lab.find(SERVICE, "web-canary"))["metadata"]["resourceVersion"]
    await shop.perform(act.EnsureArmServices("web"))
    assert (await shop.lab.find(SERVICE, "web-canary"))["metadata"]["resourceVersion"] == before


async def test_a_service_of_somebody_else_is_never_taken(shop):
    await shop.open()
    await shop.lab.add(SERVICE, service("web-canary"))
    [text] = (await shop.traffic()).problems
    assert '"web-canary"' in text
    with pytest.raises(Refused):
        await shop.perform(act.EnsureArmServices("web"))
    await shop.perform(act.DeleteArmServices("web"))
    assert await shop.lab.operator.get(SERVICE, shop.lab.namespace, "web-canary") is not None


async def test_injected_arms_come_and_go_and_git_sees_its_route_again(shop):
    await shop.open(shop.rule(backend(weight=1, filters=[HEADER])))
    before = (await shop.route())["spec"]
    await shop.perform(act.EnsureArmServices("web"))
    traffic = await shop.move(SOME)
    assert traffic.routes[0].form == "Inject"
    assert await shop.backends() == {"web": 850, "web-canary": 50, "web-baseline": 100}
    listed = (await shop.route())["spec"]["rules"][0]["backendRefs"]
    assert all(b["filters"] == [HEADER] for b in listed)
    await shop.move(Weights(canary=0, baseline=100))
    assert await shop.backends() == {"web": 900, "web-canary": 0, "web-baseline": 100}
    await shop.move(HOME)
    assert (await shop.route())["spec"] == before
    assert not (await shop.traffic()).routes[0].arms_listed


async def test_listed_arms_stay_listed_and_only_integers_change(shop):
    await shop.open(shop.rule(backend(weight=100), backend("web-canary", 0), backend("web-baseline", 0)))
    before = (await shop.route())["spec"]
    await shop.perform(act.EnsureArmServices("web"))
    traffic = await shop.move(SOME)
    assert traffic.routes[0].form == "Weights"
    assert await shop.backends() == {"web": 85_000, "web-canary": 5_000, "web-baseline": 10_000}
    await shop.move(HOME)
    assert (await shop.route())["spec"] == before


async def test_other_backends_keep_their_share_and_every_rule_moves(shop):
    await shop.open(
        shop.rule(backend(weight=3), backend("other", weight=1), part="a"),
        shop.rule(backend("other"), part="b"),
        shop.rule(backend(), part="c"),
    )
    before = (await shop.route())["spec"]
    await shop.perform(act.EnsureArmServices("web"))
    await shop.move(SOME)
    assert await shop.backends(0) == {"web": 2550, "web-canary": 150, "web-baseline": 300, "other": 1000}
    assert await shop.backends(1) == {"other": 1}
    assert await shop.backends(2) == {"web": 850, "web-canary": 50, "web-baseline": 100}
    await shop.move(HOME)
    assert (await shop.route())["spec"] == before


@pytest.mark.parametrize("listed", [False, True])
async def test_weights_written_by_hand_do_not_outlive_the_release(shop, listed):
    arms = [backend("web-canary", 0), backend("web-baseline", 0)] if listed else []
    await shop.open(shop.rule(backend(weight=1000), *arms))
    before = (await shop.route())["spec"]
    await shop.perform(act.EnsureArmServices("web"))
    await shop.move(SOME)
    rules = (await shop.route())["spec"]["rules"]
    for entry in rules[0]["backendRefs"]:
        entry["weight"] = {"web": 600, "web-canary": 300, "web-baseline": 100_007}[entry["name"]]
    await shop.lab.git.merge(shop.kind, shop.lab.namespace, "web", {"spec": {"rules": rules}})
    await shop.move(SOME)
    assert await shop.backends() == {"web": 850_000, "web-canary": 50_000, "web-baseline": 100_000}
    await shop.move(HOME)
    assert (await shop.route())["spec"] == before
    assert "weights-at-home" not in str(await shop.lab.find(SERVICE, "web-canary"))


async def test_routes_of_both_kinds_share_one_service_each_by_itself(lab):
    web, calls = Shop(lab, HTTP_ROUTE), Shop(lab, GRPC_ROUTE)
    both = TrafficPlan("web", (*web.plan.routes, *calls.plan.routes), target="web")
    await web.open()
    await lab.add(GRPC_ROUTE, calls.written({"backendRefs": [backend()]}))
    before = [(await shop.route())["spec"] for shop in (web, calls)]
    await web.perform(act.EnsureArmServices("web"))

    await calls.move(SOME)
    traffic = await web.router.traffic(lab.namespace, both)
    assert [route.weights for route in traffic.routes] == [HOME, SOME]
    assert traffic.weights is None
    await web.move(SOME)
    assert (await web.router.traffic(lab.namespace, both)).weights == SOME

    await web.move(HOME)
    with pytest.raises(NotYet, match="still points"):
        await web.perform(act.DeleteArmServices("web"))
    assert await calls.backends() == {"web": 850, "web-canary": 50, "web-baseline": 100}
    await calls.move(HOME)
    assert [(await shop.route())["spec"] for shop in (web, calls)] == before


async def test_weights_for_an_older_route_are_not_set(shop):
    await shop.open()
    await shop.perform(act.EnsureArmServices("web"))
    seen = (await shop.route())["metadata"]["resourceVersion"]
    await shop.lab.person.merge(shop.kind, shop.lab.namespace, "web", {"metadata": {"labels": {"new": "1"}}})
    with pytest.raises(NotYet):
        await shop.set(SOME, seen)
    assert await shop.backends() == {"web": 1}


async def test_weights_that_stand_are_not_written_again(shop):
    await shop.open()
    await shop.perform(act.EnsureArmServices("web"))
    await shop.move(SOME)

    seen = await shop.settled_version()
    await shop.set(SOME, seen)
    assert (await shop.route())["metadata"]["resourceVersion"] == seen


async def test_no_weights_before_the_arm_services_stand(shop):
    await shop.open()
    seen = await shop.settled_version()
    with pytest.raises(NotYet, match="arms"):
        await shop.set(SOME, seen)


async def test_arm_services_stay_while_a_route_points_at_them(shop):
    await shop.open()
    await shop.perform(act.EnsureArmServices("web"))
    await shop.move(SOME)
    with pytest.raises(NotYet, match="still points"):
        await shop.perform(act.DeleteArmServices("web"))
    await shop.move(HOME)
    for _ in range(2):
        await shop.perform(act.DeleteArmServices("web"))
    assert await shop.lab.operator.get(SERVICE, shop.lab.namespace, "web-canary") is None


async def test_what_is_missing_is_named(shop):
    texts = (await shop.traffic()).problems
    assert [t.split(":")[0] for t in texts] == ["spec.traffic.service", f"{shop.field}.name"]
    assert all("create it or correct the name" in t for t in texts)


async def test_a_route_that_sends_nothing_to_the_service_says_so(shop):
    await shop.open(shop.rule(backend("other")))
    assert await shop.problem() == (
        f'{shop.field}: route "web" sends nothing to Service "web"; add it as a backendRef '
        "or name the Service it uses in spec.traffic.service"
    )


async def test_the_arm_label_is_asked_for_in_the_right_order(shop):
    await shop.open(app="web")
    text = await shop.problem()
    assert "spec.selector" in text
    assert "once all its pods" in text

    bare = template("web")
    bare["metadata"]["labels"][ARM_LABEL] = None
    await shop.lab.person.merge(DEPLOYMENT, shop.lab.namespace, "web", {"spec": {"template": bare}})
    text = await shop.problem()
    assert text.index("template.metadata.labels") < text.index("spec.selector")
    assert text.startswith("spec.targetRef")

    await shop.lab.person.merge(
        SERVICE, shop.lab.namespace, "web", {"spec": {"selector": {ARM_LABEL: "stable"}}}
    )
    text = await shop.problem()
    assert text.index("take the line out") < text.index("add it to") < text.index("put it back")

    bare["metadata"]["labels"][ARM_LABEL] = "stable"
    await shop.lab.person.merge(DEPLOYMENT, shop.lab.namespace, "web", {"spec": {"template": bare}})
    assert (await shop.traffic()).problems == ()


async def test_a_service_of_other_pods_is_told(shop):
    await shop.open(**{"app": "other", ARM_LABEL: "stable"})
    text = await shop.problem()
    assert "app=other" in text
    assert text.startswith("spec.traffic.service")


@pytest.mark.parametrize(
    ("backends", "word"),
    [
        ([backend(port=81)], "port 81"),
        ([backend(), backend("other", namespace="else")], "namespace"),
        ([backend(weight=2000)], "weight above 1000"),
        ([backend(), backend(weight=2)], "twice"),
        ([backend(), *(backend(f"o{i}") for i in range(14))], "no room"),
    ],
)
async def test_a_rule_that_cannot_be_split_is_told(shop, backends, word):
    await shop.open(shop.rule(*backends))
    text = await shop.problem()
    assert word in text
    assert text.startswith(f"{shop.field}: rule 0")
