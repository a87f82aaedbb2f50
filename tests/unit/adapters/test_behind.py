"""Deployments by what sends to them."""

import asyncio

import pytest

from causal_rollouts.adapters.behind import deployments_behind
from causal_rollouts.adapters.kube import ARM_LABEL, DEPLOYMENT, HTTP_ROUTE, SERVICE
from causal_rollouts.model.reference import Reference, ReferenceKind
from e2e.embedded import shop
from e2e.embedded.apiserver import ApiServer


def town():
    """web behind its Service and route, cart behind none of its own, and a route that sends to both."""
    api = ApiServer()
    both = shop.route("both")
    elsewhere = {"name": "far", "port": 80, "namespace": "other"}
    both["spec"]["rules"][0]["backendRefs"] = [
        {"name": "web", "port": 80},
        {"name": "cart", "port": 80},
        elsewhere,
    ]
    cart = shop.deployment("cart")
    # Its Service asks for an arm that its pods do not carry: who is behind it does not depend on that.
    del cart["spec"]["template"]["metadata"]["labels"][ARM_LABEL]
    things = [
        (DEPLOYMENT, shop.deployment("web")),
        (DEPLOYMENT, cart),
        (DEPLOYMENT, shop.deployment("far")),
        (SERVICE, shop.service("web")),
        (SERVICE, shop.service("cart")),
        (SERVICE, shop.service("far")),
        (SERVICE, {"metadata": {"name": "outer"}, "spec": {"ports": [{"port": 80}]}}),
        (HTTP_ROUTE, shop.route("web")),
        (HTTP_ROUTE, both),
    ]
    for kind, obj in things:
        api.add(kind, shop.NAMESPACE, obj)
    return api.client()


@pytest.mark.parametrize(
    ("kind", "name", "found"),
    [
        (ReferenceKind.DEPLOYMENT, "cart", ("cart",)),
        (ReferenceKind.DEPLOYMENT, "none", ()),
        (ReferenceKind.SERVICE, "web", ("web",)),
        (ReferenceKind.SERVICE, "cart", ("cart",)),
        (ReferenceKind.SERVICE, "outer", ()),
        (ReferenceKind.SERVICE, "none", ()),
        (ReferenceKind.HTTP_ROUTE, "web", ("web",)),
        (ReferenceKind.HTTP_ROUTE, "both", ("cart", "web")),
        (ReferenceKind.HTTP_ROUTE, "none", ()),
        (ReferenceKind.GRPC_ROUTE, "web", ()),
    ],
)
def test_deployments_are_found_by_what_sends_to_them(kind, name, found):
    assert asyncio.run(deployments_behind(town(), shop.NAMESPACE, Reference(kind, name))) == found
