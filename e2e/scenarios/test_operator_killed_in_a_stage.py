"""SIGKILL in the middle of a stage: the next copy goes on exactly where the record says."""

import time

import pytest

from e2e.operator_host import OperatorProcess
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.core, pytest.mark.order(20)]


def test_a_killed_operator_goes_on_where_it_was(checkout: Shop, operator: OperatorProcess) -> None:
    before = len(checkout.records())
    checkout.request_anew("v2")
    name = checkout.wait_release(after=before)
    checkout.wait_phase("Observing", seconds=420, stage=0)
    operator.kill()
    frozen, weights, slots = checkout.release(), checkout.weights(), checkout.slots()
    time.sleep(5)
    assert checkout.release() == frozen
    assert checkout.weights().canary == weights.canary

    operator.start()
    later = checkout.wait_phase("Observing", "Shifting", "Promoting", "Baking", seconds=60)
    assert checkout.records()[-1]["metadata"]["name"] == name
    assert len(checkout.records()) == before + 1
    assert later["timeline"][: len(frozen["release"]["timeline"])] == frozen["release"]["timeline"]
    assert set(slots) <= set(checkout.slots())
    known = {(d["seq"], d["time"]) for d in frozen["decisions"]}
    assert known <= {(d["seq"], d["time"]) for d in checkout.decisions()}

    checkout.ask("abort")
    assert checkout.wait_end(seconds=90) == "Aborted"
    assert checkout.home()
    checkout.back_to("v1")
