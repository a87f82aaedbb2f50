"""The rollout and policy that demo and scenarios use: the default recipe, only times and margins differ.

Margins follow the power formula for three pods an arm: with pods that differ by
3% and nodes that differ by 3%, a contrast of three against three has a standard
error near 3.5%; promotion needs 3.7 of them below the margin (13%) and leaves as
much again for a draw of two of them and a busy machine, so latency promotes
below 30%; a revert needs 5.2 above the null, so it counts from 10% on.
Errors are judged in points of a percent, since half a percent of requests fails
at rest and a minute of a canary holds only a few of those.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from e2e.demo.manifests import App

Manifest = dict[str, Any]
API = "causalrollouts.dev/v1alpha1"
POLICY = "short"


def policy() -> Manifest:
    """Stages of half a minute instead of minutes; nothing of the recipe is changed."""
    return {
        "apiVersion": API,
        "kind": "RolloutPolicy",
        "metadata": {"name": POLICY},
        "spec": {
            "defaults": {
                "history": "30m",
                "readyTimeout": "60s",
                "blockedTimeout": "60s",
                "bake": "20s",
                "rollbackWindow": "1h",
                "stages": stages("30s"),
                "metrics": metrics(),
            },
        },
    }


def stages(least: str) -> list[Manifest]:
    """Two steps. An incident is told from a good minute only once it fills a good part of the stage so far,
    so a story with one in its middle gives each stage a minute."""
    return [{"weight": weight, "minDuration": least, "maxDuration": "15m"} for weight in (10, 30)]


def metrics(
    histogram: str = "http_server_request_duration_seconds",
    counter: str = "http_server_requests_total",
    bad: Mapping[str, str] = MappingProxyType({"code": "5.."}),
) -> list[Manifest]:
    """Latency and errors gate; restarts may revert. bad: labels of what the counter has as an error."""
    return [
        {
            "name": "latency",
            "latency": {"histogram": histogram},
            "revertAbove": "10%",
            "promoteBelow": "30%",
        },
        {
            "name": "errors",
            "errors": {"counter": counter, "bad": [dict(bad)]},
            "revertAbove": "25%",
            "revertAbovePoints": "0.5%",
            "promoteBelow": "50%",
            "promoteBelowPoints": "3%",
        },
        {"name": "restarts", "restarts": {}},
    ]


def rollout(app: App, **spec: object) -> Manifest:
    """The twelve lines of a user, for one app."""
    return {
        "apiVersion": API,
        "kind": "CausalRollout",
        "metadata": {"name": app.name, "namespace": app.namespace},
        "spec": {
            "targetRef": {"name": app.name},
            "policyRef": {"name": POLICY},
            "traffic": {"service": app.name, "httpRoutes": [{"name": app.name}]},
            **spec,
        },
    }
