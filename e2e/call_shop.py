"""An app that is called by gRPC: a GRPCRoute sends to it, and the usual interceptors measure it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from e2e import rollouts
from e2e.demo import manifests
from e2e.demo.manifests import App
from e2e.demo.traffic import Load
from e2e.ground import Ground, Operator
from e2e.shop import Manifest, Shop

PORT = 8081
TAKES_CALLS = {"GRPC_LISTEN": f":{PORT}"}
"""Environment of the app; HTTP stays beside it for probes and metrics."""

CALLS = ("-grpc",)


class CallShop(Shop):
    """A Shop behind a GRPCRoute."""

    route_kind: ClassVar[str] = "GRPCRoute"

    def way_in(self) -> list[Manifest]:
        """A Service and its GRPCRoute.

        Traefik speaks HTTP/2 to whatever a GRPCRoute sends to; other gateways do so where the port says it.
        """
        service = manifests.service(self.app)
        service["spec"]["ports"] = [
            {"name": "grpc", "port": 80, "targetPort": PORT, "appProtocol": "kubernetes.io/h2c"}
        ]
        # Rules without matches look the same in both kinds.
        return [service, {**manifests.http_route(self.app, self.form), "kind": self.route_kind}]


def spec(app: App) -> Manifest:
    """Of the rollout: the route, and what the interceptors measure, with the margins of HTTP."""
    failures = "Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"
    return {
        "traffic": {"service": app.name, "grpcRoutes": [{"name": app.name}]},
        "metrics": rollouts.metrics(
            "grpc_server_handling_seconds", "grpc_server_handled_total", {"grpc_code": failures}
        ),
    }


@contextmanager
def opened(made: Ground[Operator], app: App, rate: float, longest: float) -> Iterator[tuple[CallShop, Load]]:
    """The app with its rollout, and `rate` calls a second on one connection to the gateway."""
    shop = CallShop(made.cluster, app, spec=spec(app))
    shop.open()
    with Load(made.binaries.load, made.cluster.gateway_url, app.host, rate, longest, CALLS) as load:
        yield shop, load
    shop.close()
