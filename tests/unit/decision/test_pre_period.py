"""While both arms run the stable template nothing is blamed on the candidate, and no difference ignored."""

import math

import pytest

from causal_rollouts.decision.decide import decide
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Validity, Verdict
from causal_rollouts.model.registration import ArmsPlan, Mode
from tests.unit.decision.situations import evidence, good_stage, registration

WATCHED = registration(arms=ArmsPlan(pre_period=600.0))
DIFFER = evidence(log_harm=9.0)


def watching(found=None, *, age=300.0, hashes=("new", "old"), reg=WATCHED, **changes):
    held = {"phase": Phase.PRE_PERIOD, "stage": -1, "candidate_hash": hashes[0], "stable_hash": hashes[1]}
    return decide(good_stage(after=age, seen=found, reg=reg, **(held | changes)))


def test_it_says_how_long_and_what_is_known():
    found = watching()
    assert (found.act, found.reason) == (Act.HOLD, Reason.PRE_PERIOD)
    assert "300 of 600 s" in found.because
    assert "latency" in found.because


def test_arms_that_differ_pause_and_never_revert():
    found = watching(DIFFER)
    assert (found.act, found.reason, found.verdict) == (Act.PAUSE, Reason.CONTAMINATED, Verdict.CONTAMINATED)
    assert "resume to watch them anew, or abort" in found.because
    assert found.outcome is None


def test_a_paused_pre_period_does_not_revert_either():
    found = watching(DIFFER, phase=Phase.PAUSED, resume=Phase.PRE_PERIOD, paused_by="somebody")
    assert found.act is Act.HOLD


def test_one_that_an_incident_keeps_from_ending_is_paused_in_the_end():
    incident = evidence(shared=0.4)
    assert watching(incident, age=600.0 + 1799.0).reason is Reason.SHARED_INCIDENT
    found = watching(incident, age=600.0 + 1800.0)
    assert (found.act, found.reason, found.verdict) == (
        Act.PAUSE,
        Reason.OUT_OF_TIME,
        Verdict.SHARED_INCIDENT,
    )
    assert "resume to watch the arms anew, or abort" in found.because


def test_in_mode_observe_a_difference_is_only_told():
    watched = registration(arms=ArmsPlan(pre_period=600.0), mode=Mode.OBSERVE)
    found = watching(DIFFER, reg=watched)
    assert (found.act, found.reason) == (Act.HOLD, Reason.PRE_PERIOD)


@pytest.mark.parametrize("changes", [{"validity": Validity.INCOMPLETE}, {"shared": 0.5}])
def test_what_holds_a_stage_holds_a_pre_period(changes):
    assert watching(evidence(**changes)).reason not in {Reason.PRE_PERIOD, Reason.SAFETY_PROVEN}


def test_an_aa_test_ends_by_the_clock_or_by_a_difference():
    same = ("old", "old")
    assert watching(hashes=same).reason is Reason.PRE_PERIOD
    over = watching(hashes=same, age=600.0)
    assert (over.act, over.reason, over.outcome) == (Act.END, Reason.AA_TESTED, Outcome.AA_TESTED)
    assert over.verdict is not Verdict.CONTAMINATED
    told = watching(DIFFER, hashes=same)
    assert (told.act, told.verdict, told.outcome) == (Act.END, Verdict.CONTAMINATED, Outcome.AA_TESTED)
    placebo = watching(evidence(placebo=math.log(2000)), hashes=same)
    assert "placebo" in placebo.because
    assert placebo.verdict is Verdict.CONTAMINATED
