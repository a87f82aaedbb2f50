"""`aa`: how often the policy would have reverted a release of nothing, in words and numbers."""

import json
from dataclasses import replace

import pytest
import yaml

from causal_rollouts.analysis.manifest import manifest
from causal_rollouts.analysis.recording import write
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.main import main
from tests.unit.analysis.pasts import long_recording, registration, small_recording


def refused(capsys, *words):
    assert main(["aa", *map(str, words)]) == Exit.USAGE
    err = capsys.readouterr().err
    assert "Traceback" not in err
    return err


def test_numbers_come_with_bounds_and_with_what_they_cannot_see(recording, rollout, capsys):
    words = ["aa", "-f", str(rollout), "--recording", str(recording), "-n", "3", "-o", "json"]
    assert main(words) == 0
    first = capsys.readouterr().out
    told = json.loads(first)
    assert told["name"] == "simulated/simulated"
    assert told["runs"] == sum(end["runs"] for end in told["ends"]) == 3
    reverted = next(end for end in told["ends"] if end["end"] == "reverted")
    assert reverted["runs"] == 0
    assert reverted["upper"] == pytest.approx(1 - 0.025 ** (1 / 3))
    assert told["alphaRevert"] == 0.01
    assert len(told["blindTo"]) == 3
    assert main(words) == 0
    assert capsys.readouterr().out == first


def test_people_get_a_table_and_the_honest_note(recording, rollout, capsys):
    assert main(["aa", "-f", str(rollout), "--recording", str(recording), "-n", "2"]) == 0
    out = capsys.readouterr().out
    assert "2 pseudo-releases" in out
    assert "95% BOUNDS" in out
    assert "cold starts" in out
    assert "not independent" in out


def test_a_policy_beside_the_rollout_is_taken_and_one_of_its_own_file_goes_first(
    recording, rollout, tmp_path, capsys
):
    spec = yaml.safe_load(rollout.read_text())
    del spec["spec"]["alphaRevert"]

    def policy(alpha):
        return {
            "apiVersion": "causalrollouts.dev/v1alpha1",
            "kind": "RolloutPolicy",
            "metadata": {"name": "standard"},
            "spec": {"defaults": {"alphaRevert": alpha}},
        }

    both, other = tmp_path / "both.yaml", tmp_path / "policy.yaml"
    both.write_text(yaml.safe_dump_all([policy("0.004"), spec]))
    other.write_text(yaml.safe_dump(policy("0.002")))
    words = ["aa", "-f", str(both), "--recording", str(recording), "-n", "1", "-o", "json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["alphaRevert"] == 0.004
    assert main([*words, "--policy", str(other)]) == 0
    assert json.loads(capsys.readouterr().out)["alphaRevert"] == 0.002


def test_without_a_past_it_says_what_it_needs(rollout, capsys):
    assert "--recording DIR" in refused(capsys, "-f", rollout)


def test_a_directory_without_a_recording_is_named(rollout, tmp_path, capsys):
    assert "rollout.yaml" in refused(capsys, "-f", rollout, "--recording", tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: Deployment", "holds Deployment; give a file with one CausalRollout"),
        ("a: [", "is no YAML"),
        ("", "holds nothing"),
        ("kind: CausalRollout\nspec: {targetRef: {name: x}}", "spec.traffic: is missing"),
        ("kind: CausalRollout\nspec: 3", "spec.targetRef: is missing"),
    ],
)
def test_a_wrong_file_is_told_with_field_and_fix(text, said, recording, tmp_path, capsys):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text)
    assert said in refused(capsys, "-f", wrong, "--recording", recording)


def test_a_file_that_is_not_there_is_named(recording, tmp_path, capsys):
    gone = tmp_path / "gone.yaml"
    assert "gone.yaml: cannot be read" in refused(capsys, "-f", gone, "--recording", recording)


def test_a_metric_that_was_not_recorded_is_named(recording, rollout, tmp_path, capsys):
    odd = yaml.safe_load(rollout.read_text())
    odd["spec"]["metrics"][0]["latency"]["histogram"] = "no_such_seconds"
    path = tmp_path / "odd.yaml"
    path.write_text(yaml.safe_dump(odd))
    assert "metrics[latency]: " in refused(capsys, "-f", path, "--recording", recording)


def test_too_few_pods_and_too_short_a_history_are_told(rollout, tmp_path, capsys):
    write(small_recording(6), tmp_path / "six")
    assert "pods: 6" in refused(capsys, "-f", rollout, "--recording", tmp_path / "six")
    short = tmp_path / "short.yaml"
    reg = registration()
    stages = (replace(reg.stages[0], min_duration=7200.0, max_duration=9000.0),)
    short.write_text(yaml.safe_dump(manifest(replace(reg, stages=stages))))
    write(long_recording(), tmp_path / "long")
    assert "history: 122 min" in refused(capsys, "-f", short, "--recording", tmp_path / "long")


def test_senseless_counts_are_refused(recording, rollout, capsys):
    assert "at least 1 run" in refused(capsys, "-f", rollout, "--recording", recording, "-n", "0")
