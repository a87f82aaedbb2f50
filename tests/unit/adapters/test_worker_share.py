"""Which pods of a target's slots may take the next job."""

import asyncio

import pytest

from causal_rollouts.adapters.worker_share import WorkerShare
from causal_rollouts.model.traffic import TrafficPlan

GOING = {"deletionTimestamp": "2026-01-01T00:00:30Z", "deletionGracePeriodSeconds": 30}


def pod(name: str = "mill-canary-0", *, phase: str = "Running", ready: bool = True, **meta):
    labels = {"causalrollouts.dev/arm": "canary", "causalrollouts.dev/slot": "canary-0"}
    return {
        "metadata": {
            "labels": labels,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": [{"name": name, "uid": "u", "controller": True}],
            **meta,
        },
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


class Listing:
    """An API server that knows these pods."""

    def __init__(self, *pods):
        self.pods = list(pods)

    async def list(self, *_):
        return self.pods


def seen(*pods):
    share = WorkerShare(Listing(*pods))
    return asyncio.run(share.traffic("shop", TrafficPlan("", (), target="mill")))


@pytest.mark.parametrize(
    ("there", "working", "ready"),
    [
        (pod(), 1, 1),
        (pod(ready=False), 1, 0),
        (pod(phase="Pending", ready=False), 1, 0),
        (pod(**GOING), 0, 0),
        (pod(phase="Failed", ready=False), 0, 0),
        (pod("mill-canary-1"), 0, 0),
        (pod("mill-canary-canary-0"), 0, 0),
    ],
    ids=["ready", "not ready", "may start", "told to end", "ended", "of another set", "of another target"],
)
def test_a_pod_works_until_it_is_told_to_end(there, working, ready):
    traffic = seen(there)
    assert traffic.working == (working, 0)
    assert traffic.endpoints["canary"] == ready
