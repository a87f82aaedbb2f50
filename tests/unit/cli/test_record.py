"""`record` and `replay --prometheus`: what was decided in a cluster, decided again out of its Prometheus."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest

from causal_rollouts.analysis.recording import read
from causal_rollouts.analysis.replay import replay
from causal_rollouts.analysis.rows import BadRecording
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.main import main
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.telemetry import Series
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


BASKET = "basket-6d5f7c8b9"


@pytest.fixture(scope="module")
def beside():
    """A server that also holds another service's pods, and what kube-state-metrics says of them."""
    record, recording = recorded(story("slow"))
    stable = {p.name: f"{BASKET}-{i}" for i, p in enumerate(record.release.pods) if p.arm is Arm.STABLE}
    begin, end = min(s.times[0] for s in recording.series), max(s.times[-1] for s in recording.series)
    times = [begin + 30.0 * i for i in range(int((end - begin) / 30.0) + 1)]
    own = {"__name__": "kube_pod_info", "namespace": "shop", "created_by_kind": "ReplicaSet"}
    infos = [
        Series({**own, "created_by_name": BASKET, "pod": pod, "node": "node1"}, times, [1.0] * len(times))
        for pod in stable.values()
    ]
    theirs = [
        replace(one, labels={**one.labels, "pod": stable[one.labels["pod"]]})
        for one in recording.series
        if one.labels.get("pod") in stable
    ]
    with serving([*story("slow").source.series(), *theirs, *infos]) as found:
        yield found


def named(tmp_path, **reference):
    """The records of the release, had it named a reference."""
    path = tmp_path / "records.json"
    items = copy.deepcopy(story("slow").records())
    items[-1]["spec"]["registration"]["reference"] = reference
    path.write_text(json.dumps({"items": items}))
    return path


def test_a_reference_is_recorded_along_and_read_again(beside, tmp_path, capsys):
    where, file = tmp_path / "here", named(tmp_path, kind="Deployment", name="basket")
    words = ["record", NAME, "-o", str(where), "--prometheus", beside, "--from-file", str(file)]
    assert main(words) == 0
    assert "without its reference" not in capsys.readouterr().err
    other = read(where).reference
    assert {pod.name.rpartition("-")[0] for pod in other.pods} == {BASKET}
    assert {series.labels["pod"] for series in other.series} == {pod.name for pod in other.pods}
    (where / "reference" / "pods.json").write_text("[")
    with pytest.raises(BadRecording, match=r"reference: pods\.json"):
        read(where)


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ({"kind": "Deployment", "name": "gone"}, "no kube_pod_info of Deployment shop/gone"),
        ({"kind": "Service", "name": "basket"}, "record without --from-file"),
    ],
)
def test_without_its_reference_a_recording_is_whole(reference, why, beside, tmp_path, capsys):
    where, file = tmp_path / "here", named(tmp_path, **reference)
    words = ["record", NAME, "-o", str(where), "--prometheus", beside, "--from-file", str(file)]
    assert main(words) == 0
    err = capsys.readouterr().err
    assert why in err
    assert err.count("\n") == 1
    assert [line.json() for line in replay(read(where))] == expected()


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
