"""`verify` and `export`: the ledger checked, taken away, and checked again without a cluster."""

import json

from causal_rollouts.adapters.kube import RECORD
from causal_rollouts.cli.exits import Exit
from tests.unit.cli.town import NAME


def test_the_chain_of_a_rollout_is_verified(moments, capsys):
    town = moments.town("promoted")
    found = town.run(capsys, "verify", NAME, "-o", "json")
    assert found.code == 0
    assert [(one["name"], one["link"]) for one in found.json] == [
        ("checkout-1", "Begins"),
        ("checkout-2", "Intact"),
    ]
    assert town.seen == []
    running = moments.town("observing").run(capsys, "verify", NAME)
    assert "Running" in running.out


def test_a_record_that_was_changed_is_named_and_the_exit_code_says_so(moments, capsys):
    town = moments.town("promoted")
    first = town.api.objects[RECORD.plural][town.namespace, "checkout-1"]
    first["status"]["release"]["outcome"] = "Promoted"
    found = town.run(capsys, "verify")
    assert found.code == Exit.FAILED
    assert "Altered" in found.out
    assert "checkout-1" in found.err


def test_an_export_holds_every_record_and_can_be_verified_far_away(moments, capsys, tmp_path):
    town, path = moments.town("promoted"), tmp_path / "ledger.jsonl"
    lines = town.run(capsys, "export", NAME).lines
    assert [line["metadata"]["name"] for line in lines] == ["checkout-1", "checkout-2"]
    assert town.run(capsys, "export", "-o", path).code == 0
    assert [json.loads(line) for line in path.read_text().splitlines()] == lines
    assert town.run(capsys, "verify", "--from-file", path).code == 0
    path.write_text(path.read_text().replace('"Aborted"', '"Promoted"'))
    assert town.run(capsys, "verify", "--from-file", path).code == Exit.FAILED


def test_where_there_is_nothing_to_verify_it_says_so(moments, capsys):
    assert "no records of checkout" in moments.town("at rest").run(capsys, "verify", NAME).err
