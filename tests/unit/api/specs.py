"""The smallest manifests that resolve, to be changed in one place by each test."""

from typing import Any

from causal_rollouts.api.resolve import Resolved, Unresolvable, resolve
from causal_rollouts.model.bins import Grid

Json = dict[str, Any]

GRID = Grid(width=15.0, delay=17.0, scrape=7.5)


def spec(**more: object) -> Json:
    return {
        "targetRef": {"name": "checkout"},
        "traffic": {"service": "checkout", "httpRoutes": [{"name": "checkout"}]},
        **more,
    }


def resolved(rollout: Json | None = None, policy: Json | None = None, grid: Grid = GRID) -> Resolved:
    return resolve(
        rollout if rollout is not None else spec(),
        policy,
        namespace="shop",
        release="checkout-1",
        seed=7,
        grid=grid,
    )


def problems(rollout: Json, policy: Json | None = None) -> list[str]:
    """What is wrong, each as a person reads it; [] when it resolves."""
    try:
        resolved(rollout, policy)
    except Unresolvable as error:
        return [str(problem) for problem in error.problems]
    return []


def stage(weight: int = 5, least: str = "5m", most: str = "30m") -> Json:
    return {"weight": weight, "minDuration": least, "maxDuration": most}


def latency(**more: object) -> Json:
    return {"name": "latency", "latency": {"histogram": "http_seconds"}, **more}


def errors(**more: object) -> Json:
    return {"name": "errors", "errors": {"counter": "http_total", "bad": [{"code": "5.."}]}, **more}
