"""The ledger stays bounded, its chain whole, and what going back asks for stays."""

from dataclasses import replace

import pytest

from causal_rollouts.adapters.chain import Link, checked
from causal_rollouts.adapters.kube import POLICY
from causal_rollouts.control.retention import AT_ONCE, expired
from causal_rollouts.model.reasons import Outcome, Phase
from causal_rollouts.ports import Record
from tests.unit.control.sights import record, release
from tests.unit.control.stories import Story, tell


def past(*outcomes: Outcome) -> list[Record]:
    done = [release(phase=Phase.DONE, outcome=outcome) for outcome in outcomes]
    return [record(one, name=f"checkout-{i + 1}", final=True) for i, one in enumerate(done)]


def gone(records: list[Record], kept: int) -> list[str]:
    return [action.name for action in expired(records, kept)]


P, R = Outcome.PROMOTED, Outcome.REVERTED


@pytest.mark.parametrize(
    ("records", "kept", "deleted"),
    [
        (past(R, P, R, P), 5, []),
        (past(R, P, R, R, P, R), 3, ["checkout-1", "checkout-2", "checkout-3"]),
        (past(R, P, R, R, R, R), 3, ["checkout-1"]),
        (past(P, R, R, R, R, R, R, R), 3, ["checkout-1", "checkout-2"]),
        (past(*[R] * 30), 5, [f"checkout-{i + 1}" for i in range(AT_ONCE)]),
    ],
    ids=["few enough", "the oldest", "not the last promoted", "but for twice as many", "a few in one pass"],
)
def test_the_oldest_final_records_go(records: list[Record], kept: int, deleted: list[str]) -> None:
    assert gone(records, kept) == deleted


def test_a_running_record_is_never_deleted() -> None:
    running = replace(past(R)[0], name="checkout-9", final=False)
    assert gone([running, *past(R, R)], 1) == ["checkout-1"]


def test_the_operator_deletes_old_records_and_the_chain_that_is_left_holds() -> None:
    story = tell()
    aborted(story, 7)
    assert len(story.world.records()) == 7
    old = story.world.api.stored(POLICY)[0]
    new = {**old, "spec": {**old["spec"], "retention": {"records": 5}}}
    story.world.api.change(POLICY, old, new, "git", manager="git")
    story.run(65)
    left = checked(story.world.records())
    assert [one.name for one in left] == [f"checkout-{n}" for n in range(3, 8)]
    assert [one.link for one in left] == [Link.BEGINS, *[Link.INTACT] * 4]
    before = len(story.world.api.writes)
    story.run(65)
    assert len(story.world.api.writes) == before
    aborted(story, 1)
    assert story.world.newest()["metadata"]["name"] == "checkout-8"


def aborted(story: Story, times: int) -> None:
    for _ in range(times):
        story.request(f"good{len(story.world.records())}")
        assert story.run(20, until=lambda: story.phase in {"Preparing", "Shifting"})
        story.ask("abort")
        assert story.end(60) == "Aborted"
