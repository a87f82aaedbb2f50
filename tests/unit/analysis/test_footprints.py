"""Footprints from raw samples to replay lines, and whole releases in the closed loop."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from functools import cache

import pytest

from causal_rollouts.analysis.closed_loop import Case
from causal_rollouts.analysis.from_record import each_once
from causal_rollouts.analysis.recording import Recording, read, write
from causal_rollouts.analysis.replay import replay
from causal_rollouts.analysis.simulate import simulate
from causal_rollouts.analysis.simulated_release import End, SimulatedRelease
from causal_rollouts.analysis.simulation.climate import Consumption, Harm, Wander
from causal_rollouts.analysis.simulation.setting import FOOTPRINTS
from causal_rollouts.model.registration import Times
from causal_rollouts.model.telemetry import Series
from tests.unit.analysis.recordings import QUIET, SETTING

LATENCY = ("latency", "latency/neighbours")
CONSUMPTION = Consumption(
    cpu=0.02, idle=0.01, calls=1.0, memory=4e8, pods=0.02, nodes=0.05, jitter=Wander(0.02, 60.0)
)
SMALL = replace(
    SETTING,
    climate=replace(QUIET, consumption=CONSUMPTION),
    metrics=(*SETTING.metrics[:1], *FOOTPRINTS),
    times=Times(history=700.0),
    stage_seconds=(300.0, 60.0),
)


@cache
def hungry() -> Recording:
    """The candidate takes half as much processor time again, three calls for one and no more memory."""
    return simulate(replace(SMALL, harm=Harm(cpu=1.5, calls=3.0)), 3)


def lines(recording: Recording) -> list[dict[str, object]]:
    return [json.loads(line.json()) for line in replay(recording)]


def last(recording: Recording) -> dict[str, dict[str, object]]:
    footprints = [line["footprints"] for line in lines(recording) if line.get("footprints")][-1]
    return {one["name"]: one for one in footprints}  # type: ignore[attr-defined]


def test_a_replay_tells_what_grew_and_what_the_whole_would_use():
    found = last(hungry())
    assert found["cpu"]["effect"] == pytest.approx(0.5, abs=0.1)
    assert found["calls"]["effect"] == pytest.approx(2.0, abs=0.3)
    assert found["memory"]["effect"] == pytest.approx(0.0, abs=0.1)
    assert [found[name]["warned"] for name in ("cpu", "calls", "memory")] == [True, True, False]
    assert found["calls"]["standing"] == "Exceeded"
    assert found["calls"]["present"] == pytest.approx(400.0, rel=0.15)
    assert found["calls"]["whole"]["estimate"] == pytest.approx(1200.0, rel=0.2)  # type: ignore[index]
    assert found["memory"]["present"] == pytest.approx(12 * 4e8, rel=0.1)
    assert found["cpu"]["whole"]["kind"] == "model"  # type: ignore[index]


def test_a_recording_on_disk_carries_them(tmp_path):
    write(hungry(), tmp_path / "r")
    assert lines(read(tmp_path / "r")) == lines(hungry())


def test_a_replay_without_footprints_has_no_such_lines_and_the_same_evidence():
    with_them = lines(hungry())
    bare = simulate(replace(SMALL, harm=Harm(cpu=1.5, calls=3.0), metrics=SMALL.metrics[:1]), 3)
    without = lines(bare)
    assert not any("footprints" in line for line in without)
    for one, other in zip(with_them, without, strict=True):
        one.pop("footprints", None)
        one["metrics"] = [m for m in one["metrics"] if m["name"] in LATENCY]  # type: ignore[attr-defined]
        assert one == other


def test_requests_that_several_metrics_read_are_recorded_once():
    def series(name: str, pod: str = "p") -> Series:
        return Series({"__name__": name, "pod": pod}, [1.0], [2.0])

    fetched = {
        ("http_total",): (series("http_total"), series("http_total")),
        ("cpu_total", "http_total"): (series("cpu_total"), series("http_total")),
    }
    assert [one.labels["__name__"] for one in each_once(fetched)] == ["http_total", "http_total", "cpu_total"]


def test_a_release_that_is_measured_ends_as_one_that_is_not():
    case = Case("calls-x3", 72000)
    measured = SimulatedRelease(case.setting(), case.seed).run()
    setting = replace(case.setting(), metrics=case.setting().metrics[:5])
    blind = SimulatedRelease(setting, case.seed).run()
    assert measured.warned == {"calls": 0}
    assert asdict(replace(measured, warned={})) == asdict(blind)
    assert measured.end is not End.REVERTED
    assert not math.isnan(measured.effect)
