"""What was decided live is decided again from the record and Prometheus, to the last bit, on any machine."""

import json
from pathlib import Path
from typing import Any

import pytest

from e2e.cluster.progress import say
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.core, pytest.mark.order(91)]


def test_the_newest_release_is_decided_again_from_its_recording(checkout: Shop, tmp_path: Path) -> None:
    where = tmp_path / "recording"
    source = ("--prometheus", checkout.cluster.prometheus_url)
    checkout.command("record", checkout.app.name, "-n", checkout.app.namespace, *source, "-o", str(where))
    lines = _lines(checkout.command("replay", str(where), "-o", "jsonl"))
    again = ("--rollout", checkout.app.name, "-n", checkout.app.namespace, *source)
    assert _first_difference(_lines(checkout.command("replay", *again, "-o", "jsonl")), lines) is None

    replayed = {line["time"]: line for line in lines}
    decided = checkout.decisions()
    for logged in decided:
        line, decision = replayed[logged["time"]], logged["decision"]
        assert line["decision"] == decision["act"]
        told = ("reason", "verdict", "because")
        assert {name: line[name] for name in told} == {name: decision[name] for name in told}
    judged = [d for d in decided if d.get("evidence")]
    assert {d["decision"]["act"] for d in judged} >= {"Advance", "Promote"}
    for logged in judged:
        line, evidence = replayed[logged["time"]], logged["evidence"]
        assert line["bin"] == evidence["bin"]
        assert [m["logESafe"] for m in line["metrics"]] == [
            _number(m["logESafe"]) for m in evidence["metrics"]
        ]
        assert line["logHarm"] == _number(evidence["logHarm"])
    say(f"{len(lines)} looks decided again, {len(decided)} logged decisions compared")


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def _first_difference(some: list[dict[str, Any]], others: list[dict[str, Any]]) -> str | None:
    """In one line: what a failed comparison of whole looks prints hides what failed before it."""
    for one, other in zip(some, others, strict=False):
        if one != other:
            unlike = [name for name in one | other if one.get(name) != other.get(name)]
            told = ", ".join(f"{name} {one.get(name)} not {other.get(name)}" for name in unlike)
            return f"at {one['time']}: {told[:500]}"
    return None if len(some) == len(others) else f"{len(some)} looks, not {len(others)}"


def _number(plain: float | str | None) -> float | None:
    """Infinities are words in a record and null in a line of JSON."""
    return plain if isinstance(plain, (int, float)) else None
