from __future__ import annotations

from dataclasses import replace

from causal_rollouts.decision.stage_clock import clocked
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Act, Phase, Reason, Verdict
from causal_rollouts.model.release import Release

OBSERVING = Release("r-1", "b", "a", "", Phase.OBSERVING, 0.0, stage=0, stage_since=0.0)
BLIND = Decision(Verdict.PROVIDER_ERROR, Act.HOLD, Reason.PROVIDER_ERROR, "")
SEEING = Decision(Verdict.INCONCLUSIVE, Act.HOLD, Reason.GATHERING_EVIDENCE, "")


def test_the_clock_stands_while_nothing_is_seen():
    release = OBSERVING
    for now, decision in ((10.0, SEEING), (40.0, BLIND), (70.0, BLIND), (100.0, SEEING), (160.0, BLIND)):
        release = clocked(release, decision, now)
    assert release.invalid_seconds == 60.0
    assert release.invalid_since == 160.0


def test_outside_a_stage_there_is_no_clock():
    shifting = Release("r-1", "b", "a", "", Phase.SHIFTING, 0.0, stage=0)
    assert clocked(shifting, BLIND, 10.0) == shifting


def test_between_two_looks_the_last_word_stands():
    between = Decision(Verdict.INCONCLUSIVE, Act.HOLD, Reason.BETWEEN_LOOKS, "")
    blind = clocked(OBSERVING, BLIND, 40.0)
    assert clocked(blind, between, 60.0) == blind
    assert clocked(OBSERVING, between, 60.0) == OBSERVING


def test_time_that_was_blind_adds_up_also_in_a_pre_period():
    release = replace(OBSERVING, phase=Phase.PRE_PERIOD, invalid_seconds=7.0)
    for now, decision in ((10.0, BLIND), (25.0, SEEING), (30.0, SEEING)):
        release = clocked(release, decision, now)
    assert (release.invalid_since, release.invalid_seconds) == (None, 22.0)


def test_a_clock_that_stands_from_the_first_instant_of_all_time_goes_on():
    release = clocked(OBSERVING, BLIND, 0.0)
    assert release.invalid_since == 0.0
