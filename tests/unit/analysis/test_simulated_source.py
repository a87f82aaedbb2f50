from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import pytest

from causal_rollouts.analysis.simulation.climate import Climate, Harm, Incident, Load, Scraping
from causal_rollouts.analysis.simulation.fleet import stable_fleet
from causal_rollouts.analysis.simulation.setting import EPOCH, METRICS
from causal_rollouts.analysis.simulation.source import SimulatedMetrics, SimulatedSource
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.telemetry import Series
from causal_rollouts.model.traffic import HOME, Weights
from causal_rollouts.ports import Broken, Scope

LATENCY, _, _, ERRORS, RESTARTS = METRICS
FLEET = stable_fleet(4, 2, 1, EPOCH - 3600.0)
CANARY = Pod("canary-0-a", "u", Arm.CANARY, "canary-0", "node-0", "zone-a", EPOCH, EPOCH + 20.0)
ALL = Scope("simulated", tuple(pod.name for pod in (*FLEET, CANARY)))
CLIMATE = Climate(load=Load(per_second=200.0))


def source(climate: Climate = CLIMATE, **more: object) -> SimulatedSource:
    return SimulatedSource(1, climate, begin=EPOCH - 300.0, scrape=5.0, **more)


def of(series: Iterable[Series], **labels: str) -> list[Series]:
    return [s for s in series if all(s.labels.get(k) == v for k, v in labels.items())]


def requests(found: Iterable[Series], pod: str) -> float:
    """Increase over the answer."""
    (total,) = of(found, pod=pod, le="+Inf")
    return total.values[-1] - total.values[0]


def test_it_answers_samples_after_start_and_up_to_end():
    world = source()
    world.advance(EPOCH, FLEET, HOME)
    (one, *_) = world.fetch(LATENCY, Scope("simulated", ("stable-0",)), EPOCH - 60.0, EPOCH - 10.0)
    assert EPOCH - 60.0 < one.times[0] <= EPOCH - 55.0
    assert EPOCH - 15.0 < one.times[-1] <= EPOCH - 10.0
    again = world.fetch(LATENCY, Scope("simulated", ("stable-0",)), one.times[0], one.times[-1])
    assert list(again[0].times) == list(one.times)[1:]


def test_only_pods_and_namespace_in_scope_are_told():
    world = source()
    world.advance(EPOCH, FLEET, HOME)
    found = world.fetch(LATENCY, Scope("simulated", ("stable-1",)), 0.0, EPOCH)
    assert {s.labels["pod"] for s in found} == {"stable-1"}
    assert world.fetch(LATENCY, Scope("elsewhere", ("stable-1",)), 0.0, EPOCH) == ()


def test_each_metric_is_answered_with_its_own_series():
    world = source()
    world.advance(EPOCH, FLEET, HOME)
    assert {s.labels["__name__"] for s in world.fetch(LATENCY, ALL, 0.0, EPOCH)} == {
        "http_server_request_duration_seconds_bucket"
    }
    assert {s.labels["code"] for s in world.fetch(ERRORS, ALL, 0.0, EPOCH)} == {"200", "503"}
    assert {s.labels["container"] for s in world.fetch(RESTARTS, ALL, 0.0, EPOCH)} == {"app"}


def test_small_steps_and_one_large_step_are_the_same():
    slow, fast = source(), source()
    fast.advance(EPOCH + 60.0, FLEET, HOME)
    for i in range(361):
        slow.advance(EPOCH - 300.0 + i, FLEET, HOME)
    assert [(s.labels, list(s.times), list(s.values)) for s in slow.series()] == [
        (s.labels, list(s.times), list(s.values)) for s in fast.series()
    ]


def test_traffic_follows_the_weights():
    world = source()
    world.advance(EPOCH + 30.0, (*FLEET, CANARY), HOME)
    world.advance(EPOCH + 330.0, (*FLEET, CANARY), Weights(250, 0))
    found = world.fetch(LATENCY, ALL, EPOCH + 30.0, EPOCH + 330.0)
    canary, stable = requests(found, CANARY.name), sum(requests(found, pod.name) for pod in FLEET)
    assert canary / (canary + stable) == pytest.approx(0.25, abs=0.02)


