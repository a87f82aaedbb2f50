"""Manifests that the contract suites create, as a user would write them."""

from typing import Any

from causal_rollouts.adapters.kube import ARM_LABEL
from tests.contract.labs import IMAGE


def template(app: str, version: str = "1", **spec: Any) -> dict[str, Any]:
    container = {
        "name": app,
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": [{"name": "VERSION", "value": version}],
    }
    return {
        "metadata": {"labels": {"app": app, ARM_LABEL: "stable"}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1, **spec},
    }


def deployment(app: str = "web", replicas: int = 2, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": app},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": app}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": template(app, **spec),
        },
    }


def service(name: str = "web", **selector: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"team": "shop", "helm.sh/chart": "web-1"}},
        "spec": {
            "selector": selector or {"app": name, ARM_LABEL: "stable"},
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        },
    }


def route(
    parent: dict[str, Any], *rules: dict[str, Any], name: str = "web", host: str = "web"
) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {"parentRefs": [parent], "hostnames": [f"{host}.contract.test"], "rules": list(rules)},
    }


def rule(*backends: dict[str, Any], path: str = "/", **more: Any) -> dict[str, Any]:
    match = {"path": {"type": "PathPrefix", "value": path}}
    return {"matches": [match], "backendRefs": list(backends), **more}


def grpc_rule(*backends: dict[str, Any], service: str = "shop.Web", **more: Any) -> dict[str, Any]:
    return {"matches": [{"method": {"service": service}}], "backendRefs": list(backends), **more}


def backend(name: str = "web", weight: int | None = None, port: int = 80, **more: Any) -> dict[str, Any]:
    return {"name": name, "port": port, **({} if weight is None else {"weight": weight}), **more}
