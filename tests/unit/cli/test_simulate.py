"""`simulate`: recordings that `replay` reads, the same for the same seed."""

import json
from pathlib import Path

import pytest

from causal_rollouts.analysis.simulation.scenarios import SCENARIOS
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.main import main

SMALL = "small-fleet"


def everything(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def test_each_run_is_a_directory_that_replay_reads(tmp_path, capsys):
    assert main(["simulate", SMALL, "-n", "2", "--seed", "5", "-o", str(tmp_path)]) == 0
    made = capsys.readouterr().out.split()
    assert made == [str(tmp_path / f"{SMALL}-{seed}") for seed in (5, 6)]
    one, other = (everything(Path(path)) for path in made)
    assert one["samples.jsonl.gz"] != other["samples.jsonl.gz"]
    until = json.loads(one["timeline.json"])[1]["time"] + 120
    assert main(["replay", made[0], "--until", str(until), "-o", "jsonl"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines
    assert lines[-1]["stage"] == 0


def test_the_same_seed_gives_the_same_bytes(tmp_path, capsys):
    for name in ("a", "b"):
        assert main(["simulate", SMALL, "--seed", "3", "-o", str(tmp_path / name)]) == 0
    assert everything(tmp_path / "a") == everything(tmp_path / "b")


def test_a_name_with_a_slash_stays_one_directory(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(SCENARIOS, "crash-6/h", SCENARIOS[SMALL])
    assert main(["simulate", "crash-6/h", "-o", str(tmp_path), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["directory"] == str(tmp_path / "crash-6-h-0")


def test_the_list_names_every_scenario_and_what_happens(capsys):
    assert main(["simulate", "--list"]) == 0
    out = capsys.readouterr().out
    assert all(f"{name} " in out and scenario.what in out for name, scenario in SCENARIOS.items())
    assert main(["simulate", "--list", "--format", "json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == list(SCENARIOS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nonsense", "-o", "x"), '"nonsense"'),
        ((), "--list"),
        ((SMALL,), "-o DIR"),
        ((SMALL, "-o", "x", "-n", "0"), "-n 0"),
    ],
)
def test_what_was_asked_wrongly_is_said_in_a_line(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", *words]) == Exit.USAGE
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["simulate", SMALL, "-o", str(tmp_path / "file")]) == Exit.FAILED
    assert "cannot be written" in capsys.readouterr().err
