"""`record` and `replay --prometheus`: what was decided in a cluster, decided again out of its Prometheus."""

from __future__ import annotations

import json

import pytest

from causal_rollouts.analysis.recording import read
from causal_rollouts.analysis.replay import replay
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.main import main
from tests.unit.analysis.live_releases import recorded, story
from tests.unit.cli.prometheus_server import serving

NAME = "checkout"


@pytest.fixture(scope="module")
def url():
    with serving(story("slow").source.series()) as found:
        yield found


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "records.json"
    path.write_text(json.dumps({"items": story("slow").records()}))
    return path


def expected():
    _, recording = recorded(story("slow"))
    return [line.json() for line in replay(recording)]


def test_a_recording_holds_what_the_operator_saw(url, saved, tmp_path, capsys):
    where = tmp_path / "here"
    words = ["record", NAME, "-o", where, "--prometheus", url, "--from-file", saved, "--format", "json"]
    assert main([str(word) for word in words]) == 0
    said = json.loads(capsys.readouterr().out)
    record, _ = recorded(story("slow"))
    assert said["release"] == record.name
    assert said["looks"] == len(record.glances)
    assert said["pods"] == len(record.release.pods)
    assert [line.json() for line in replay(read(where))] == expected()


def test_replay_asks_prometheus_itself(url, saved, capsys):
    words = ["replay", "--prometheus", url, "--rollout", NAME, "--from-file", str(saved), "-o", "jsonl"]
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == expected()
    assert not err


def test_to_ends_it_earlier(url, saved, capsys):
    record, _ = recorded(story("slow"))
    late = record.glances[-3].time
    words = ["replay", "--prometheus", url, "--rollout", NAME, "--from-file", str(saved), "-o", "jsonl"]
    assert main([*words, "--to", str(late)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["time"] == late
    whole = [json.loads(line) for line in expected()]
    assert [one["logHarm"] for one in lines] == [one["logHarm"] for one in whole[: len(lines)]]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--rollout", NAME], Exit.USAGE, "--prometheus URL with --rollout NAME"),
        (["{saved}", "--prometheus", "{url}", "--rollout", NAME], Exit.USAGE, "give a recording DIR, or"),
        (["--prometheus", "{url}", "--rollout", "other"], Exit.USAGE, "no release"),
        (["--prometheus", "{url}", "--rollout", NAME, "--release", "x-9"], Exit.USAGE, '"x-9"'),
        (["--prometheus", "{url}", "--rollout", NAME, "--from", "2", "--to", "1"], Exit.USAGE, "swap them"),
        (["--prometheus", "{url}", "--rollout", NAME, "--from", "4e9"], Exit.USAGE, "ran from"),
        (["--prometheus", "{url}", "--rollout", NAME, "--to", "1"], Exit.USAGE, "no release had begun"),
        (["--prometheus", "{url}", "--rollout", NAME, "--pod-label", "host"], Exit.FAILED, "no sample"),
        (["--prometheus", "http://127.0.0.1:9", "--rollout", NAME], Exit.UNAVAILABLE, "no samples of metric"),
    ],
)
def test_what_cannot_be_had_is_said_in_a_line(words, code, said, url, saved, capsys):
    given = [word.format(url=url, saved=saved) for word in words]
    assert main(["replay", *given, "--from-file", str(saved)]) == code
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_nothing_is_written_over(url, saved, tmp_path, capsys):
    (tmp_path / "mine").write_text("precious")
    words = ["record", NAME, "-o", str(tmp_path), "--prometheus", url, "--from-file", str(saved)]
    assert main(words) == Exit.USAGE
    assert "is there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
