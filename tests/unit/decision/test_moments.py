"""What a decision stood on is kept where it is news, and gives the same decision again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from causal_rollouts.decision.decide import decide
from causal_rollouts.decision.moments import KEPT, Moment, again, noted
from causal_rollouts.decision.situation import Facts, Situation, situate
from causal_rollouts.model.reasons import Phase
from tests.unit.decision.situations import good_stage
from tests.unit.decision.test_every_decision import SITUATIONS


def the_moment(situation: Situation) -> Moment:
    (found,) = noted((), situation, looked=True, told=False)
    return found


@pytest.mark.parametrize("name", SITUATIONS)
def test_each_decision_follows_from_its_moment_and_its_evidence(name: str) -> None:
    s = SITUATIONS[name]
    moment = the_moment(s)
    then = again(moment, s.release.timeline, s.release.approvals, s.release.verdict)
    assert decide(situate(s.registration, then, s.evidence, moment.facts, s.now)) == decide(s)


def test_a_look_that_stands_on_the_same_is_no_news() -> None:
    first = noted((), good_stage(), looked=True, told=True)
    later = replace(good_stage(), now=good_stage().now + 30)
    assert noted(first, later, looked=True, told=True) == first
    paused = replace(later, facts=Facts(pause="ann"))
    assert [m.facts.pause for m in noted(first, paused, looked=True, told=False)] == ["", "ann"]


def test_a_decision_between_two_looks_has_a_moment_of_its_own() -> None:
    first = noted((), good_stage(), looked=True, told=True)
    later = replace(good_stage(), now=good_stage().now + 3)
    assert noted(first, later, looked=False, told=False) == first
    assert [m.time for m in noted(first, later, looked=False, told=True)] == [good_stage().now, later.now]


def test_the_first_are_kept() -> None:
    full = (Moment(1.0, the_moment(good_stage()).standing),) * KEPT
    aborted = replace(good_stage(phase=Phase.SHIFTING), facts=Facts(abort="ann"))
    assert noted(full, aborted, looked=False, told=True) == full
