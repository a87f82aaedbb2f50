"""A service that a release does not reach: what moves it meanwhile moves the released one too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReferenceKind(StrEnum):
    """By what the service is named."""

    DEPLOYMENT = "Deployment"
    SERVICE = "Service"
    HTTP_ROUTE = "HTTPRoute"
    GRPC_ROUTE = "GRPCRoute"


@dataclass(frozen=True, slots=True)
class Reference:
    """An object of the release's own namespace."""

    kind: ReferenceKind
    name: str

    def __str__(self) -> str:
        return f'{self.kind} "{self.name}"'
