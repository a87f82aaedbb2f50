"""Prometheus is away for three minutes: weight never rises, nobody is blamed, the release goes on after."""

import time

import pytest

from e2e.cluster import prometheus
from e2e.cluster.progress import say, wait_for
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.core, pytest.mark.order(80)]
AWAY = 180


def test_no_metrics_no_rise_no_blame(basket: Shop) -> None:
    before = len(basket.records())
    basket.request_anew("v2")
    basket.wait_release(after=before)
    basket.wait_phase("Observing", seconds=420, stage=0)
    prometheus.stop(basket.cluster)
    try:
        held = basket.weights().canary
        with basket.watching() as seen:
            wait_for(
                "EvidenceValid to turn False",
                lambda: basket.condition("EvidenceValid").get("status") == "False",
                60,
            )
            time.sleep(AWAY)
        assert {s.canary for s in seen} == {held}
        verdicts = {d["decision"]["verdict"] for d in basket.decisions()}
        assert "Harm" not in verdicts
        assert "ProviderError" in verdicts
    finally:
        prometheus.start(basket.cluster)
        prometheus.wait_until_ready(basket.cluster)
    wait_for(
        "EvidenceValid to turn True again",
        lambda: basket.condition("EvidenceValid").get("status") == "True",
        90,
    )
    basket.wait_look()
    state = basket.state()
    assert state.get("outcome") in {None, "Promoted"}, "nobody is blamed afterwards either"
    say(f"resumed in {state['phase']}; weights while Prometheus was away: {sorted({s.canary for s in seen})}")
    if state.get("outcome") is None:
        basket.ask("abort")
    assert basket.wait_end(seconds=180) in {"Aborted", "Promoted"}
    assert basket.home()
