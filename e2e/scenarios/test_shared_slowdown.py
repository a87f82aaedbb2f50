"""The whole service slows down in a stage of a good release: held while it lasts, never reverted."""

import time

import pytest

from e2e import rollouts
from e2e.cluster.kubectl import apply
from e2e.cluster.progress import wait_for
from e2e.demo.world_server import World
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(16)]


def test_an_incident_is_held_and_not_blamed(checkout: Shop, world: World) -> None:
    apply(checkout.cluster, [rollouts.rollout(checkout.app, stages=rollouts.stages("90s"))])
    before = len(checkout.records())
    checkout.request_anew("v2")
    checkout.wait_release(after=before)
    checkout.wait_phase("Observing", seconds=420, stage=0)
    world.slow_down(1.7)
    held = checkout.weights().canary

    def verdicts() -> set[str]:
        return {d["decision"]["verdict"] for d in checkout.decisions()}

    with checkout.watching() as seen:
        wait_for("the verdict SharedIncident", lambda: "SharedIncident" in verdicts(), 120, every=1)
        time.sleep(45)
    world.calm()
    assert {s.canary for s in seen} == {held}
    assert "Harm" not in verdicts()
    checkout.ask("abort")
    assert checkout.wait_end(seconds=90) == "Aborted"
    apply(checkout.cluster, [rollouts.rollout(checkout.app)])
    checkout.back_to("v1")
