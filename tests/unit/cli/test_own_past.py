"""`plan` and `aa` out of a Prometheus: the newest past, as far back as nothing was released."""

import json
import re
from dataclasses import replace

import pytest
import yaml

from causal_rollouts.analysis.recording import write
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.main import main
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.telemetry import Series
from tests.unit.analysis.pasts import SETTING, long_recording
from tests.unit.cli.prometheus_server import serving

END = SETTING.begin
GRID = ("--scrape", "7.5", "--to", str(END))


def info(pod, begin, end, owner="simulated-7d4f9c", node="node-0"):
    """What kube-state-metrics says of a pod while it is there."""
    labels = {
        "__name__": "kube_pod_info",
        "namespace": "simulated",
        "pod": pod,
        "node": node,
        "created_by_kind": "ReplicaSet",
        "created_by_name": owner,
    }
    times = [begin + 30.0 * i for i in range(int((end - begin) / 30.0) + 1)]
    return Series(labels, times, [1.0] * len(times))


def fleet():
    recording = long_recording()
    begin = min(series.times[0] for series in recording.series)
    stable = [pod for pod in recording.pods if pod.arm is Arm.STABLE]
    return [*recording.series, *(info(pod.name, begin, END, node=pod.node) for pod in stable)]


@pytest.fixture(scope="module")
def url():
    with serving(fleet()) as found:
        yield found


def told(capsys, *words):
    assert main([*map(str, words), "-o", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, code, *words):
    assert main([str(word) for word in words]) == code
    err = capsys.readouterr().err
    assert "Traceback" not in err
    return err


def test_a_plan_from_prometheus_is_that_from_the_recording(url, rollout, tmp_path, capsys):
    live = told(capsys, "plan", "-f", rollout, "--prometheus", url, "--window", "100m", *GRID)
    assert live["pods"] == 16
    assert live["nodes"] == 8
    write(long_recording(), tmp_path)
    kept = told(capsys, "plan", "-f", rollout, "--recording", tmp_path)
    assert live["harmless"]["promoted"] == pytest.approx(kept["harmless"]["promoted"], abs=0.05)
    pairs = zip(live["metrics"][0]["stages"], kept["metrics"][0]["stages"], strict=True)
    assert all(a["sd"] == pytest.approx(b["sd"], rel=0.05) for a, b in pairs)


def test_pseudo_releases_run_over_the_window(url, rollout, capsys):
    found = told(capsys, "aa", "-f", rollout, "--prometheus", url, "--window", "90m", "-n", "2", *GRID)
    assert found["runs"] == 2
    assert 85 <= found["historyMinutes"] <= 90


@pytest.mark.parametrize(
    "other",
    [
        ("simulated-0ldc0de-abcde", "simulated-0ldc0de"),
        ("simulated-canary-0-xyz", "simulated-canary-0"),
    ],
)
def test_the_past_begins_when_the_last_release_had_gone(other, rollout, capsys):
    gone = END - 60.0 * 60.0
    with serving([*fleet(), info(other[0], gone - 600.0, gone, owner=other[1])]) as url:
        found = told(capsys, "aa", "-f", rollout, "--prometheus", url, "--window", "90m", "-n", "1", *GRID)
    assert 55 <= found["historyMinutes"] <= 60
    assert found["pods"] == 16


def test_too_little_since_the_last_release_is_told(rollout, capsys):
    gone = END - 300.0
    with serving([*fleet(), info("old", gone - 600.0, gone, owner="simulated-0ldc0de")]) as url:
        said = refused(capsys, Exit.USAGE, "plan", "-f", rollout, "--prometheus", url, *GRID)
    assert re.search(r"bins of history|pods: 0", said)


def test_other_deployments_with_a_like_name_are_left_alone(rollout, capsys):
    begin = END - 3600.0
    strangers = [info("simulated-api-1", begin, END, owner="simulated-api-5f6b")]
    with serving([*fleet(), *strangers]) as url:
        found = told(capsys, "plan", "-f", rollout, "--prometheus", url, *GRID)
    assert found["pods"] == 16


def test_no_pods_no_server_and_no_manifest_are_told(url, rollout, tmp_path, capsys):
    odd = yaml.safe_load(rollout.read_text())
    odd["spec"]["targetRef"]["name"] = "checkout"
    path = tmp_path / "odd.yaml"
    path.write_text(yaml.safe_dump(odd))
    said = refused(capsys, Exit.UNAVAILABLE, "plan", "-f", path, "--prometheus", url, *GRID)
    assert "simulated/checkout" in said
    assert "kube-state-metrics" in said
    nobody = "http://127.0.0.1:9"
    assert "--prometheus" in refused(capsys, Exit.UNAVAILABLE, "plan", "-f", rollout, "--prometheus", nobody)
    assert "-f FILE" in refused(capsys, Exit.USAGE, "aa", "--prometheus", url)
    both = ("--prometheus", url, "--recording", tmp_path)
    assert "--prometheus URL" in refused(capsys, Exit.USAGE, "plan", "-f", rollout, *both)
    senseless = ("--scrape", "0")
    assert "--scrape" in refused(capsys, Exit.USAGE, "plan", "-f", rollout, "--prometheus", url, *senseless)


def test_a_metric_that_the_server_does_not_have_is_named(rollout, capsys):
    kept = [s for s in fleet() if not s.labels["__name__"].startswith("http_server_requests_total")]
    with serving(kept) as url:
        said = refused(capsys, Exit.USAGE, "plan", "-f", rollout, "--prometheus", url, *GRID)
    assert "metrics[errors]: " in said


def test_a_pod_that_went_is_not_planned_with(rollout, capsys):
    recording = long_recording()
    series = fleet()
    lost = next(pod for pod in recording.pods if pod.arm is Arm.STABLE).name
    cut = END - 1200.0
    short = [
        replace(s, times=s.times[: sum(t < cut for t in s.times)]) for s in series if s.labels["pod"] == lost
    ]
    short = [replace(s, values=s.values[: len(s.times)]) for s in short]
    with serving([s for s in series if s.labels["pod"] != lost] + short) as url:
        found = told(capsys, "plan", "-f", rollout, "--prometheus", url, *GRID)
    assert found["pods"] == 15
