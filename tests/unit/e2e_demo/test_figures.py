"""The arithmetic under the figures that docs/measurements.md repeats."""

import json
from pathlib import Path

import pytest

from e2e.demo.traffic import Answers, LoadStats
from e2e.figures.rest import writes
from e2e.figures.watch import Sight, first_answer, home_again, shares
from e2e.shop import Seen


def sight(time: float, weight: int, canary: int, stable: int) -> Sight:
    arms = {"canary": Answers(canary), "stable": Answers(stable)}
    return Sight(Seen(time, weight, 0), LoadStats(time, canary + stable, 0, {}, {}, {}, arms, {}))


def a_release() -> list[Sight]:
    """Rest, 10% for half a minute, home again."""
    seen = [sight(float(t), 0, 0, 100 * t) for t in range(5)]
    seen += [sight(5.0 + t, 100, 10 * t, 400 + 90 * t) for t in range(31)]
    return [*seen, *(sight(36.0 + t, 0, 300, 3100 + 100 * t) for t in range(5))]


def test_a_share_is_counted_while_weights_stand_still() -> None:
    (share,) = shares(a_release())
    assert share.observed == pytest.approx(0.1)
    assert share.weight == 0.1
    assert share.requests == 2700
    assert share.error == pytest.approx((0.1 * 0.9 / 2700) ** 0.5)


def test_a_stretch_of_seconds_tells_no_share() -> None:
    assert shares(a_release()[:12]) == []


def test_onset_and_home_are_read_from_counts_and_route() -> None:
    assert first_answer(a_release(), "canary") == 6.0
    assert home_again(a_release()) == 36.0
    assert first_answer(a_release()[:5], "canary") is None


def test_only_the_operators_writes_within_the_time_count(tmp_path: Path) -> None:
    def event(second: int, user: str) -> str:
        return json.dumps(
            {
                "requestReceivedTimestamp": f"2026-01-01T00:00:{second:02}.5Z",
                "user": {"username": user},
                "verb": "patch",
                "objectRef": {"resource": "httproutes"},
            }
        )

    mine = "system:serviceaccount:causal-rollouts:operator"
    log = tmp_path / "audit.jsonl"
    log.write_text("\n".join([event(1, mine), event(5, mine), event(6, mine), event(7, "admin")]))
    began = 1767225600.0
    assert writes(log, began + 4, began + 10) == {"patch httproutes": 2}
    assert writes(log, began + 8, began + 10) == {}
