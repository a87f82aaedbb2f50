"""`replay DIR`: one line a tick, in the promised fields, for people and programs."""

import json

import pytest

from causal_rollouts.analysis.recording import write
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.main import main
from tests.unit.analysis.recordings import recorded

FIELDS = ["time", "stage", "weight", "decision", "reason", "verdict", "logHarm", "logThreshold", "metrics"]
OF_A_METRIC = ["name", "effect", "lower", "upper", "logEHarm", "logESafe", "validity", "naive"]


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A release that is 60% slower, recorded."""
    path = tmp_path_factory.mktemp("slow")
    write(recorded(slower=0.6), path)
    return path


def lines(capsys, *words):
    assert main(["replay", *map(str, words), "-o", "jsonl"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_line_has_the_promised_fields(slow, capsys):
    for line in lines(capsys, slow):
        assert list(line)[: len(FIELDS)] == FIELDS
        assert all(list(metric) == OF_A_METRIC for metric in line["metrics"])


def test_stop_ends_with_the_first_revert_and_until_before_it(slow, capsys):
    every = lines(capsys, slow)
    reverts = [i for i, line in enumerate(every) if line["decision"] == "Revert"]
    assert reverts
    assert reverts[0] < len(every) - 1
    assert lines(capsys, slow, "--stop") == every[: reverts[0] + 1]
    third = every[2]["time"]
    assert lines(capsys, slow, "--until", third) == every[:3]


def test_people_get_aligned_text(slow, capsys):
    assert main(["replay", str(slow), "--stop"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert "Revert" in out[-1]
    assert "latency +" in out[-1]
    assert len({line.index(" min  stage") for line in out}) == 1


def test_json_is_one_array(slow, capsys):
    assert main(["replay", str(slow), "-o", "json", "--stop"]) == 0
    assert json.loads(capsys.readouterr().out) == lines(capsys, slow, "--stop")


def test_a_directory_that_is_no_recording_is_named(tmp_path, capsys):
    assert main(["replay", str(tmp_path)]) == Exit.USAGE
    err = capsys.readouterr().err
    assert "rollout.yaml" in err
    assert err.count("\n") == 1
