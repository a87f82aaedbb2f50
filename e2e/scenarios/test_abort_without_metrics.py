"""Prometheus is down and somebody wants out: abort needs no metrics."""

import time

import pytest

from e2e.cluster import prometheus
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(30)]
PATIENCE = 30


def test_abort_works_with_prometheus_down(checkout: Shop) -> None:
    before = len(checkout.records())
    checkout.request_anew("v2")
    checkout.wait_release(after=before)
    checkout.wait_phase("Observing", seconds=420, stage=0)
    prometheus.stop(checkout.cluster)
    try:
        asked = time.time()
        checkout.ask("abort")
        assert checkout.wait_end(seconds=PATIENCE) == "Aborted"
        assert time.time() - asked < PATIENCE
        assert checkout.home()
    finally:
        prometheus.start(checkout.cluster)
        prometheus.wait_until_ready(checkout.cluster)
    checkout.back_to("v1")
