"""`report`: one file, from the cluster or from what was saved of it."""

import json
import subprocess
import sys

import pytest

from causal_rollouts.adapters.kube import RECORD
from causal_rollouts.analysis.recording import write
from causal_rollouts.cli.exits import Exit
from tests.unit.analysis.recordings import recorded
from tests.unit.cli.town import NAME


def items(moments):
    return [json.loads(json.dumps(r)) for r in moments.town("promoted").api.stored(RECORD)]


def test_it_writes_one_file_and_says_which(moments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = moments.town("promoted").run(capsys, "report", NAME)
    assert (found.code, found.out) == (0, "checkout.html\n")
    html = (tmp_path / "checkout.html").read_text()
    assert "checkout-1" in html
    assert "checkout-2" in html
    assert "Promoted" in html


def test_it_goes_where_it_is_told(moments, capsys, tmp_path):
    path = tmp_path / "r.html"
    town = moments.town("promoted")
    assert town.run(capsys, "report", NAME, "-o", path).code == 0
    assert town.run(capsys, "report", NAME, "-o", "-").out == path.read_text()
    found = town.run(capsys, "report", NAME, "-o", tmp_path / "no" / "r.html")
    assert found.code == Exit.USAGE
    assert "cannot be written" in found.err


@pytest.mark.parametrize("form", ["list", "array", "lines", "one"])
def test_saved_records_in_every_form_give_the_same_page(moments, capsys, tmp_path, form):
    saved = items(moments)[:1] if form == "one" else items(moments)
    text = {
        "list": json.dumps({"kind": "List", "items": saved}),
        "array": json.dumps(saved[::-1]),
        "lines": "\n".join(json.dumps(r) for r in saved),
        "one": json.dumps(saved[0]),
    }[form]
    (tmp_path / "records.json").write_text(text)
    town = moments.town("promoted")
    found = town.run(capsys, "report", "--from-file", tmp_path / "records.json", "-o", "-")
    assert found.code == 0
    if form != "one":
        assert found.out == town.run(capsys, "report", NAME, "-o", "-").out


def test_records_outlive_their_rollout(moments, capsys):
    town = moments.town("promoted")
    del town.api.objects["causalrollouts"]
    assert town.run(capsys, "report", NAME, "-o", "-").code == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "neither JSON nor JSON lines"),
        ('{"items": []}', "no record at all"),
        ('[{"kind": "Pod"}]', "is a Pod, not a RolloutRecord"),
        ("[1]", "is a int, not a RolloutRecord"),
        ('[{"status": {"release": {}}}]', "is no whole RolloutRecord"),
        (
            '[{"metadata": {"name": "a-1", "namespace": "b"}, "spec": {}, "status": {"release": {}}}]',
            "item 0",
        ),
    ],
)
def test_a_file_that_holds_something_else_is_named(capsys, moments, tmp_path, text, says):
    (tmp_path / "records.json").write_text(text)
    found = moments.town("promoted").run(capsys, "report", "--from-file", tmp_path / "records.json")
    assert found.code == Exit.USAGE
    assert says in found.err
    assert "records.json" in found.err


def test_nothing_to_report_is_said(moments, capsys):
    assert "has had no release yet" in moments.town("at rest").run(capsys, "report", NAME).err
    assert moments.town("at rest").run(capsys, "report", "cart").code == Exit.USAGE
    assert moments.town("at rest").run(capsys, "report").code == Exit.USAGE
    assert moments.town("at rest").run(capsys, "report", "--from-file", "/nowhere").code == Exit.USAGE


def test_a_recording_adds_the_second_opinion_with_kinds_and_assumptions(moments, capsys, tmp_path):
    write(recorded(), tmp_path / "there")
    town = moments.town("promoted")
    found = town.run(capsys, "report", NAME, "--recording", tmp_path / "there", "-o", "-")
    assert found.code == 0
    for words in (
        "A second opinion on simulated-1",
        "load-standardised difference of slot levels",
        "co-location permutation test",
        "ramp consistency test",
        "total effect at 100%, along a line (model-based)",
        "Not said: zone as ring",
        "<script",
    ):
        assert (words in found.out) is (words != "<script")
    missing = town.run(capsys, "report", NAME, "--recording", tmp_path / "no", "-o", "-")
    assert missing.code == Exit.USAGE
    assert "no directory" in missing.err


def test_a_report_from_a_file_needs_no_statistics(moments, tmp_path):
    (tmp_path / "records.json").write_text(json.dumps(items(moments)))
    code = (
        "import sys; from causal_rollouts.cli.main import main; "
        f"main(['report', '--from-file', {str(tmp_path / 'records.json')!r}, '-o', '-']); "
        "print({'numpy', 'scipy', 'kubernetes', 'kopf'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Promoted" in done.stdout
    assert done.stderr == "set()\n", "it would take seconds where it takes half a one"
