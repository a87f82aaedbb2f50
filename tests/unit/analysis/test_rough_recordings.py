"""Recordings that people wrote, cut or merged: a message that names the place, or evidence; never a crash."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causal_rollouts.analysis.recording import Recording, write
from causal_rollouts.analysis.replay import replay
from causal_rollouts.analysis.replay_line import ReplayLine
from causal_rollouts.analysis.rows import change_row, pod_row
from causal_rollouts.analysis.simulate import simulate
from causal_rollouts.cli.main import main
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.registration import Stage, Times
from causal_rollouts.model.telemetry import Look, Series
from tests.unit.analysis.recordings import SETTING

TINY = replace(
    SETTING,
    replicas=5,
    nodes=3,
    stages=(Stage(100, 300.0, 1800.0),),
    times=Times(history=700.0),
    stage_seconds=(240.0,),
)
ODD = [
    None,
    True,
    -1,
    0,
    3,
    1.5,
    1e9,
    1.8e9 + 200,
    4e10,
    1e300,
    "",
    "x",
    "canary",
    "stable",
    [],
    {},
    [1],
    {"a": 1},
]


@cache
def tiny() -> Recording:
    recording = simulate(TINY, 5)
    looks = tuple(Look(1_800_000_047.0 + 30.0 * i, 119_999_999 + 2 * i + 1) for i in range(8))
    return replace(recording, looks=tuple(replace(x, last_final=_bin(recording, x.time)) for x in looks))


def _bin(recording: Recording, time: float) -> int:
    return recording.run.grid.last_look(time)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("whole")
    write(tiny(), directory)
    return directory


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Every place in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in places(item, (*path, key)))]


def spoilt(value: object, luck: random.Random) -> object:
    """One place made odd, taken away or doubled."""
    value = copy.deepcopy(value)
    path = luck.choice(places(value))
    if not path:
        return luck.choice(ODD)
    holder = value
    for key in path[:-1]:
        holder = holder[key]  # type: ignore[index]
    if luck.random() < 0.2:
        del holder[path[-1]]  # type: ignore[attr-defined]
    elif luck.random() < 0.2 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[path[-1]]))  # type: ignore[call-overload]
    else:
        holder[path[-1]] = luck.choice(ODD)  # type: ignore[index]
    return value


FILES = ("rollout.yaml", "pods.json", "timeline.json", "run.json", "looks.jsonl")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(file=st.sampled_from(FILES), seed=st.integers(0, 10**6), times=st.integers(1, 3))
def test_whatever_stands_in_a_file_there_is_a_line_or_a_replay(
    file, seed, times, whole, tmp_path_factory, capsys
):
    here = tmp_path_factory.mktemp("rough")
    for path in whole.iterdir():
        (here / path.name).write_bytes(path.read_bytes())
    luck = random.Random(seed)
    text = (whole / file).read_text()
    if file == "looks.jsonl":
        value: object = [json.loads(line) for line in text.splitlines()]
    else:
        value = yaml.safe_load(text) if file.endswith("yaml") else json.loads(text)
    for _ in range(times):
        value = spoilt(value, luck)
    if file == "looks.jsonl":
        rows = value if isinstance(value, list) else [value]
        (here / file).write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        (here / file).write_text(yaml.safe_dump(value) if file.endswith("yaml") else json.dumps(value))
    code = main(["replay", str(here), "-o", "jsonl"])
    out, err = capsys.readouterr()
    assert code in {0, 2}, err
    assert (code == 0) == (not err)
    for line in out.splitlines():
        assert json.loads(line)["decision"]


def changed(change: Callable[[Series], list[Series]], recording: Recording | None = None) -> list[ReplayLine]:
    recording = replace(recording or tiny(), looks=None)
    series = tuple(one for series in recording.series for one in change(series))
    return list(replay(replace(recording, series=series)))


@cache
def undisturbed() -> list[ReplayLine]:
    return changed(lambda series: [series])


def measured(lines: list[ReplayLine], name: str) -> dict[float, float]:
    return {
        line.time: metric.effect
        for line in lines
        for metric in line.metrics
        if metric.name == name and metric.effect is not None
    }


def cut(series: Series, keep: Callable[[float], bool]) -> Series:
    pairs = [(t, v) for t, v in zip(series.times, series.values, strict=True) if keep(t)]
    return Series(series.labels, [t for t, _ in pairs], [v for _, v in pairs])


START = TINY.begin


def test_the_order_of_the_series_does_not_matter():
    recording = replace(tiny(), looks=None)
    order = list(recording.series)
    random.Random(1).shuffle(order)
    shuffled = replay(replace(recording, series=tuple(order)))
    assert [line.json() for line in shuffled] == [line.json() for line in undisturbed()]


def test_a_counter_that_starts_anew_does_not_move_the_estimate_much():
    def reset(series: Series) -> list[Series]:
        if series.labels["pod"] != "canary-0-0" or "restarts" in series.labels["__name__"]:
            return [series]
        at = START + 120.0
        base = max((v for t, v in zip(series.times, series.values, strict=True) if t < at), default=0.0)
        values = [v - base if t >= at else v for t, v in zip(series.times, series.values, strict=True)]
        return [Series(series.labels, series.times, values)]

    before, after = measured(undisturbed(), "latency"), measured(changed(reset), "latency")
    assert before.keys() == after.keys()
    assert max(abs(before[t] - after[t]) for t in before) < 0.02
    assert not any(line.decision == "Revert" for line in changed(reset))


def test_a_gap_of_one_pod_leaves_no_wrong_number():
    def gap(series: Series) -> list[Series]:
        if series.labels["pod"] != "canary-1-0":
            return [series]
        return [cut(series, lambda t: not START + 90 <= t < START + 150)]

    before, after = measured(undisturbed(), "latency"), measured(changed(gap), "latency")
    assert max(abs(before[t] - after[t]) for t in after) < 0.05


def test_a_clock_that_jumps_back_is_no_data_and_no_blame():
    """All samples of the canaries stamped five minutes early from the middle of the stage on."""

    def jump(series: Series) -> list[Series]:
        if not series.labels["pod"].startswith("canary"):
            return [series]
        return [cut(series, lambda t: t < START + 130)]

    lines = changed(jump)
    assert not {"Revert", "Advance", "Promote"} & {line.decision for line in lines}
    assert lines[-1].verdict in {"NoData", "Inconclusive"}
    assert lines[-1].reason in {"NoData", "IncompleteData"}


def test_another_layout_of_buckets_from_the_middle_on_is_named_and_not_mixed():
    def other(series: Series) -> list[Series]:
        if series.labels.get("le") != "0.1":
            return [series]
        old = cut(series, lambda t: t < START + 130)
        new = cut(series, lambda t: t >= START + 130)
        return [old, replace(new, labels={**series.labels, "le": "0.125"})]

    lines = changed(other)
    metric = next(m for m in lines[-1].metrics if m.name == "latency")
    assert metric.validity in {"LayoutChanged", "NoData", "Incomplete"}
    assert not {"Revert", "Advance", "Promote"} & {line.decision for line in lines[-3:]}


@pytest.mark.parametrize("arm", list(Arm))
def test_an_arm_without_pods_proves_nothing(arm):
    recording = replace(tiny(), pods=tuple(pod for pod in tiny().pods if pod.arm is not arm))
    lines = changed(lambda series: [series], recording)
    assert lines
    assert not {"Revert", "Advance", "Promote"} & {line.decision for line in lines}


def test_a_single_pod_proves_nothing():
    recording = replace(tiny(), pods=tiny().pods[:1])
    lines = changed(lambda series: [series], recording)
    assert {line.verdict for line in lines} <= {"NoData", "Inconclusive"}


def test_rows_and_values_are_each_others_inverse():
    assert [pod_row(pod)["pod"] for pod in tiny().pods] == [pod.name for pod in tiny().pods]
    assert [change_row(change)["stage"] for change in tiny().timeline] == [None, 0]
