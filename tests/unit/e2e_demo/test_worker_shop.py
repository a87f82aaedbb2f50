"""Workers have nothing in front of them, and the target's own pods bear no arm."""

import dataclasses

import pytest

from causal_rollouts.api.v1alpha1_metrics import Metric
from e2e import pod_shop, rollouts
from e2e.demo.manifests import ARM, App
from e2e.worker_shop import SPEC, WorkerShop

APP = dataclasses.replace(App("localhost/demo:abc", "mill"), labelled=False)


def pod(ready=True, leaving=False, **labels):
    return {
        "metadata": {"labels": {"app": "mill", **labels}, **({"deletionTimestamp": "x"} if leaving else {})},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


@pytest.fixture
def shop():
    return WorkerShop(None, APP, spec=SPEC)


def test_the_share_of_an_arm_is_that_of_its_ready_pods(shop, monkeypatch):
    canary, baseline = ({ARM: arm} for arm in ("canary", "baseline"))
    pods = [*[pod()] * 8, pod(ready=False), pod(**canary), pod(leaving=True, **canary), pod(**baseline)]
    monkeypatch.setattr(pod_shop, "get", lambda *_: {"items": pods})
    assert shop.in_traffic() == {"stable": 8, "canary": 1, "baseline": 1}
    seen = shop.weights()
    assert (seen.canary, seen.baseline) == (100, 100)


def test_nothing_stands_between_jobs_and_pods(shop):
    assert shop.way_in() == []
    spec = rollouts.rollout(APP, **SPEC)["spec"]
    assert spec["traffic"] == {"podShare": {}}


def test_jobs_are_judged_by_the_margins_of_requests(shop):
    def margins(metrics):
        return [{name: value for name, value in one.items() if isinstance(value, str)} for one in metrics]

    for metric in SPEC["metrics"]:
        Metric.model_validate(metric)
    assert margins(SPEC["metrics"]) == margins(rollouts.metrics())
    latency, errors, _ = SPEC["metrics"]
    assert latency["latency"] == {"histogram": "job_duration_seconds"}
    assert errors["errors"] == {"counter": "jobs_total", "bad": [{"outcome": "failed"}]}
