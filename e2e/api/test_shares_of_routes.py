"""Routes of several rules through the real gateway: what the router writes is what each arm is given.

Who answers tells it by its version and its arm: v1 is the Service that a release moves, v6 a backend of
somebody else's beside it.
"""

import http.client
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from causal_rollouts.adapters.kube import DEPLOYMENT, GRPC_ROUTE, HTTP_ROUTE, SERVICE
from causal_rollouts.model import actions as act
from causal_rollouts.model.traffic import HOME, Weights
from e2e.call_shop import CALLS, PORT, TAKES_CALLS
from e2e.cluster.progress import say
from e2e.cluster.state import Cluster
from e2e.course import FAR
from e2e.demo import build, manifests
from e2e.demo.build import Binaries
from e2e.demo.manifests import App, RouteForm
from e2e.demo.noise_settings import QUIET
from e2e.demo.traffic import Load
from e2e.demo.versions import VERSIONS
from e2e.figures.watch import SETTLES
from tests.contract.labs import on_cluster
from tests.contract.shops import Json, Shop
from tests.contract.things import backend, route

pytestmark = pytest.mark.cluster

OUT = Weights(canary=100, baseline=200)
OURS = {"stable": 0.7, "canary": 0.1, "baseline": 0.2}
THEIRS = "somebody else"
CALLED = "demo.Shop"
"""The service of the demo, as its proto would name it."""

REQUESTS = 400
NOTE = {
    "type": "ResponseHeaderModifier",
    "responseHeaderModifier": {"set": [{"name": "x-note", "value": "1"}]},
}
HEADER = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x", "value": "1"}]}}


@dataclass(frozen=True)
class Street:
    """Pods of three arms and of somebody else, and a shop whose route leads to them."""

    shop: Shop
    cluster: Cluster
    binaries: Binaries

    @property
    def host(self) -> str:
        """Its own: of two routes that name one host the older wins, also while its namespace is going."""
        return f"{self.shop.lab.namespace}.contract.test"

    async def build(self) -> None:
        lab, calls = self.shop.lab, self.shop.kind == GRPC_ROUTE
        extra = TAKES_CALLS if calls else {}
        web, other = (
            App(self.binaries.image, name, lab.namespace, noise=QUIET, extra=extra)
            for name in ("web", "other")
        )
        for app, version, arms in ((web, "v1", OURS), (other, "v6", ("stable",))):
            for arm in arms:
                await lab.add(DEPLOYMENT, manifests.deployment(app, VERSIONS[version], arm, replicas=1))
            made = manifests.service(app)
            if calls:
                made["spec"]["ports"][0] |= {"targetPort": PORT, "appProtocol": "kubernetes.io/h2c"}
            await lab.add(SERVICE, made)
        await self.shop.perform(act.EnsureArmServices("web"))

    async def open(self, *rules: Json) -> Json:
        """The route, once its gateway has taken it and every pod serves; how Git has it."""
        lab = self.shop.lab
        await lab.add(self.shop.kind, route(lab.gateway, *rules, host=lab.namespace))

        async def serves() -> bool:
            traffic = await self.shop.traffic()
            return traffic.routes[0].accepted and min(traffic.endpoints.values()) > 0

        await self.shop.lab.until("the route accepted and a pod of each arm", serves, 90)
        spec: Json = (await self.shop.route())["spec"]
        return spec

    async def move(self, weights: Weights) -> None:
        """Until the gateway has taken it, too."""
        await self.shop.move(weights)
        await self.shop.settled_version()

    def asked(self, path: str, **headers: str) -> Counter[str]:
        """Who answered so many requests on one connection; responses without the rule's note are told."""
        gateway = http.client.HTTPConnection(urlsplit(self.cluster.gateway_url).netloc, timeout=10)
        found: Counter[str] = Counter()
        for _ in range(REQUESTS):
            gateway.request("GET", path, headers={"Host": self.host, **headers})
            answer = gateway.getresponse()
            answer.read()
            arm = answer.getheader("X-Arm") or f"no pod, {answer.status}"
            found[arm if answer.getheader("X-Version") != "v6" else THEIRS] += 1
            found["noted"] += answer.getheader("x-note") == "1"
        return found


