"""Who hears of a decision, and how loudly."""

import pytest

from causal_rollouts.decision.severity import LOW_SAMPLE, MUTED, SEVERITY, cause, heard, severity
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.notices import Subscription
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Severity, Verdict

ALL = Subscription("team")


def made(act: Act, reason: Reason, verdict: Verdict = Verdict.SAFE, awaits: Act | None = None) -> Decision:
    return Decision(verdict, act, reason, "because", awaits=awaits)


def told(decision: Decision, phase: Phase = Phase.OBSERVING, outcome: Outcome | None = None) -> str:
    why = cause(decision, phase, outcome)
    return f"{severity(why, decision, phase)} {why}" if why else ""


def test_what_nobody_has_to_know_has_no_cause() -> None:
    assert cause(made(Act.HOLD, Reason.CLEANING_UP), Phase.DONE, None) == ""
    steps = [reason for reason in Reason if reason not in SEVERITY]
    assert steps, "all steps of the machine are told to people"
    assert {cause(made(Act.ADVANCE, reason), Phase.SHIFTING, None) for reason in steps} == {""}
    assert severity("SomethingNew", made(Act.HOLD, Reason.BAKING), Phase.BAKING) is Severity.INFO


@pytest.mark.parametrize(
    ("decision", "phase", "said"),
    [
        (made(Act.REVERT, Reason.HARM_PROVEN, Verdict.HARM), Phase.REVERTING, "Ticket HarmProven"),
        (made(Act.REVERT, Reason.CRASH_LOOP, Verdict.HARM), Phase.REVERTING, "Ticket CrashLoop"),
        (made(Act.REVERT, Reason.ABORTED), Phase.REVERTING, "Info Aborted"),
        (made(Act.PAUSE, Reason.CONTAMINATED, Verdict.CONTAMINATED), Phase.PAUSED, "Ticket Contaminated"),
        (made(Act.PAUSE, Reason.STATE_UNREADABLE, Verdict.NO_DATA), Phase.PAUSED, "Page StateUnreadable"),
        (made(Act.PAUSE, Reason.OUT_OF_TIME, Verdict.INCONCLUSIVE), Phase.PAUSED, "Ticket OutOfTime"),
        (made(Act.PAUSE, Reason.PAUSED_BY_USER), Phase.PAUSED, "Info PausedByUser"),
        (made(Act.HOLD, Reason.PAUSED_BY_USER), Phase.PAUSED, ""),
        (made(Act.HOLD, Reason.BLOCKED), Phase.SHIFTING, "Ticket Blocked"),
        (
            made(Act.HOLD, Reason.SHARED_INCIDENT, Verdict.SHARED_INCIDENT),
            Phase.OBSERVING,
            "Page SharedIncident",
        ),
        (
            made(Act.HOLD, Reason.AWAITING_APPROVAL, awaits=Act.ADVANCE),
            Phase.AWAITING_APPROVAL,
            "Ticket AwaitingApproval",
        ),
        (
            made(Act.HOLD, Reason.AWAITING_APPROVAL, Verdict.HARM, awaits=Act.REVERT),
            Phase.AWAITING_APPROVAL,
            "Page AwaitingApproval",
        ),
        (made(Act.ADVANCE, Reason.SAFETY_PROVEN), Phase.SHIFTING, "Info SafetyProven"),
        (made(Act.HOLD, Reason.STAGE_TOO_YOUNG, Verdict.HARM), Phase.OBSERVING, "Ticket Harm"),
        (made(Act.HOLD, Reason.CLEANING_UP, Verdict.HARM), Phase.REVERTING, ""),
        (made(Act.HOLD, Reason.GATHERING_EVIDENCE, Verdict.INCONCLUSIVE), Phase.OBSERVING, ""),
        (made(Act.HOLD, Reason.NO_DATA, Verdict.NO_DATA), Phase.OBSERVING, "Info NoData"),
    ],
)
def test_what_people_hear_of_a_decision(decision: Decision, phase: Phase, said: str) -> None:
    assert told(decision, phase) == said


@pytest.mark.parametrize("outcome", Outcome)
def test_the_end_is_told_as_what_it_is_and_is_never_an_alarm(outcome: Outcome) -> None:
    cleaning = made(Act.HOLD, Reason.CLEANING_UP, Verdict.HARM)
    assert told(cleaning, Phase.DONE, outcome) == f"Info {outcome}"
    assert outcome in SEVERITY, "a policy could not name it"


@pytest.mark.parametrize("why", SEVERITY)
def test_too_little_data_never_pages_and_is_heard_only_by_who_names_it(why: str) -> None:
    named = Subscription("oncall", when=(why,), severity=Severity.PAGE)
    loudest = Severity.TICKET if why in LOW_SAMPLE else Severity.PAGE
    assert heard(named, why, SEVERITY[why]) is loudest
    assert heard(ALL, why, SEVERITY[why]) is (None if why in MUTED else SEVERITY[why])


def test_every_reason_for_want_of_data_counts_as_low_sample() -> None:
    bad = {Reason.NO_DATA, Reason.INCOMPLETE_DATA, Reason.PROVIDER_ERROR, Reason.SHARE_MISMATCH}
    assert bad | {Reason.OUT_OF_TIME} <= LOW_SAMPLE


def test_a_channel_hears_what_it_asked_for_as_loudly_as_it_asked() -> None:
    oncall = Subscription("oncall", at_least=Severity.PAGE)
    assert heard(oncall, "HarmProven", Severity.TICKET) is None
    assert heard(oncall, "SharedIncident", Severity.PAGE) is Severity.PAGE
    louder = Subscription("oncall", when=("HarmProven",), severity=Severity.PAGE, at_least=Severity.PAGE)
    assert heard(louder, "HarmProven", Severity.TICKET) is Severity.PAGE
    assert heard(louder, "Promoted", Severity.INFO) is None
