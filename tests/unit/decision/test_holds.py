"""Steps that a pipeline releases, decided."""

import pytest

from causal_rollouts.decision.decide import decide
from causal_rollouts.decision.situation import Facts, Situation
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.freeze import Span
from causal_rollouts.model.people import Approval
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Validity
from causal_rollouts.model.registration import Hold, Mode, Registration, Stage
from tests.unit.decision.situations import START, evidence, good_stage, registration

CI = "system:serviceaccount:ci:deployer"
HOLD = Hold((CI, "bob"), expires=3600.0)


def ladder(first: Stage, second: Stage | None = None, **changes: object) -> Registration:
    return registration(stages=(first, second or Stage(250, 300, 1800)), **changes)


AFTER = ladder(Stage(50, 300, 1800, hold_after=HOLD))
BEFORE = ladder(Stage(50, 300, 1800), Stage(250, 300, 1800, hold_before=HOLD))
FIRST = ladder(Stage(50, 300, 1800, hold_before=HOLD))
LAST = ladder(Stage(50, 300, 1800), Stage(250, 300, 1800, hold_after=HOLD))


def word(user: str = CI, stage: int = 0, act: Act = Act.ADVANCE, ago: float = 10.0) -> Approval:
    return Approval(user, stage, act, START + 600 - ago)


def preparing(*said: Approval, reg: Registration = FIRST, **changes: object) -> Situation:
    return good_stage(reg=reg, phase=Phase.PREPARING, stage=-1, stage_since=None, approvals=said, **changes)


def is_held(found: Decision, awaits: Act = Act.ADVANCE) -> bool:
    return (found.act, found.reason, found.awaits) == (Act.HOLD, Reason.HELD, awaits)


@pytest.mark.parametrize("reg", [AFTER, BEFORE], ids=["after a stage", "before the next"])
def test_a_step_is_held_until_one_who_is_named_releases_it(reg: Registration) -> None:
    found = decide(good_stage(reg=reg))
    assert is_held(found)
    assert f"Advance is held until one of {CI}, bob releases it" in found.because
    for user in (CI, "bob"):
        free = decide(good_stage(reg=reg, approvals=(word(user),)))
        assert (free.act, free.awaits) == (Act.ADVANCE, None)
        assert free.because.endswith(f"released by {user}")


@pytest.mark.parametrize(
    "said",
    [word("ann"), word(stage=1), word(stage=-1), word(act=Act.REVERT), word(ago=3601.0)],
    ids=["nobody who is named", "another stage", "the stage before", "another step", "expired"],
)
def test_what_does_not_release_it(said: Approval) -> None:
    assert is_held(decide(good_stage(reg=AFTER, approvals=(said,))))


def test_the_promotion_is_held_after_the_last_stage() -> None:
    assert is_held(decide(good_stage(reg=LAST, stage=1)), Act.PROMOTE)
    free = word(stage=1, act=Act.PROMOTE)
    assert decide(good_stage(reg=LAST, stage=1, approvals=(free,))).act is Act.PROMOTE
    assert decide(good_stage(reg=LAST)).act is Act.ADVANCE


def test_before_the_first_stage_nothing_is_made_until_it_is_released() -> None:
    assert is_held(decide(preparing()))
    assert is_held(decide(preparing(word())))
    assert decide(preparing(word(stage=-1))).reason is Reason.WAITING_FOR_HISTORY
    assert decide(preparing(reg=AFTER)).reason is Reason.WAITING_FOR_HISTORY


def test_while_it_prepares_what_is_wrong_with_the_data_is_said_first() -> None:
    seen = evidence(validity=Validity.NO_DATA)
    assert decide(preparing(seen=seen)).reason is Reason.NO_DATA


def test_an_a_a_test_is_held_by_nothing() -> None:
    assert decide(preparing(candidate_hash="old")).reason is not Reason.HELD


def test_nothing_but_a_rise_of_the_evidence_is_held() -> None:
    assert decide(good_stage(reg=AFTER, seen=evidence(log_harm=5.0))).act is Act.REVERT
    assert decide(good_stage(reg=AFTER, facts=Facts(abort="ann"))).outcome is Outcome.ABORTED
    assert decide(good_stage(reg=AFTER, facts=Facts(crash_loop="dies"))).act is Act.REVERT
    assert decide(good_stage(reg=AFTER, facts=Facts(promote="ann"))).act is Act.PROMOTE


def test_a_word_alone_raises_nothing() -> None:
    for changes in ({"blind": True}, {"seen": evidence(fresh=False)}, {"after": 100.0}):
        assert decide(good_stage(reg=AFTER, approvals=(word(),), **changes)).act is Act.HOLD


def test_a_stage_that_is_only_held_does_not_run_out_of_time() -> None:
    assert is_held(decide(good_stage(reg=AFTER, after=5000.0)))


def test_time_that_moves_stages_is_held_too_and_so_is_a_freeze_behind_it() -> None:
    watching = ladder(Stage(50, 300, 1800, hold_after=HOLD), mode=Mode.OBSERVE)
    assert is_held(decide(good_stage(reg=watching)))
    frozen = ladder(Stage(50, 300, 1800, hold_after=HOLD), freeze=(Span(START, START + 7200),))
    assert decide(good_stage(reg=frozen, approvals=(word(),))).reason is Reason.FROZEN


def test_people_and_pipeline_both_have_to_agree_and_neither_stands_in_for_the_other() -> None:
    both = ladder(Stage(50, 300, 1800, approvals=2, hold_after=HOLD))
    ann, cem = word("ann"), word("cem")
    assert decide(good_stage(reg=both, approvals=(ann, word()))).reason is Reason.AWAITING_APPROVAL
    assert is_held(decide(good_stage(reg=both, approvals=(ann, cem))))
    assert decide(good_stage(reg=both, approvals=(ann, cem, word()))).act is Act.ADVANCE


def test_one_word_releases_both_sides_of_a_step_and_two_who_are_named_apart_both_speak() -> None:
    one = ladder(Stage(50, 300, 1800, hold_after=HOLD), Stage(250, 300, 1800, hold_before=HOLD))
    assert decide(good_stage(reg=one, approvals=(word(),))).act is Act.ADVANCE
    two = ladder(Stage(50, 300, 1800, hold_after=HOLD), Stage(250, 300, 1800, hold_before=Hold(("qa",))))
    assert is_held(decide(good_stage(reg=two, approvals=(word(),))))
    assert decide(good_stage(reg=two, approvals=(word(), word("qa")))).act is Act.ADVANCE
