"""What shares the work between the arms: routes, the pods behind a Service, or workers of a queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from causal_rollouts.api.forms import ObjectName, ServiceName
from causal_rollouts.api.part import Part
from causal_rollouts.api.rule import BY_NAME, Rule, named_once


class Reference(Part):
    """Another object, by name."""

    name: ObjectName = Field(description="Name of the object.")


class PodShare(Part):
    """The Service itself shares the requests, evenly between pods that are ready; nothing is set in it."""


Routes = Annotated[list[Reference], Field(min_length=1, max_length=8), AfterValidator(named_once)]
ROUTED = Rule(
    "has(self.httpRoutes) || has(self.grpcRoutes) || has(self.podShare)",
    "no route is named, so no weight can be set; "
    "name the routes that send to the Service in httpRoutes, grpcRoutes or both, "
    "or say podShare: {} where no route sends to it",
)
ONE_WAY = Rule(
    "!has(self.podShare) || !(has(self.httpRoutes) || has(self.grpcRoutes))",
    "podShare and routes are both given, and only one of them can make the shares; "
    "take out podShare, or the routes where none sends to the Service",
    field="podShare",
)


SERVED = Rule(
    "has(self.service) || has(self.podShare)",
    "no Service is named; name the one that the routes send to, "
    "or say podShare: {} and nothing else for workers that take their work from a queue",
    field="service",
)


class Traffic(Part):
    """The Service that users reach, and what shares its requests: the routes to it, or its own pods.

    Workers that take their work from a queue have no Service: podShare alone.
    """

    RULES = (SERVED, ROUTED, ONE_WAY)

    service: ServiceName | None = Field(
        default=None,
        description="Service whose traffic is shared between the arms. Left out for workers of a queue.",
    )
    http_routes: Routes | None = Field(
        default=None,
        description="HTTPRoutes in this namespace that send to the Service.",
        json_schema_extra=BY_NAME,
    )
    grpc_routes: Routes | None = Field(
        default=None,
        description="GRPCRoutes in this namespace that send to the Service.",
        json_schema_extra=BY_NAME,
    )
    pod_share: PodShare | None = Field(
        default=None,
        description="No route: the share of an arm is its share of the ready pods. Stages up to 33.",
    )

    def broken(self) -> Iterator[Rule]:
        """Nothing that could share the requests, or two that would."""
        if self.service is None and self.pod_share is None:
            yield SERVED
        routed = not (self.http_routes is None and self.grpc_routes is None)
        if not routed and self.pod_share is None:
            yield ROUTED
        if routed and self.pod_share is not None:
            yield ONE_WAY
