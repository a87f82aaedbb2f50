"""`second-opinion DIR`: for people with every number's kind, for programs as JSON."""

import json
import re
from dataclasses import replace

import pytest

from causal_rollouts.analysis.recording import write
from causal_rollouts.cli.main import main
from tests.unit.analysis.recordings import recorded


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A release that is 20% slower and fails more, recorded."""
    path = tmp_path_factory.mktemp("slow")
    write(recorded(slower=0.2, errors=0.01), path)
    return path


def test_people_read_effect_kind_assumption_and_what_is_not_said(slow, capsys):
    assert main(["second-opinion", str(slow)]) == 0
    out = capsys.readouterr().out
    assert "latency: canary slots against baseline slots" in out
    effect = re.search(r"asymptotic   \+([0-9.]+)% \(", out)
    assert effect is not None
    # The recording has 20%, of pods and nodes that differ.
    assert float(effect[1]) == pytest.approx(20.0, abs=3.0)
    assert "exact" in out
    assert " pp (" in out
    assert "assumed by randomisation test: the operator's own draw" in out
    assert "not said (change scores, pre-trend" in out


def test_programs_get_json_without_nan(slow, capsys):
    assert main(["second-opinion", str(slow), "-o", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [metric["name"] for metric in found["metrics"]] == ["latency", "errors"]
    latency = found["metrics"][0]
    assert latency["unit"] == "relative change"
    levels = latency["said"][0]
    assert list(levels) == [
        "question",
        "method",
        "kind",
        "assumes",
        "effect",
        "lower",
        "upper",
        "p",
        "note",
        "blocks",
        "doubted",
    ]
    assert levels["lower"] < 0.2 < levels["upper"]
    assert {one["kind"] for one in latency["said"]} == {"exact", "asymptotic", "model"}
    assert all(one["why"] for one in latency["absent"])


def test_a_directory_without_a_recording_is_said_in_words(tmp_path, capsys):
    assert main(["second-opinion", str(tmp_path)]) == 2
    assert "missing; a recording needs" in capsys.readouterr().err


def test_a_reference_is_read_without_a_stage_of_its_own(slow, tmp_path, capsys):
    other = recorded()
    write(replace(other, timeline=()), tmp_path)
    assert main(["second-opinion", str(slow), "--reference", str(tmp_path), "-o", "json"]) == 0
    latency = json.loads(capsys.readouterr().out)["metrics"][0]
    (total,) = [one for one in latency["said"] if one["method"].startswith("total effect")]
    kept = tmp_path / "kept"
    write(replace(recorded(slower=0.2, errors=0.01), reference=replace(other, timeline=())), kept)
    assert main(["second-opinion", str(kept), "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"][0] == latency
    assert total["kind"] == "model"
    assert "the reference drifts as the service does" in total["assumes"]
    assert main(["second-opinion", str(slow), "--reference", str(tmp_path / "no")]) == 2
    assert "no directory" in capsys.readouterr().err
