"""The ledger as somebody checks it who does not trust whoever could write to it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from causal_rollouts.adapters.chain import Link, checked
from causal_rollouts.adapters.record_form import digest

Json = dict[str, Any]


def record(number: int, before: Json | None, *, final: bool = True, uid: str = "u1") -> Json:
    previous = before["metadata"]["name"] if before else ""
    if before and "digest" in before["status"]:
        previous += f"@sha256:{before['status']['digest']}"
    spec = {"rollout": "checkout", "rolloutUid": uid, "previous": previous, "registration": {"seed": number}}
    status: Json = {
        "seq": 3,
        "final": final,
        "release": {"outcome": "Promoted"},
        "decisions": [{"time": 1.5}],
    }
    if final:
        status["digest"] = digest(spec, status)
    return {"metadata": {"name": f"checkout-{number}", "namespace": "shop"}, "spec": spec, "status": status}


def chain(length: int, *, running: bool = False) -> list[Json]:
    made: list[Json] = []
    for i in range(length):
        final = not (running and i == length - 1)
        made.append(record(i + 1, made[-1] if made else None, final=final))
    return made


def links(records: list[Json]) -> list[Link]:
    return [one.link for one in checked(records)]


def test_a_whole_chain_holds_in_any_order() -> None:
    made = chain(4, running=True)
    assert links(made[::-1]) == [Link.BEGINS, Link.INTACT, Link.INTACT, Link.RUNNING]
    assert next(one.name for one in checked(made[::-1])) == "checkout-1"


def test_a_chain_whose_beginning_was_deleted_says_where_it_begins() -> None:
    found = checked(chain(12)[9:])
    assert [one.link for one in found] == [Link.BEGINS, Link.INTACT, Link.INTACT]
    assert found[0].said == "the chain begins here, after checkout-9, which is not here any more"


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r["status"]["release"].update(outcome="Reverted"),
        lambda r: r["status"]["decisions"].append({"time": 2.5}),
        lambda r: r["spec"]["registration"].update(seed=99),
        lambda r: r["status"].update(note="x"),
        lambda r: r["status"].pop("seq"),
    ],
)
def test_any_change_of_a_final_record_shows(change: Any) -> None:
    made = chain(3)
    change(made[1])
    assert links(made) == [Link.BEGINS, Link.ALTERED, Link.UNLINKED]


def test_a_change_with_a_new_digest_shows_in_the_next_record() -> None:
    made = chain(3)
    made[1]["status"]["seq"] = 4
    made[1]["status"]["digest"] = digest(made[1]["spec"], made[1]["status"])
    assert links(made) == [Link.BEGINS, Link.INTACT, Link.UNLINKED]


def test_a_missing_record_and_one_slipped_in_show() -> None:
    made = chain(4)
    assert links([made[0], made[1], made[3]]) == [Link.BEGINS, Link.INTACT, Link.UNLINKED]
    forged = copy.deepcopy(made)
    forged[2] = record(3, None)
    assert links(forged) == [Link.BEGINS, Link.INTACT, Link.UNLINKED, Link.UNLINKED]


def test_a_digest_that_was_taken_away_shows() -> None:
    made = chain(2)
    del made[1]["status"]["digest"]
    assert links(made) == [Link.BEGINS, Link.UNSEALED]


def test_a_rollout_made_anew_begins_a_chain_of_its_own() -> None:
    made = chain(2)
    made.append(record(3, None, uid="u2"))
    assert links(made) == [Link.BEGINS, Link.INTACT, Link.BEGINS]
