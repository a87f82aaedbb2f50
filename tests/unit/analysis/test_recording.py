from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from causal_rollouts.analysis.recording import DEFAULT_GRID, Recording, read, write
from causal_rollouts.analysis.rows import BadRecording
from causal_rollouts.model.scatter import Scatter
from causal_rollouts.model.telemetry import Look
from causal_rollouts.runtime.settings import OperatorSettings
from tests.unit.analysis.recordings import recorded

SCATTER = {"metric": "latency", "ratio": 1.0, "df": 4.0}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("recording")
    write(recorded(), directory)
    return directory


@pytest.fixture
def directory(kept: Path, tmp_path: Path) -> Path:
    return shutil.copytree(kept, tmp_path / "recording")


def numbers(recording: Recording) -> list[tuple[dict[str, str], list[float], list[float]]]:
    return [(dict(s.labels), list(s.times), list(s.values)) for s in recording.series]


def test_what_was_written_is_read_back(directory: Path):
    plain = recorded()
    run = replace(plain.run, scatter=(Scatter("latency", 1.7, 12.5),))
    looks = (Look(1.8e9, 60_000_001), Look(1.8e9 + 30, 60_000_003, "timeout", 2))
    written = replace(plain, run=run, looks=looks)
    write(written, directory)
    found = read(directory)
    assert (found.manifest, found.pods, found.timeline) == (written.manifest, written.pods, written.timeline)
    assert (found.run, found.looks) == (written.run, written.looks)
    assert numbers(found) == numbers(written)


def test_the_same_recording_gives_the_same_bytes(directory: Path, tmp_path: Path):
    write(read(directory), tmp_path / "again")
    for file in ("samples.jsonl.gz", "pods.json", "timeline.json", "rollout.yaml"):
        assert (tmp_path / "again" / file).read_bytes() == (directory / file).read_bytes()


def test_without_run_json_the_operators_defaults_hold(directory: Path):
    (directory / "run.json").unlink()
    assert read(directory).run.grid == DEFAULT_GRID
    assert OperatorSettings(prometheus_url="http://prometheus").grid == DEFAULT_GRID


def test_labels_are_called_as_this_source_calls_them(directory: Path):
    run = json.loads((directory / "run.json").read_text())
    (directory / "run.json").write_text(json.dumps({**run, "labels": {"pod": "kubernetes_pod_name"}}))
    samples(directory, lambda row: row["metric"].update(kubernetes_pod_name=row["metric"].pop("pod")))
    assert numbers(read(directory)) == numbers(recorded())


def test_a_series_in_two_lines_is_joined(directory: Path):
    rows = lines(directory)
    first, second = dict(rows[0]), dict(rows[0])
    first["values"], second["values"] = rows[0]["values"][:100], rows[0]["values"][100:]
    store(directory, [first, *rows[1:], second])
    assert len(read(directory).series) == len(rows)
    assert list(read(directory).series[0].times) == [t for t, _ in rows[0]["values"]]


def test_a_missing_directory_is_said(tmp_path: Path):
    complains(tmp_path / "nowhere", "is no directory")


@pytest.mark.parametrize("name", ["rollout.yaml", "pods.json", "timeline.json", "samples.jsonl.gz"])
def test_a_missing_file_is_named(directory: Path, name: str):
    (directory / name).unlink()
    complains(directory, f"{name} missing")


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("pods.json", lambda rows: rows[2].update(arm="control"), "pods.json[2].arm: 'control' is no arm"),
        ("pods.json", lambda rows: rows[0].update(created=None), "pods.json[0].created: is missing"),
        ("pods.json", lambda rows: rows[0].update(created=1.8e12), "looks like milliseconds"),
        ("pods.json", lambda rows: rows.append(rows[0]), "is there twice"),
        ("pods.json", lambda rows: rows[-1].update(slot=None), ".slot: is missing"),
        ("timeline.json", lambda rows: rows.reverse(), "sort them"),
        ("timeline.json", lambda rows: rows[1].update(stage="first"), "timeline.json[1].stage"),
        ("timeline.json", lambda rows: rows[1]["weights"].update(canary=60), "is not 100"),
        ("timeline.json", lambda rows: [r.update(stage=None) for r in rows], "no change has a stage"),
        ("run.json", lambda row: row.update(bin=0), "bin and scrape above 0"),
        ("run.json", lambda row: row.update(delay="30s"), "run.json.delay: '30s' is no number"),
        ("run.json", lambda row: row.update(scatter=[{"metric": "latency"}]), "run.json.scatter: "),
        ("run.json", lambda row: row.update(scatter=[{**SCATTER, "df": 0}]), "a ratio from 0 up, df above 0"),
        ("run.json", lambda row: row.update(scatter=[{**SCATTER, "ratio": -1}]), "a ratio from 0 up"),
        ("run.json", lambda row: row.update(scatter="wide"), "run.json.scatter"),
    ],
)
def test_a_wrong_field_is_named(directory: Path, file: str, change: Callable[[object], object], message: str):
    rows = json.loads((directory / file).read_text())
    change(rows)
    (directory / file).write_text(json.dumps(rows))
    complains(directory, message)


def test_json_that_is_none_is_said(directory: Path):
    (directory / "pods.json").write_text("[{")
    complains(directory, "pods.json: is no JSON")


def test_another_kind_of_manifest_is_refused(directory: Path):
    (directory / "rollout.yaml").write_text("kind: Deployment\n")
    complains(directory, "kind is 'Deployment'")


def test_unsorted_samples_are_refused_with_their_series(directory: Path):
    samples(directory, lambda row: row["values"].reverse())
    complains(directory, "line 1 (http_server_request_duration_seconds_bucket{")


def test_repeated_samples_are_refused(directory: Path):
    samples(directory, lambda row: row["values"].insert(5, row["values"][5]))
    complains(directory, "sample 7 at")


def test_a_sample_that_stands_in_two_lines_is_refused(directory: Path):
    rows = lines(directory)
    store(directory, [*rows, rows[0]])
    complains(directory, "write each sample once")


def test_a_value_that_is_no_number_is_refused(directory: Path):
    samples(directory, lambda row: row["values"][3].__setitem__(1, "many"))
    complains(directory, "samples.jsonl.gz line 1")


def test_a_torn_archive_is_refused(directory: Path):
    whole = (directory / "samples.jsonl.gz").read_bytes()
    (directory / "samples.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    complains(directory, "is no whole gzip file")


def test_plain_text_instead_of_an_archive_is_refused(directory: Path):
    (directory / "samples.jsonl.gz").write_text("{}")
    complains(directory, "is no whole gzip file")


def complains(directory: Path, message: str) -> None:
    with pytest.raises(BadRecording) as caught:
        read(directory)
    assert message in str(caught.value)


def lines(directory: Path) -> list[dict[str, object]]:
    with gzip.open(directory / "samples.jsonl.gz") as packed:
        return [json.loads(line) for line in packed]


def store(directory: Path, rows: list[dict[str, object]]) -> None:
    with gzip.open(directory / "samples.jsonl.gz", "wt") as packed:
        packed.writelines(json.dumps(row) + "\n" for row in rows)


def samples(directory: Path, change: Callable[[dict[str, object]], object]) -> None:
    rows = lines(directory)
    for row in rows:
        change(row)
    store(directory, rows)
