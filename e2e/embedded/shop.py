"""A small shop to tell stories about: one Deployment, its Service and its route, ready for a release."""

from typing import Any

from causal_rollouts.adapters.kube import (
    ARM_LABEL,
    DEPLOYMENT,
    GATE_LABEL,
    HTTP_ROUTE,
    POD,
    REPLICA_SET,
    SERVICE,
    Kind,
)
from e2e.embedded.apiserver import ApiServer
from e2e.embedded.patches import clone

NAMESPACE = "shop"
WORKERS = REPLICA_SET
"""In place of a kind of route: nothing but the sets of the slots shares the work of a queue."""


def deployment(
    name: str = "web", *, replicas: int = 6, image: str = "web:v1", gate: bool = True, **env: str
) -> dict[str, Any]:
    """A Deployment with the arm label in its template."""
    return {
        "metadata": {"name": name, "labels": {GATE_LABEL: "enabled"} if gate else {}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": template(name, image, **env),
        },
    }


def template(name: str = "web", image: str = "web:v1", **env: str) -> dict[str, Any]:
    """Its pod template; env names in capitals."""
    container = {
        "name": name,
        "image": image,
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": key, "value": value} for key, value in env.items()],
    }
    return {
        "metadata": {"labels": {"app": name, ARM_LABEL: "stable"}},
        "spec": {"containers": [container]},
    }


def service(name: str = "web", *, routed: bool = True) -> dict[str, Any]:
    """The Service that the route sends to; without one it sends to pods of every arm."""
    stable = {ARM_LABEL: "stable"} if routed else {}
    return {
        "metadata": {"name": name, "labels": {"team": "shop"}},
        "spec": {
            "selector": {"app": name, **stable},
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        },
    }


def route(name: str = "web", *, arms: bool = False, kind: Kind = HTTP_ROUTE) -> dict[str, Any]:
    """A route with one rule; arms: it lists the arm Services at weight 0."""
    backends: list[dict[str, Any]] = [{"name": name, "port": 80}]
    if arms:
        backends = [
            {"name": name, "port": 80, "weight": 100},
            {"name": f"{name}-canary", "port": 80, "weight": 0},
            {"name": f"{name}-baseline", "port": 80, "weight": 0},
        ]
    path, method = {"type": "PathPrefix", "value": "/"}, {"service": f"shop.{name}"}
    match = {"path": path} if kind == HTTP_ROUTE else {"method": method}
    rule = {"matches": [match], "backendRefs": backends}
    return {
        "metadata": {"name": name},
        "spec": {"parentRefs": [{"name": "gateway"}], "hostnames": [f"{name}.example"], "rules": [rule]},
    }


def open_shop(
    api: ApiServer,
    *,
    name: str = "web",
    replicas: int = 6,
    arms: bool = False,
    kind: Kind = HTTP_ROUTE,
    **env: str,
) -> None:
    """Create all three; env as in `template`.

    kind: of the route; Pod where none is there; WORKERS where no Service is either.
    """
    target = deployment(name, replicas=replicas, image=f"{name}:v1", gate=True, **env)
    api.add(DEPLOYMENT, NAMESPACE, target, "git", "git")
    if kind != WORKERS:
        api.add(SERVICE, NAMESPACE, service(name, routed=kind != POD), "git", "git")
    if kind not in (POD, WORKERS):
        api.add(kind, NAMESPACE, route(name, arms=arms, kind=kind), "git", "git")


def release(api: ApiServer, image: str, *, name: str = "web", user: str = "git", **env: str) -> None:
    """Write a new template, as a person or Git does."""
    old = api.find(DEPLOYMENT, NAMESPACE, name)
    if old is None:
        raise LookupError(f"there is no Deployment {name}")
    new = clone(old)
    new["spec"]["template"] = template(name, image, **env)
    api.change(DEPLOYMENT, old, new, user, manager=user)
