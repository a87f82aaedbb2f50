"""`plan`: what a release could show, in tables for people and numbers for programs."""

import json
from dataclasses import replace

import pytest
import yaml

from causal_rollouts.analysis.manifest import manifest
from causal_rollouts.analysis.recording import write
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.main import main
from causal_rollouts.model.arms import Arm
from tests.unit.analysis.pasts import long_recording, registration, small_recording


def refused(capsys, *words):
    assert main(["plan", *map(str, words)]) == Exit.USAGE
    err = capsys.readouterr().err
    assert "Traceback" not in err
    return err


def test_people_get_stages_budget_what_is_caught_and_what_is_assumed(recording, rollout, capsys):
    assert main(["plan", "-f", str(rollout), "--recording", str(recording)]) == 0
    out = capsys.readouterr().out
    for words in (
        "simulated/simulated: 16 pods on 8 node(s)",
        "PURE CONTROLS",
        "A release that changes nothing: promoted",
        "CAUGHT 95%",
        "latency/neighbours",
        "What becomes of a release",
        "Noise is what the gate believes",
    ):
        assert words in out


def test_json_holds_every_figure_and_no_infinity(recording, rollout, capsys):
    assert main(["plan", "-f", str(rollout), "--recording", str(recording), "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["name"] == "simulated/simulated"
    harmless = told["harmless"]
    assert harmless["promoted"] + harmless["paused"] + harmless["reverted"] == pytest.approx(1.0)
    assert [stage["canaries"] for stage in told["stages"]] == [3, 5]
    names = [metric["name"] for metric in told["metrics"]]
    assert names == ["latency", "latency/neighbours", "slow", "tail", "errors", "restarts"]
    assert all(len(metric["stages"]) == 2 for metric in told["metrics"])


def test_without_a_manifest_the_recorded_one_is_planned(tmp_path, capsys):
    recording = long_recording()
    write(replace(recording, manifest=manifest(registration(metrics=registration().metrics[:1]))), tmp_path)
    assert main(["plan", "--recording", str(tmp_path), "-o", "json"]) == 0
    names = [metric["name"] for metric in json.loads(capsys.readouterr().out)["metrics"]]
    assert names == ["latency", "latency/neighbours"]


def test_a_manifest_that_says_nothing_has_the_built_in_policy(recording, tmp_path, capsys):
    bare = tmp_path / "bare.yaml"
    spec = {
        "targetRef": {"name": "simulated"},
        "policyRef": {"name": "standard"},
        "traffic": {"service": "simulated", "httpRoutes": [{"name": "simulated"}]},
    }
    metadata = {"name": "simulated", "namespace": "simulated"}
    bare.write_text(yaml.safe_dump({"kind": "CausalRollout", "metadata": metadata, "spec": spec}))
    assert main(["plan", "-f", str(bare), "--recording", str(recording), "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [stage["weight"] for stage in told["stages"]] == [5.0, 25.0, 50.0]
    assert told["alphaRevert"] == 0.01


def test_what_is_out_of_reach_is_told_with_the_settings_that_reach_it(recording, rollout, tmp_path, capsys):
    narrow = yaml.safe_load(rollout.read_text())
    narrow["spec"]["metrics"] = narrow["spec"]["metrics"][:1]
    narrow["spec"]["metrics"][0]["promoteBelow"] = "6%"
    path = tmp_path / "narrow.yaml"
    path.write_text(yaml.safe_dump(narrow))
    assert main(["plan", "-f", str(path), "--recording", str(recording)]) == 0
    out = capsys.readouterr().out
    assert "Unreachable: latency: evidence of safety comes for" in out
    assert "metrics[latency].promoteBelow" in out
    assert "stages[].maxDuration" in out


def test_without_a_past_it_says_what_it_needs(rollout, capsys):
    assert "--recording DIR" in refused(capsys, "-f", rollout)


def test_one_pod_no_samples_and_a_missing_metric_are_told_with_field_and_fix(rollout, tmp_path, capsys):
    recording = small_recording(6)
    stable = next(pod for pod in recording.pods if pod.arm is Arm.STABLE)
    write(replace(recording, pods=(stable,)), tmp_path / "one")
    assert "pods: 1 stable pod(s)" in refused(capsys, "-f", rollout, "--recording", tmp_path / "one")
    write(replace(recording, series=()), tmp_path / "none")
    assert "samples.jsonl.gz" in refused(capsys, "-f", rollout, "--recording", tmp_path / "none")
    odd = yaml.safe_load(rollout.read_text())
    odd["spec"]["metrics"][3]["errors"]["counter"] = "no_such_total"
    (tmp_path / "odd.yaml").write_text(yaml.safe_dump(odd))
    write(recording, tmp_path / "six")
    said = refused(capsys, "-f", tmp_path / "odd.yaml", "--recording", tmp_path / "six")
    assert "metrics[errors]: " in said
    assert "no_such_total" in said


def test_a_wrong_policy_file_is_named(recording, rollout, tmp_path, capsys):
    wrong = tmp_path / "policy.yaml"
    wrong.write_text("kind: ConfigMap")
    said = refused(capsys, "-f", rollout, "--recording", recording, "--policy", wrong)
    assert "policy.yaml: holds 0 RolloutPolicy" in said
    wrong.write_text("kind: RolloutPolicy\nspec: {defaults: {alphaRevert: lots}}")
    said = refused(capsys, "-f", rollout, "--recording", recording, "--policy", wrong)
    assert "alphaRevert" in said


def test_a_cluster_that_cannot_show_harm_to_neighbours_is_told_that_no_setting_helps(
    rollout, tmp_path, capsys
):
    recording = long_recording()
    write(replace(recording, pods=tuple(replace(pod, node="one") for pod in recording.pods)), tmp_path)
    assert main(["plan", "-f", str(rollout), "--recording", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "on 1 node(s)" in out
    assert "latency/neighbours: +25% is caught in 0%. The design cannot see it" in out


def test_a_release_that_began_with_the_recording_leaves_no_past(rollout, tmp_path, capsys):
    recording = long_recording()
    begin = min(series.times[0] for series in recording.series)
    at_once = tuple(replace(change, time=begin + i) for i, change in enumerate(recording.timeline))
    write(replace(recording, timeline=at_once), tmp_path)
    said = refused(capsys, "-f", rollout, "--recording", tmp_path)
    assert "0 bins of history" in said
    assert "take a longer time" in said


def test_too_few_nodes_without_a_canary_are_told_before_the_start(tmp_path, capsys):
    recording = small_recording(8)
    crowded = tuple(replace(pod, node=f"node-{int(pod.node[-1]) % 2}") for pod in recording.pods)
    write(replace(recording, pods=crowded), tmp_path)
    assert main(["plan", "--recording", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "Warning: stage 1 leaves 0 nodes with stable pods and no canary (2 are needed)" in out
    assert "against baseline slots alone" in out
    assert main(["plan", "--recording", str(tmp_path), "-o", "json"]) == 0
    stage = json.loads(capsys.readouterr().out)["stages"][0]
    assert (stage["pureNodes"], stage["pureControls"]) == (0, 0)
    assert "0 nodes" in stage["fallback"]


def test_pure_controls_are_counted_stage_by_stage(recording, rollout, capsys):
    assert main(["plan", "-f", str(rollout), "--recording", str(recording)]) == 0
    out = capsys.readouterr().out
    assert "10 on 5 nodes" in out
    assert "Warning" not in out


def test_where_pods_make_the_share_the_plan_tells_it_and_turns_no_knob_beyond(recording, tmp_path, capsys):
    told = manifest(registration())
    ladder = [
        {**stage, "weight": weight} for stage, weight in zip(told["spec"]["stages"], (10, 30), strict=True)
    ]
    told["spec"] |= {"traffic": {"service": "simulated", "podShare": {}}, "stages": ladder}
    written = tmp_path / "pods.yaml"
    written.write_text(yaml.safe_dump(told))
    assert main(["plan", "-f", str(written), "--recording", str(recording), "-o", "json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert [(s["canaries"], s["baselines"], s["weight"]) for s in plan["stages"]] == [
        (2, 2, 10.0),
        (8, 3, 29.6),
    ]
    turned = [knob for one in plan["unreachable"] for knob in one["knobs"]]
    assert turned, "something is out of reach of so few pods"
    assert "arms.minPods" not in {knob["setting"] for knob in turned}
    weights = [knob["value"].split(", ") for knob in turned if knob["setting"] == "stages[].weight"]
    assert all(float(weight) <= 33 for ladder in weights for weight in ladder)
