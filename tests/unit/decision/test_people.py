"""Steps that wait for people, decided."""

from __future__ import annotations

from dataclasses import replace

import pytest

from causal_rollouts.decision.decide import decide
from causal_rollouts.decision.situation import Facts
from causal_rollouts.model.evidence import ProbeTest
from causal_rollouts.model.freeze import Span
from causal_rollouts.model.metrics import MetricKind
from causal_rollouts.model.people import Approval, Asked, read, written
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Verdict
from causal_rollouts.model.registration import Mode, Stage
from causal_rollouts.model.switchback import Switchback
from tests.unit.decision.situations import START, evidence, good_stage, metric, registration

TWO = registration(stages=(Stage(50, 300, 1800, approvals=2, approval_expires=3600.0), Stage(250, 300, 1800)))
RECOMMEND = registration(mode=Mode.RECOMMEND)
HARMFUL = evidence(log_harm=5.0)


def yes(user: str, act: Act = Act.ADVANCE, stage: int = 0, ago: float = 10.0) -> Approval:
    return Approval(user, stage, act, START + 600 - ago)


def test_a_stage_with_an_approval_waits_for_it_and_says_for_how_many() -> None:
    decision = decide(good_stage(reg=TWO))
    assert (decision.act, decision.reason, decision.awaits) == (
        Act.HOLD,
        Reason.AWAITING_APPROVAL,
        Act.ADVANCE,
    )
    assert "waits for 2 more of 2 approvals" in decision.because
    decision = decide(good_stage(reg=TWO, approvals=(yes("ann"),), phase=Phase.AWAITING_APPROVAL))
    assert "waits for 1 more of 2 approvals (ann did)" in decision.because


def test_two_different_people_let_it_go_on_and_are_named() -> None:
    decision = decide(good_stage(reg=TWO, approvals=(yes("ann"), yes("bob"))))
    assert (decision.act, decision.awaits) == (Act.ADVANCE, None)
    assert decision.because.endswith("approved by ann, bob")


@pytest.mark.parametrize(
    "approvals",
    [
        (yes("ann"), yes("ann")),
        (yes("ann"), yes("bob", ago=3601.0)),
        (yes("ann"), yes("bob", stage=1)),
        (yes("ann"), yes("bob", Act.REVERT)),
    ],
    ids=["the same person twice", "expired", "for another stage", "for another step"],
)
def test_what_does_not_count_as_a_second_approval(approvals: tuple[Approval, ...]) -> None:
    assert decide(good_stage(reg=TWO, approvals=approvals)).reason is Reason.AWAITING_APPROVAL


def test_harm_and_people_wait_for_no_approval_of_a_stage() -> None:
    assert decide(good_stage(reg=TWO, seen=HARMFUL)).act is Act.REVERT
    assert decide(good_stage(reg=TWO, facts=Facts(promote="ann"))).act is Act.PROMOTE
    assert decide(good_stage(reg=TWO, facts=Facts(abort="ann"))).outcome is Outcome.ABORTED
    assert decide(good_stage(reg=TWO, facts=Facts(crash_loop="dies"))).act is Act.REVERT


def test_approvals_alone_raise_nothing() -> None:
    both = (yes("ann"), yes("bob"))
    for changes in ({"blind": True}, {"seen": evidence(fresh=False)}, {"after": 100.0}):
        assert decide(good_stage(reg=TWO, approvals=both, **changes)).act is Act.HOLD


def test_a_stage_that_only_lacks_people_does_not_run_out_of_time() -> None:
    assert decide(good_stage(reg=TWO, after=5000.0)).reason is Reason.AWAITING_APPROVAL


def test_an_approved_step_still_waits_for_a_freeze() -> None:
    frozen = registration(stages=TWO.stages, freeze=(Span(START, START + 7200),))
    assert decide(good_stage(reg=frozen)).reason is Reason.AWAITING_APPROVAL
    both = (yes("ann"), yes("bob"))
    assert decide(good_stage(reg=frozen, approvals=both)).reason is Reason.FROZEN


def test_recommend_asks_before_each_step_and_before_a_revert() -> None:
    rise = decide(good_stage(reg=RECOMMEND))
    assert (rise.act, rise.awaits, rise.verdict) == (Act.HOLD, Act.ADVANCE, Verdict.SAFE)
    harm = decide(good_stage(reg=RECOMMEND, seen=HARMFUL))
    assert (harm.act, harm.awaits, harm.verdict, harm.outcome) == (Act.HOLD, Act.REVERT, Verdict.HARM, None)
    beside = replace(HARMFUL.processes[0], kind=MetricKind.NEIGHBOUR, log_e=9.0)
    neighbours = decide(good_stage(reg=RECOMMEND, seen=replace(HARMFUL, processes=(beside,))))
    assert (neighbours.act, neighbours.awaits) == (Act.HOLD, Act.REVERT)
    assert decide(good_stage(reg=RECOMMEND, approvals=(yes("ann"),))).act is Act.ADVANCE
    agreed = good_stage(reg=RECOMMEND, seen=HARMFUL, approvals=(yes("ann", Act.REVERT),))
    assert (decide(agreed).act, decide(agreed).outcome) == (Act.REVERT, Outcome.REVERTED)
    meant_to_rise = good_stage(reg=RECOMMEND, seen=HARMFUL, approvals=(yes("ann"),))
    assert decide(meant_to_rise).act is Act.HOLD


def test_in_recommend_tripwires_act_and_so_does_harm_to_a_fleet_that_rolls() -> None:
    assert decide(good_stage(reg=RECOMMEND, facts=Facts(crash_loop="dies"))).act is Act.REVERT
    rolling = good_stage(reg=RECOMMEND, seen=HARMFUL, phase=Phase.PROMOTING, stage=1)
    assert decide(rolling).act is Act.REVERT


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        ("ann:checkout-1", Asked("ann", "checkout-1")),
        ("checkout-1", Asked("", "checkout-1")),
        ("ann:checkout-1/2 looks fine: ship it", Asked("ann", "checkout-1", 2, "looks fine: ship it")),
        (
            "system:serviceaccount:ci:bot:checkout-1 x:y",
            Asked("system:serviceaccount:ci:bot", "checkout-1", None, "x:y"),
        ),
        ("ann@example.com:checkout-1/1", Asked("ann@example.com", "checkout-1", 1)),
        ("system:serviceaccount:ci:bot:checkout-1/0", Asked("system:serviceaccount:ci:bot", "checkout-1", 0)),
        ("ann:Not A Release", None),
        ("", None),
    ],
)
def test_a_request_is_read_as_it_was_written(value: str, asked: Asked | None) -> None:
    assert read(value) == asked
    if asked:
        assert written(asked.user, asked.release, step=asked.step, reason=asked.reason) == value


def test_in_recommend_a_pause_waits_for_nobody_and_harm_to_a_shared_backend_waits() -> None:
    late = evidence(metrics=(metric(log_e_safe=0.1),))
    assert decide(good_stage(reg=RECOMMEND, seen=late, after=5000.0)).act is Act.PAUSE
    plan = registration(mode=Mode.RECOMMEND, probe=Switchback())
    shown = ProbeTest("latency", p=0.001, alpha=0.003, effect=0.3, seen=100, bins=100, least=0.001)
    decision = decide(good_stage(reg=plan, seen=evidence(probe=shown), phase=Phase.PROBING))
    assert (decision.act, decision.awaits) == (Act.HOLD, Act.REVERT)
