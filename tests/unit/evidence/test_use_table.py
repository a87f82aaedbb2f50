"""Use and requests as Prometheus shows them, by hand: two pods, ten-second bins, two scrapes a bin."""

from __future__ import annotations

import numpy as np
import pytest

from causal_rollouts.evidence.frame import FootprintBins
from causal_rollouts.model.metrics import Gating, Margins, Metric, MetricKind
from causal_rollouts.model.reasons import Validity
from causal_rollouts.model.telemetry import Series
from tests.unit.evidence.test_tabulate import TIMES, grown, table

SECONDS, REQUESTS, BYTES = "container_cpu_usage_seconds_total", "http_total", "memory_bytes"
MARGINS = Margins(0.1, 0.3)
CPU = Metric("cpu", MetricKind.FOOTPRINT, SECONDS, MARGINS, Gating.REPORT_ONLY, of=REQUESTS)
MEMORY = Metric("memory", MetricKind.FOOTPRINT, BYTES, MARGINS, Gating.REPORT_ONLY)
OF_PODS = [grown("old", 10, __name__=REQUESTS), grown("c-a", 4, __name__=REQUESTS)]


def cpu(pod, per_scrape, **labels):
    return grown(pod, per_scrape, __name__=SECONDS, job="kubelet", instance="node", **labels)


def bins(metric, series):
    found, share = table(metric, series)
    assert isinstance(found.bins, FootprintBins)
    assert share is None
    return found.bins


def test_use_and_requests_of_each_unit_and_bin():
    found = bins(CPU, [*OF_PODS, cpu("old", 0.5, container="app")])
    row = found.ids.index("u-old")
    assert found.use[row].tolist() == [1.0] * 6
    assert found.requests[row].tolist() == [20.0] * 6
    assert not found.lost[row].any()


def test_containers_add_up_and_neither_their_sum_nor_the_pause_container_is_added():
    parts = [cpu("old", 0.5, container="app"), cpu("old", 0.25, container="proxy")]
    whole = [cpu("old", 0.8), cpu("old", 0.01, container="POD")]
    row = 0
    assert bins(CPU, [*OF_PODS, *parts, *whole]).use[row] == pytest.approx([1.5] * 6)
    assert bins(CPU, [*OF_PODS, cpu("old", 0.8)]).use[row] == pytest.approx([1.6] * 6)


def test_a_lost_scrape_of_one_job_moves_no_cost_into_the_next_bin():
    whole = cpu("old", 0.5, container="app")
    kept = [i for i, time in enumerate(TIMES) if not 1020.0 <= time < 1030.0]
    holed = Series(whole.labels, [whole.times[i] for i in kept], [whole.values[i] for i in kept])
    found = bins(CPU, [*OF_PODS, holed])
    assert found.lost[0].tolist() == [False, False, True, False, False, False]
    measured = ~found.lost[0]
    assert (found.use[0] / np.maximum(found.requests[0], 1))[measured] == pytest.approx([0.05] * 5)


def test_without_requests_there_is_nothing_to_hold_use_against():
    found, _ = table(CPU, [cpu("old", 0.5, container="app")])
    assert found.bins.lost.all()


def test_a_pod_that_idles_is_measured_and_asks_for_nothing():
    found = bins(CPU, [grown("old", 0, __name__=REQUESTS), cpu("old", 0.5)])
    assert not found.lost[0].any()
    assert found.requests[0].tolist() == [0.0] * 6


def test_requests_of_several_codes_add_up_also_where_one_appears_late():
    late = Series({"pod": "old", "__name__": REQUESTS, "code": "503"}, [1043.0, 1048.0], [2.0, 4.0])
    found = bins(CPU, [grown("old", 10, __name__=REQUESTS, code="200"), late, cpu("old", 0.5)])
    assert found.requests[0].tolist() == [20.0, 20.0, 20.0, 20.0, 24.0, 20.0]


def test_a_gauge_is_the_mean_of_its_scrapes_and_the_sum_of_its_containers():
    def held(container, low, high):
        values = [low if i % 2 else high for i in range(len(TIMES))]
        return Series({"pod": "old", "__name__": BYTES, "container": container}, TIMES, values)

    found = bins(MEMORY, [held("app", 100.0, 300.0), held("proxy", 10.0, 10.0)])
    assert found.use[0].tolist() == [210.0] * 6
    assert found.requests[0].tolist() == [1.0] * 6
    assert found.gauge


def test_a_gauge_that_falls_is_no_broken_counter():
    falling = Series({"pod": "old", "__name__": BYTES}, TIMES, [1000.0 - 50 * i for i in range(len(TIMES))])
    found, _ = table(MEMORY, [falling])
    assert found.drops == 0.0
    assert found.defects == ()


def test_the_whole_service_counts_pods_that_are_no_unit_too():
    new = [grown("new", 6, __name__=REQUESTS), cpu("new", 0.1)]
    found = bins(CPU, [*OF_PODS, cpu("old", 0.5), cpu("c-a", 0.2), *new])
    assert found.fleet[1] == pytest.approx((20 + 8 + 12) / 10.0)
    held = [
        Series({"pod": pod, "__name__": BYTES}, TIMES, [1.0] * len(TIMES)) for pod in ("old", "new", "c-a")
    ]
    assert bins(MEMORY, held).fleet[1] == 2.0


def test_a_name_that_is_not_there_is_told():
    found, _ = table(CPU, [])
    assert found.refusal.validity is Validity.NO_DATA
    assert "container_cpu_usage_seconds_total" in found.refusal.note
