"""What is owed follows from the ledger and from what is settled, and from nothing else."""

from dataclasses import replace

import pytest

from causal_rollouts.control.owed import owed
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.notices import Subscription
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Severity, Verdict
from causal_rollouts.ports import LoggedDecision, Record
from tests.unit.control.sights import record, registration, release

TEAM, ONCALL = Subscription("team"), Subscription("oncall", at_least=Severity.TICKET)

ADVANCE = (Act.ADVANCE, Reason.SAFETY_PROVEN, Phase.SHIFTING)
REVERT = (Act.REVERT, Reason.HARM_PROVEN, Phase.REVERTING)
END = (Act.HOLD, Reason.CLEANING_UP, Phase.DONE)
SHARED = (Act.HOLD, Reason.SHARED_INCIDENT, Phase.OBSERVING)
GATHER = (Act.HOLD, Reason.GATHERING_EVIDENCE, Phase.OBSERVING)
PAUSE = (Act.PAUSE, Reason.CONTAMINATED, Phase.PAUSED)


def ledger(*lines, name: str = "checkout-1", by=(TEAM, ONCALL), stage: int = 0, **changes) -> Record:
    found = tuple(
        LoggedDecision(100.0 + i, 2 * i + 3, Decision(Verdict.SAFE, act, reason, "why"), stage, 50, {}, phase)
        for i, (act, reason, phase) in enumerate(lines)
    )
    made = record(registration=replace(registration(), notifications=by), decisions=found)
    return replace(made, name=name, uid=f"uid-{name}", **changes)


def told(records, cursors=None) -> list[str]:
    return [f"{n.channel} {n.id} {n.severity} {n.cause}" for n in owed(records, cursors or {})]


def test_each_transition_is_owed_to_each_channel_that_hears_of_it_under_one_id() -> None:
    assert told([ledger(ADVANCE, REVERT, END, release=release(outcome=Outcome.REVERTED))]) == [
        "team checkout-1.3 Info SafetyProven",
        "team checkout-1.5 Ticket HarmProven",
        "oncall checkout-1.5 Ticket HarmProven",
        "team checkout-1.7 Info Reverted",
    ]


def test_what_is_settled_is_owed_no_more_and_each_channel_stands_for_itself() -> None:
    line = [ledger(ADVANCE, REVERT)]
    assert told(line, {"team": "checkout-1.5"}) == ["oncall checkout-1.5 Ticket HarmProven"]
    assert told(line, {"team": "checkout-1.3", "oncall": "checkout-1.5"}) == [
        "team checkout-1.5 Ticket HarmProven"
    ]
    assert told(line, {"team": "checkout-1.5", "oncall": "checkout-1.5"}) == []


@pytest.mark.parametrize("cursor", ["", "checkout-0.99", "nonsense", "checkout-1.x"])
def test_a_word_about_a_release_that_is_gone_settles_nothing(cursor: str) -> None:
    assert len(told([ledger(REVERT)], {"team": cursor, "oncall": cursor})) == 2


def test_an_older_release_is_settled_by_a_newer_one_and_a_newer_one_by_none_before_it() -> None:
    both = [ledger(REVERT), ledger(ADVANCE, name="checkout-2")]
    assert told(both, {"team": "checkout-2.3", "oncall": "checkout-1.3"}) == []
    assert told(both, {"team": "checkout-1.999", "oncall": "checkout-1.3"}) == [
        "team checkout-2.3 Info SafetyProven"
    ]


def test_a_hold_that_comes_and_goes_is_told_once_a_stage_and_a_second_pause_again() -> None:
    flapping = [ledger(SHARED, GATHER, SHARED, PAUSE, GATHER, PAUSE, by=(TEAM,))]
    assert told(flapping) == [
        "team checkout-1.3 Page SharedIncident",
        "team checkout-1.9 Ticket Contaminated",
        "team checkout-1.13 Ticket Contaminated",
    ]
    assert told(flapping, {"team": "checkout-1.3"}) == told(flapping)[1:]


def test_of_two_entries_for_a_channel_the_first_that_hears_counts() -> None:
    loud = Subscription("team", when=("HarmProven",), severity=Severity.PAGE)
    assert told([ledger(ADVANCE, REVERT, by=(loud, TEAM))]) == [
        "team checkout-1.3 Info SafetyProven",
        "team checkout-1.5 Page HarmProven",
    ]


def test_lines_of_versions_that_noted_no_phase_are_told_by_what_was_done() -> None:
    assert told([ledger((Act.REVERT, Reason.HARM_PROVEN, None), (Act.HOLD, Reason.CLEANING_UP, None))]) == [
        "team checkout-1.3 Ticket HarmProven",
        "oncall checkout-1.3 Ticket HarmProven",
    ]


def test_nobody_subscribed_nobody_is_told() -> None:
    assert told([ledger(REVERT, by=())]) == []
