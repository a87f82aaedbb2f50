"""What users read: status and record say what holds, and nothing when nothing changed."""

from dataclasses import replace

import pytest

from causal_rollouts.control import view
from causal_rollouts.control.ledger import KEPT, log_decision
from causal_rollouts.control.look import Looked
from causal_rollouts.control.rest import Rest, Resting
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Validity, Verdict
from causal_rollouts.model.traffic import HOME
from tests.unit.control import sights
from tests.unit.control.sights import NOW, record, release, rollout, route, seen
from tests.unit.decision.situations import evidence

GATHERING = Decision(Verdict.INCONCLUSIVE, Act.HOLD, Reason.GATHERING_EVIDENCE, "1.0 of 2.5")
BETWEEN = Decision(Verdict.INCONCLUSIVE, Act.HOLD, Reason.BETWEEN_LOOKS, "the next look is not due yet")


def told(decision: Decision = GATHERING, looked: Looked | None = None, **changes):
    refused = changes.pop("refused", "")
    state = changes.pop("state", record())
    return view.running(seen(**changes), state, decision, looked or Looked(evidence()), NOW, refused=refused)


def condition(status, kind: str):
    return next((c for c in status["conditions"] if c["type"] == kind), None)


def test_a_running_release_is_told_in_a_few_words() -> None:
    status = told()
    assert (status["phase"], status["step"], status["weight"]) == ("Observing", "1/2", "10%")
    assert (status["release"], status["verdict"]) == ("checkout-1", "Inconclusive")
    assert condition(status, "Ready")["status"] == "Unknown"
    assert condition(status, "Reconciling")["message"] == "1.0 of 2.5"
    assert condition(status, "TrafficApplied")["status"] == "True"


def test_between_two_looks_the_last_word_stands() -> None:
    before = told()
    after = told(BETWEEN, Looked(), rollout=rollout(status=before))
    assert after == before


def test_a_word_about_an_earlier_release_does_not() -> None:
    earlier = {**told(), "release": "checkout-0"}
    status = told(BETWEEN, Looked(), rollout=rollout(status=earlier))
    assert condition(status, "Ready")["reason"] == "BetweenLooks"
    assert status.get("effect") is None


def test_why_the_evidence_is_not_valid_is_told() -> None:
    away = told(looked=Looked(provider_error="connection refused"))
    assert condition(away, "EvidenceValid")["reason"] == "ProviderError"
    wrong = told(looked=Looked(evidence(validity=Validity.NOT_A_NUMBER, why_invalid="metrics[latency]: nan")))
    assert condition(wrong, "EvidenceValid")["message"] == "metrics[latency]: nan"
    unreadable = told(looked=Looked(unreadable="version 7"))
    assert condition(unreadable, "EvidenceValid")["reason"] == "StateUnreadable"


def test_weights_that_are_not_there_yet_are_told() -> None:
    status = told(traffic=sights.traffic(route(HOME)))
    assert condition(status, "TrafficApplied")["status"] == "False"


def test_contested_weights_are_told_with_what_to_paste_in_lines() -> None:
    status = told(state=record(release(contested=3)))
    found = condition(status, "TrafficApplied")
    assert found["reason"] == "RouteContested"
    assert "\n- {name: checkout-canary, port: 80, weight: 0}" in found["message"]


def test_what_the_api_server_refused_is_told() -> None:
    status = told(refused="denied by quota")
    assert condition(status, "Ready")["reason"] == "Refused"
    assert "denied by quota" in condition(status, "Ready")["message"]


def test_what_must_be_mended_is_told_beside() -> None:
    status = told(problems=("spec.a: b; c",))
    assert condition(status, "Supported") | {"lastTransitionTime": ""} == {
        "type": "Supported",
        "status": "False",
        "reason": "InvalidSpec",
        "message": "spec.a: b; c",
        "observedGeneration": 1,
        "lastTransitionTime": "",
    }


def test_an_edit_of_the_spec_that_waits_is_told() -> None:
    world = seen()
    other = replace(world.resolved, registration=replace(sights.registration(), min_completeness=0.9))
    assert told().get("pendingSpec") is None
    assert told(resolved=other)["pendingSpec"] is True


@pytest.mark.parametrize(
    ("resting", "ready"),
    [
        (Resting(Rest.IDLE, "waiting"), "True"),
        (Resting(Rest.NOT_READY, "spec.x: y; z"), "False"),
        (Resting(Rest.ROLLING, "rolling"), "Unknown"),
        (Resting(Rest.SUSPENDED, "suspended"), "True"),
    ],
)
def test_at_rest_ready_is_what_gitops_tools_expect(resting: Resting, ready: str) -> None:
    status = view.at_rest(seen(record=None), resting, NOW)
    assert condition(status, "Ready")["status"] == ready


def test_after_a_failure_the_outcome_is_the_reason() -> None:
    failed = record(release(phase=Phase.DONE, outcome=Outcome.REVERTED, why="slower"), final=True)
    status = view.at_rest(seen(record=None, past=(failed,)), Resting(Rest.FAILED_BEFORE, "slower"), NOW)
    assert condition(status, "Stalled")["reason"] == "Reverted"
    assert status["phase"] == "Reverted"


def test_the_same_decision_is_logged_once_and_a_look_between_never() -> None:
    first = log_decision(record(), GATHERING, Looked(evidence()), NOW)
    assert [d.decision for d in first.decisions] == [GATHERING]
    assert log_decision(first, GATHERING, Looked(evidence()), NOW + 60).decisions == first.decisions
    assert log_decision(first, BETWEEN, Looked(), NOW + 60) == first


def test_every_decision_that_acts_is_logged() -> None:
    advance = Decision(Verdict.SAFE, Act.ADVANCE, Reason.SAFETY_PROVEN, "safe")
    state = record()
    for i in range(3):
        state = log_decision(state, advance, Looked(evidence()), NOW + i)
    assert [d.time for d in state.decisions] == [NOW, NOW + 1, NOW + 2]


def test_the_log_is_bounded_and_keeps_the_newest() -> None:
    state = record()
    for i in range(KEPT + 5):
        reason = Reason.NO_DATA if i % 2 else Reason.GATHERING_EVIDENCE
        state = log_decision(state, replace(GATHERING, reason=reason), Looked(evidence()), NOW + i)
    assert len(state.decisions) == KEPT
    assert state.decisions[-1].time == NOW + KEPT + 4


def test_the_evidence_state_goes_with_the_end_of_the_release() -> None:
    state = record(release(phase=Phase.DONE, outcome=Outcome.REVERTED))
    ended = log_decision(state, GATHERING, Looked(evidence(), b"new", 7), NOW)
    assert ended.final
    assert ended.state is None
    assert log_decision(record(), GATHERING, Looked(evidence(), b"new", 7), NOW).state == b"new"
    assert log_decision(record(), BETWEEN, Looked(), NOW).state == b"state"
