"""What the gate does, rule by rule, and which rule beats which."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from causal_rollouts.decision.decide import decide
from causal_rollouts.decision.situation import Facts, Template
from causal_rollouts.model.checks import Check, CheckName
from causal_rollouts.model.evidence import Process, ShareTest
from causal_rollouts.model.metrics import Gating, MetricKind
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Validity, Verdict
from causal_rollouts.model.registration import Mode, OnInconclusive
from tests.unit.decision.situations import evidence, good_stage, metric, registration

HARMFUL = evidence(log_harm=5.0)
RISES = {Act.ADVANCE, Act.PROMOTE}


def test_a_safe_stage_advances() -> None:
    decision = decide(good_stage())
    assert (decision.act, decision.reason, decision.verdict) == (
        Act.ADVANCE,
        Reason.SAFETY_PROVEN,
        Verdict.SAFE,
    )


def test_the_last_stage_promotes() -> None:
    assert decide(good_stage(stage=1)).act is Act.PROMOTE


def test_proven_harm_reverts_and_names_the_evidence() -> None:
    decision = decide(good_stage(seen=HARMFUL))
    assert decision.act is Act.REVERT
    assert decision.outcome is Outcome.REVERTED
    assert "5.0 nats" in decision.because
    assert "latency" in decision.because


def test_harm_to_neighbours_alone_is_a_reason_of_its_own() -> None:
    fine = metric(effect=-0.02, lower=-0.1, upper=0.06)
    beside = metric(name="latency/neighbours", kind=MetricKind.NEIGHBOUR, effect=0.3, lower=0.1, upper=0.5)
    direct = Process("latency", MetricKind.LATENCY, 380, -1.0, -1.3)
    spill = Process(beside.name, MetricKind.NEIGHBOUR, 380, 9.0, -3.3)
    seen = evidence(log_harm=5.7, metrics=(fine, beside), processes=(direct, spill))
    decision = decide(good_stage(seen=seen))
    assert (decision.act, decision.reason) == (Act.REVERT, Reason.NEIGHBOUR_HARM)
    assert "beside it: latency/neighbours +35.0%" in decision.because
    both = decide(good_stage(seen=replace(seen, processes=(replace(direct, log_e=12.0), spill))))
    assert (both.act, both.reason) == (Act.REVERT, Reason.HARM_PROVEN)


def test_evidence_just_under_the_budget_does_not_revert() -> None:
    assert decide(good_stage(seen=evidence(log_harm=4.6))).act is not Act.REVERT


WITHOUT_GROUND = {
    "no evidence": good_stage(blind=True),
    "stale window": good_stage(seen=evidence(fresh=False)),
    "no data": good_stage(seen=evidence(validity=Validity.NO_DATA)),
    "partial data": good_stage(seen=evidence(validity=Validity.INCOMPLETE)),
    "source away": good_stage(facts=Facts(provider_error="timed out")),
    "share not yet tested": good_stage(
        seen=evidence(share=ShareTest(ok=None, requests=10, observed=0.0, intended=0.05))
    ),
    "share wrong": good_stage(
        seen=evidence(share=ShareTest(ok=False, requests=999, observed=0.2, intended=0.05))
    ),
    "too young": good_stage(after=299),
    "too little evidence": good_stage(seen=evidence(metrics=(metric(log_e_safe=0.9),))),
    "one metric of two unproven": good_stage(
        seen=evidence(metrics=(metric(), metric(name="errors", log_e_safe=0.5)))
    ),
    "stage contradicts": good_stage(seen=evidence(metrics=(metric(log_e_stage=-0.1),))),
    "a tail under suspicion": good_stage(
        seen=evidence(
            metrics=(
                metric(),
                metric(name="tail", gating=Gating.REVERT_ONLY, log_e_stage=0.0, log_e_harm=3.1),
            )
        )
    ),
    "not identified": good_stage(seen=evidence(metrics=(metric(identified=False),))),
    "nothing gates": good_stage(seen=evidence(metrics=(metric(gating=Gating.REVERT_ONLY),))),
    "shared incident": good_stage(seen=evidence(shared=0.2)),
    "placebo fired": good_stage(seen=evidence(placebo=8.0)),
    "suspended": good_stage(facts=Facts(suspended=True)),
    "paused": good_stage(facts=Facts(pause="ann")),
    "blocked": good_stage(facts=Facts(blocked="image cannot be pulled")),
    "spec broken": good_stage(facts=Facts(problems=("spec.traffic: wrong",))),
    "unreadable state": good_stage(facts=Facts(unreadable="state of another version")),
}


@pytest.mark.parametrize("why", WITHOUT_GROUND)
def test_traffic_never_rises_without_ground(why: str) -> None:
    assert decide(WITHOUT_GROUND[why]).act not in RISES


@pytest.mark.parametrize(
    ("gating", "log_e_harm"), [(Gating.REVERT_ONLY, 2.9), (Gating.REPORT_ONLY, 9.0), (Gating.BOTH, -1.0)]
)
def test_little_evidence_for_harm_or_a_mere_report_holds_nobody_up(gating: Gating, log_e_harm: float) -> None:
    other = metric(name="tail", gating=gating, log_e_harm=log_e_harm)
    assert decide(good_stage(seen=evidence(metrics=(metric(), other)))).act is Act.ADVANCE


def test_a_stage_held_by_suspicion_names_the_metric() -> None:
    suspect = metric(name="tail", gating=Gating.REVERT_ONLY, effect=0.7, lower=0.1, upper=1.2, log_e_harm=3.1)
    decision = decide(good_stage(seen=evidence(metrics=(metric(), suspect))))
    assert (decision.act, decision.reason) == (Act.HOLD, Reason.STAGE_CONTRADICTS)
    assert "tail +101.4%" in decision.because


@pytest.mark.parametrize("phase", [p for p in Phase if p not in {Phase.OBSERVING, Phase.AWAITING_APPROVAL}])
def test_only_an_observed_stage_can_rise(phase: Phase) -> None:
    assert decide(good_stage(phase=phase)).act not in RISES


@pytest.mark.parametrize("why", ["source away", "no data", "partial data", "no evidence", "stale window"])
def test_missing_data_is_never_blamed_on_the_release(why: str) -> None:
    decision = decide(WITHOUT_GROUND[why])
    assert decision.act is Act.HOLD
    assert decision.verdict is not Verdict.HARM


def test_harm_reverts_even_while_the_source_is_away_or_people_paused() -> None:
    for facts in (Facts(provider_error="down"), Facts(pause="ann"), Facts(suspended=True)):
        assert decide(good_stage(seen=HARMFUL, facts=facts)).act is Act.REVERT
    assert decide(good_stage(seen=HARMFUL, phase=Phase.PAUSED)).act is Act.REVERT


def test_harm_while_promoting_or_baking_reverts() -> None:
    for phase in (Phase.PROMOTING, Phase.BAKING):
        assert decide(good_stage(seen=HARMFUL, phase=phase)).act is Act.REVERT


def test_abort_works_without_any_evidence() -> None:
    decision = decide(good_stage(blind=True, facts=Facts(abort="ann", provider_error="down")))
    assert (decision.act, decision.outcome) == (Act.REVERT, Outcome.ABORTED)
    assert "ann" in decision.because


def test_a_new_template_supersedes_and_the_old_one_withdraws() -> None:
    other = decide(good_stage(facts=Facts(template=Template.OTHER)))
    back = decide(good_stage(facts=Facts(template=Template.STABLE)))
    assert (other.act, other.outcome) == (Act.END, Outcome.SUPERSEDED)
    assert (back.act, back.outcome) == (Act.END, Outcome.WITHDRAWN)


def test_deletion_beats_everything_but_an_ending() -> None:
    everything = Facts(deleting=True, abort="ann", crash_loop="x", template=Template.OTHER)
    assert decide(good_stage(seen=HARMFUL, facts=everything)).outcome is Outcome.DELETED
    assert decide(good_stage(facts=everything, phase=Phase.REVERTING)).reason is Reason.CLEANING_UP


def test_a_crash_loop_acts_at_once_outside_the_budget() -> None:
    decision = decide(good_stage(blind=True, facts=Facts(crash_loop="every canary pod crashes")))
    assert (decision.act, decision.reason) == (Act.REVERT, Reason.CRASH_LOOP)


def test_blocked_pods_wait_and_then_end_without_blame() -> None:
    facts = Facts(blocked="ImagePullBackOff")
    waiting = decide(good_stage(facts=facts, blocked_since=10_000.0))
    over = decide(good_stage(facts=facts, blocked_since=10_000.0, after=1800))
    assert waiting.act is Act.HOLD
    assert (over.act, over.outcome) == (Act.END, Outcome.BLOCKED)


def test_a_deadline_without_verdict_follows_the_policy() -> None:
    unsure = evidence(metrics=(metric(log_e_safe=0.2),))
    assert decide(good_stage(seen=unsure, after=1801)).act is Act.PAUSE
    reg = registration(on_inconclusive=OnInconclusive.REVERT)
    assert decide(good_stage(seen=unsure, after=1801, reg=reg)).act is Act.REVERT


def test_the_deadline_clock_stands_while_data_are_invalid() -> None:
    unsure = evidence(metrics=(metric(log_e_safe=0.2),))
    assert decide(good_stage(seen=unsure, after=1900, invalid_seconds=200.0)).act is Act.HOLD
    assert decide(good_stage(seen=unsure, after=1900, invalid_since=11_700.0)).act is Act.HOLD


def test_a_shared_incident_is_held_until_the_deadline() -> None:
    shared = evidence(shared=0.2)
    assert decide(good_stage(seen=shared)).verdict is Verdict.SHARED_INCIDENT
    assert decide(good_stage(seen=shared, after=1801)).act is Act.PAUSE


def test_observe_mode_tells_harm_but_moves_by_time() -> None:
    reg = registration(mode=Mode.OBSERVE)
    young = decide(good_stage(seen=HARMFUL, reg=reg, after=10))
    old = decide(good_stage(seen=HARMFUL, reg=reg))
    assert (young.act, young.verdict) == (Act.HOLD, Verdict.HARM)
    assert (old.act, old.verdict) == (Act.ADVANCE, Verdict.HARM)


def test_observe_mode_needs_a_valid_fresh_window_too() -> None:
    reg = registration(mode=Mode.OBSERVE)
    for seen in (evidence(fresh=False), evidence(validity=Validity.NO_DATA)):
        assert decide(good_stage(seen=seen, reg=reg)).act is Act.HOLD


def test_promotion_needs_more_evidence_than_an_advance() -> None:
    some = evidence(metrics=(metric(log_e_safe=1.5),))
    assert decide(good_stage(seen=some)).act is Act.ADVANCE
    assert decide(good_stage(seen=some, stage=1)).act is Act.HOLD


def test_a_hold_says_what_is_missing() -> None:
    decision = decide(good_stage(seen=evidence(metrics=(metric(log_e_safe=0.4),))))
    assert "safety 0.4 of 1.0" in decision.because


def test_every_decision_is_repeatable() -> None:
    for situation in WITHOUT_GROUND.values():
        assert decide(situation) == decide(replace(situation))


def test_contested_weights_pause_and_a_person_decides() -> None:
    contested = Facts(contested="somebody moved the weights 3 times")
    decision = decide(good_stage(facts=contested))
    assert (decision.act, decision.reason) == (Act.PAUSE, Reason.ROUTE_CONTESTED)
    paused = decide(good_stage(facts=contested, phase=Phase.PAUSED, resume=Phase.SHIFTING))
    assert paused.act is Act.HOLD


def test_harm_is_reverted_though_the_weights_are_contested() -> None:
    contested = Facts(contested="somebody moved the weights 3 times")
    assert decide(good_stage(facts=contested, seen=HARMFUL)).act is Act.REVERT


def test_a_person_may_promote_out_of_a_pause_and_not_past_a_suspension() -> None:
    asked = Facts(promote="ann")
    paused = {"phase": Phase.PAUSED, "resume": Phase.OBSERVING}
    assert decide(good_stage(facts=asked, **paused)).reason is Reason.PROMOTED_BY_USER
    assert decide(good_stage(facts=asked, phase=Phase.PAUSED, resume=Phase.SHIFTING)).act is Act.HOLD
    assert decide(good_stage(facts=replace(asked, suspended=True))).reason is Reason.SUSPENDED
    assert decide(good_stage(facts=replace(asked, unreadable="version 7"), **paused)).act is Act.HOLD


def test_what_a_shift_waits_for_is_what_the_user_reads() -> None:
    short = Facts(waits_for=(Reason.WAITING_FOR_CAPACITY, "5 of 10 stable pods are ready"))
    decision = decide(good_stage(facts=short, phase=Phase.SHIFTING))
    assert (decision.reason, decision.because) == (
        Reason.WAITING_FOR_CAPACITY,
        "5 of 10 stable pods are ready",
    )


UNSOUND = evidence(
    checks=(Check(CheckName.BALANCE, 1.0, 2 / 3, ok=False, note="spread both arms, or retry"),)
)


def test_enough_evidence_on_arms_that_are_not_comparable_is_held_and_says_why() -> None:
    held = decide(good_stage(seen=UNSOUND))
    assert (held.act, held.reason, held.verdict) == (Act.HOLD, Reason.DESIGN_UNSOUND, Verdict.INCONCLUSIVE)
    assert "Balance: spread both arms, or retry" in held.because
    late = decide(good_stage(seen=UNSOUND, after=1801))
    assert (late.act, late.reason) == (Act.PAUSE, Reason.OUT_OF_TIME)
    assert "Balance" in late.because


def test_harm_reverts_also_on_arms_that_are_not_comparable() -> None:
    assert decide(good_stage(seen=replace(UNSOUND, log_harm=6.0))).act is Act.REVERT


def test_a_check_that_cannot_be_made_blocks_nothing() -> None:
    unknown = evidence(checks=(Check(CheckName.PRE_TREND, math.nan, 0.1, ok=None, note="no past"),))
    assert decide(good_stage(seen=unknown)).act is Act.ADVANCE