@pytest.fixture
async def street(request: pytest.FixtureRequest, installed: Cluster) -> AsyncIterator[Street]:
    binaries = build.load_image(installed)
    async with on_cluster() as lab:
        made = Street(Shop(lab, request.param), installed, binaries)
        await made.build()
        yield made


def ours(form: RouteForm, weight: int = 1) -> list[Json]:
    """The Service as Git has it in this form."""
    if form is RouteForm.INJECT:
        return [backend(weight=weight)]
    return [backend(weight=weight), backend("web-canary", 0), backend("web-baseline", 0)]


def near(found: Counter[str], expected: dict[str, float], of: int) -> None:
    """Each within what chance allows, and nobody else at all. The gateway deals in turn, so it is nearer."""
    for who, share in expected.items():
        error = (share * (1 - share) / of) ** 0.5
        off = found[who] / of - share
        say(f"  {who}: {found[who] / of:.4f} of {of} for {share:g}, {off:+.4f}")
        assert abs(off) <= FAR * error, (who, found)
    assert sum(found[who] for who in expected) == of, found


def shared(part: float, **more: float) -> dict[str, float]:
    return {**{arm: part * share for arm, share in OURS.items()}, **more}


@pytest.mark.parametrize("street", [HTTP_ROUTE], ids=["HTTPRoute"], indirect=True)
@pytest.mark.parametrize("form", RouteForm)
async def test_rules_matches_filters_and_foreign_backends_of_an_http_route(
    street: Street, form: RouteForm
) -> None:
    filtered = [{**one, "filters": [HEADER]} for one in ours(form, 3)]
    pay = {
        "matches": [
            {"path": {"type": "PathPrefix", "value": "/pay"}, "headers": [{"name": "x-kind", "value": "m"}]},
            {"path": {"type": "Exact", "value": "/pay/now"}},
        ],
        "filters": [NOTE],
        "backendRefs": ours(form),
    }
    cart = street.shop.rule(*filtered, backend("other", 1), part="cart")
    as_in_git = await street.open(cart, pay, street.shop.rule(backend("other")))
    await street.move(OUT)
    say(f"{form}: three parts of four are ours")
    near(street.asked("/cart"), shared(0.75, **{THEIRS: 0.25}), REQUESTS)
    for path, headers in (("/pay/later", {"x-kind": "m"}), ("/pay/now", {})):
        say(f"{form}: {path} with {headers}")
        found = street.asked(path, **headers)
        near(found, shared(1), REQUESTS)
        assert found["noted"] == REQUESTS, "the filter of the rule was lost"
    say(f"{form}: a rule that is not ours")
    near(street.asked("/pay/later"), {THEIRS: 1}, REQUESTS)
    await street.move(HOME)
    near(street.asked("/cart"), {"stable": 0.75, THEIRS: 0.25}, REQUESTS)
    assert (await street.shop.route())["spec"] == as_in_git


@pytest.mark.parametrize("street", [GRPC_ROUTE], ids=["GRPCRoute"], indirect=True)
@pytest.mark.parametrize("form", RouteForm)
async def test_rules_and_foreign_backends_of_a_grpc_route(street: Street, form: RouteForm) -> None:
    method = {"matches": [{"method": {"service": CALLED}}]}
    mixed = {**method, "backendRefs": [*ours(form, 3), backend("other", 1)]}
    as_in_git = await street.open(mixed, street.shop.rule(backend("other"), part="Nobody"))
    await street.move(OUT)
    say(f"{form}: three parts of four are ours")
    gateway, binary = street.cluster.gateway_url, street.binaries.load
    with Load(binary, gateway, street.host, 100, 120, CALLS) as load:
        seen = load.during(10)
        total = sum(answers.requests for answers in seen.versions.values())
        theirs = seen.versions["v6"].requests
        found = Counter({arm: answers.requests for arm, answers in seen.arms.items()})
        # Their pod is of an arm called stable, too.
        found["stable"] -= theirs
        found[THEIRS] = theirs
        near(found, shared(0.75, **{THEIRS: 0.25}), total)
        await street.move(HOME)
        load.during(SETTLES)
        assert set(load.during(5).arms) == {"stable"}
    assert load.stats().failures == 0
    assert (await street.shop.route())["spec"] == as_in_git
