"""Whatever a cluster and a Prometheus may show, a look ends in evidence that says what is wrong."""

from __future__ import annotations

import json
import math
import random
import warnings
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causal_rollouts.api.plain import from_plain, to_plain
from causal_rollouts.evidence.assess import assess, needed_since
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.reasons import Validity
from causal_rollouts.model.telemetry import Series, Telemetry
from causal_rollouts.model.traffic import HOME, Change
from tests.unit.evidence.looks import every_second_bin, watch
from tests.unit.evidence.sample_world import METRICS, Run, World, make, with_series

SMALL = World(seed=4, stable=5, nodes=3, canaries=(1, 2), history=46, stage_bins=8)

ODD_VALUES = [math.nan, math.inf, -math.inf, -5.0, 0.0, 1e300, 0.5]


def spoil(run: Run, seed: int, share: float) -> Run:  # noqa: C901 - a list of ways to be broken
    """A part of the series broken, each in its own way."""
    luck = random.Random(seed)

    def broken(series: Series) -> Series | list[Series] | None:
        if luck.random() > share or not series.times:
            return series
        labels, times, values = dict(series.labels), list(series.times), list(series.values)
        match luck.randrange(9):
            case 0:
                return None
            case 1:
                values[luck.randrange(len(values))] = luck.choice(ODD_VALUES)
            case 2:
                values = [luck.choice(ODD_VALUES)] * len(values)
            case 3:
                labels.pop(luck.choice(sorted(labels)), None)
            case 4:
                labels["le"] = luck.choice(["", "x", "-1", "NaN", "0.1", "+Inf", "1e400"])
            case 5:
                labels["pod"] = luck.choice([p.name for p in run.pods])
            case 6:
                kept = sorted(luck.sample(range(len(times)), luck.randrange(len(times))))
                times, values = [times[i] for i in kept], [values[i] for i in kept]
            case 7:
                return [series, Series({**labels, "job": "again"}, [t + 1.0 for t in times], values)]
            case _:
                values = [luck.uniform(0, 100) for _ in values]
        return Series(labels, times, values)

    return with_series(run, broken)


def turn(run: Run, seed: int) -> Run:
    """A roster and a timeline as rough as a cluster can make them."""
    luck = random.Random(seed)
    start, end = run.world.t0_time, run.world.end
    pods = []
    for pod in run.pods:
        kind = luck.randrange(12)
        if kind == 0:
            continue
        if kind == 1:
            pod = replace(pod, ready=None)  # noqa: PLW2901
        elif kind == 2:
            pod = replace(pod, deleted=luck.uniform(start - 100, end))  # noqa: PLW2901
        elif kind == 3:
            pod = replace(pod, created=luck.uniform(start - 400, end), ready=luck.uniform(start - 400, end))  # noqa: PLW2901
        elif kind == 4:
            pod = replace(pod, node="")  # noqa: PLW2901
        pods.append(pod)
    timeline = list(run.timeline)
    if luck.random() < 0.3:
        timeline.append(Change(timeline[-1].time + 30.0, 1, HOME, "Reverting"))
    elif luck.random() < 0.5:
        timeline.append(Change(timeline[-1].time + 30.0, 1, timeline[-1].weights, "Promoting"))
    return replace(run, pods=tuple(pods), timeline=tuple(timeline))


def whole(evidence: Evidence) -> bool:
    """Nothing in it that a record or a rule could stumble over."""
    assert not math.isnan(evidence.log_harm)
    assert not any(math.isnan(p.log_e) or math.isnan(p.log_weight) for p in evidence.processes)
    for m in evidence.metrics:
        assert not any(math.isnan(v) for v in (m.log_e_harm, m.log_e_safe, m.log_e_stage))
    assert not math.isnan(evidence.shared)
    assert not math.isnan(evidence.placebo)
    assert from_plain(Evidence, json.loads(json.dumps(to_plain(evidence)))).validity is evidence.validity
    assert 0.0 <= evidence.completeness <= 1.0
    assert (evidence.validity is Validity.OK) == (evidence.why_invalid == "")
    return True


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10**6),
    share=st.sampled_from([0.0, 0.02, 0.3, 1.0]),
    rough=st.booleans(),
    metrics=st.sets(st.sampled_from(METRICS), min_size=1),
)
def test_broken_samples_and_rough_fleets_end_in_evidence(seed, share, rough, metrics):
    world = replace(SMALL, metrics=tuple(m for m in METRICS if m in metrics))
    run = spoil(make(world), seed, share)
    run = turn(run, seed) if rough else run
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watch(run, every_second_bin(run), saw=lambda _, e: whole(e))


@pytest.mark.parametrize(
    "change",
    [
        {"pods": ()},
        {"timeline": ()},
        {"timeline": (), "pods": ()},
    ],
)
def test_an_empty_cluster_is_no_reason_to_fail(change):
    run = replace(make(SMALL), **change)
    found = watch(run, every_second_bin(run), saw=lambda _, e: whole(e)).evidence
    assert not found.fresh or found.validity is not Validity.OK
    assert not found.harm


@pytest.mark.parametrize("arm", list(Arm))
def test_an_arm_that_is_not_there_proves_nothing(arm):
    run = make(SMALL)
    run = replace(run, pods=tuple(p for p in run.pods if p.arm is not arm))
    found = watch(run, saw=lambda _, e: whole(e)).evidence
    assert not found.safe(promote=False)
    assert not found.harm


def test_the_very_first_look_without_anything_known_asks_for_everything():
    reg = SMALL.registration()
    assert needed_since(reg, (), None) == 0.0
    look = make(SMALL).look(10)
    found = assess(reg, (), (), Telemetry({}), look, None)
    assert found.evidence.validity is Validity.NO_DATA
    assert needed_since(reg, (), found.state) > look.time - reg.times.history - 120