def test_a_pod_that_is_not_ready_serves_nothing_and_is_not_scraped():
    waiting = replace(CANARY, ready=None)
    world = source()
    world.advance(EPOCH + 60.0, (*FLEET, waiting), Weights(500, 0))
    assert of(world.fetch(LATENCY, ALL, 0.0, EPOCH + 60.0), pod=CANARY.name) == []
    world.advance(EPOCH + 120.0, (*FLEET, replace(CANARY, ready=EPOCH + 60.0)), Weights(500, 0))
    assert requests(world.fetch(LATENCY, ALL, 0.0, EPOCH + 120.0), CANARY.name) > 0


def test_a_crash_takes_the_counters_and_is_counted_as_a_restart():
    world = source(harm_of=lambda pod: Harm(crash_after=40.0) if pod.arm is Arm.CANARY else Harm())
    world.advance(EPOCH + 300.0, (*FLEET, CANARY), Weights(250, 0))
    (total,) = of(world.fetch(LATENCY, ALL, 0.0, EPOCH + 300.0), pod=CANARY.name, le="+Inf")
    falls = sum(b < a for a, b in zip(total.values, total.values[1:], strict=False))
    (restarts,) = of(world.fetch(RESTARTS, ALL, 0.0, EPOCH + 300.0), pod=CANARY.name)
    assert falls >= 2
    assert restarts.values[-1] >= 3
    assert list(restarts.values) == sorted(restarts.values)


def test_a_status_code_has_no_series_before_its_first_request():
    world = source(replace(CLIMATE, failures=replace(CLIMATE.failures, share=2e-5)))
    world.advance(EPOCH, FLEET, HOME)
    failed = of(world.fetch(ERRORS, ALL, 0.0, EPOCH), code="503")
    fine = of(world.fetch(ERRORS, ALL, 0.0, EPOCH), code="200")
    assert len(failed) < len(fine) == 4
    assert all(s.values[0] > 0 for s in failed)


def test_an_incident_slows_everybody():
    world = source()
    world.strike(Incident(EPOCH, 120.0, slower=math.log(3.0)))
    world.advance(EPOCH + 120.0, FLEET, HOME)

    def fast(begin: float, end: float) -> float:
        found = world.fetch(LATENCY, ALL, begin, end)
        quick = sum(s.values[-1] - s.values[0] for s in of(found, le="0.1"))
        return quick / sum(requests(found, pod.name) for pod in FLEET)

    assert fast(EPOCH, EPOCH + 120.0) < 0.5 * fast(EPOCH - 120.0, EPOCH)


def test_an_outage_leaves_a_hole_and_loses_no_request():
    whole, torn = source(), source(replace(CLIMATE, scraping=Scraping(outages=((EPOCH - 100.0, 60.0),))))
    for world in (whole, torn):
        world.advance(EPOCH, FLEET, HOME)
    (all_of_it,) = of(whole.fetch(LATENCY, ALL, 0.0, EPOCH), pod="stable-0", le="+Inf")
    (rest,) = of(torn.fetch(LATENCY, ALL, 0.0, EPOCH), pod="stable-0", le="+Inf")
    assert not [t for t in rest.times if EPOCH - 100.0 <= t < EPOCH - 40.0]
    assert rest.values[-1] == all_of_it.values[-1]


async def test_a_source_that_is_away_does_not_answer():
    world = source()
    world.advance(EPOCH, FLEET, HOME)
    metrics = SimulatedMetrics(world)
    assert await metrics.fetch(LATENCY, ALL, EPOCH - 60.0, EPOCH) == world.fetch(
        LATENCY, ALL, EPOCH - 60.0, EPOCH
    )
    metrics.away = "connection refused"
    with pytest.raises(Broken, match="connection refused"):
        await metrics.fetch(LATENCY, ALL, EPOCH - 60.0, EPOCH)
