"""Everybody got worse: when a probe begins, what it draws, and what its end means."""

import math
from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_rollouts.decision.decide import decide
from causal_rollouts.decision.stage_clock import clocked
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.evidence import ProbeTest
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Verdict
from causal_rollouts.model.registration import Mode
from causal_rollouts.model.switchback import Switchback, probes_begun, standing
from causal_rollouts.model.traffic import HOME, Change, Weights
from tests.unit.decision.situations import START, evidence, good_stage, registration

PLAN = Switchback()
PROBED = registration(probe=PLAN)
WORSE = evidence(shared=0.4)
WEIGHTS = Weights(50, 50)
BEGUN = (Change(START, 0, WEIGHTS, Phase.SHIFTING), Change(START + 10, 0, HOME, Phase.PROBING))
SHOWN = ProbeTest("latency", p=0.0001, alpha=0.003, effect=0.25, seen=108, bins=108, least=0.0001)


def worse(reg=PROBED, seen=WORSE, since=START + 200.0, **changes):
    return decide(good_stage(reg=reg, seen=seen, shared_since=since, **changes))


def test_a_probe_begins_when_everybody_has_been_worse_for_long_enough():
    found = worse()
    assert (found.act, found.reason, found.verdict) == (Act.PROBE, Reason.PROBING, Verdict.SHARED_INCIDENT)
    assert "+49.2% against their past for 400 s" in found.because
    assert "54 min" in found.because


@pytest.mark.parametrize(
    "changes",
    [
        {"reg": registration()},
        {"since": START + 400.0},
        {"since": None},
        {"timeline": (*BEGUN, Change(START + 20, 0, WEIGHTS, Phase.SHIFTING))},
        {"seen": replace(WORSE, fresh=False)},
    ],
    ids=["no policy", "too short", "never noted", "had its probe", "nothing new seen"],
)
def test_else_it_is_held(changes):
    found = worse(**changes)
    assert (found.act, found.reason) == (Act.HOLD, Reason.SHARED_INCIDENT)


def test_in_mode_observe_nothing_is_probed():
    assert worse(reg=replace(PROBED, mode=Mode.OBSERVE)).act is not Act.PROBE


def test_harm_that_the_arms_show_needs_no_probe():
    assert worse(seen=replace(WORSE, log_harm=9.0)).reason is Reason.HARM_PROVEN


def probing(seen=None, **changes):
    held = {"phase": Phase.PROBING, "timeline": BEGUN}
    return decide(good_stage(reg=PROBED, seen=seen, blind=seen is None, **(held | changes)))


def test_while_it_runs_nothing_else_is_decided():
    for seen in (None, evidence(), WORSE):
        found = probing(seen)
        assert (found.act, found.reason) == (Act.HOLD, Reason.PROBING)
        assert "bin 19 of 108, without traffic" in found.because


def test_an_effect_on_everybody_reverts():
    found = probing(evidence(probe=SHOWN))
    assert (found.act, found.reason, found.outcome) == (Act.REVERT, Reason.BACKEND_HARM, Outcome.REVERTED)
    assert found.verdict is Verdict.HARM
    assert "+28.4%" in found.because


@pytest.mark.parametrize("test", [replace(SHOWN, p=0.2), replace(SHOWN, p=1.0, effect=math.nan, seen=3)])
def test_no_effect_lets_the_stage_go_on(test):
    found = probing(evidence(probe=test))
    assert (found.act, found.reason) == (Act.HOLD, Reason.PROBE_SETTLED)


def test_harm_between_the_arms_reverts_in_a_probe_too():
    assert probing(evidence(log_harm=9.0)).reason is Reason.HARM_PROVEN


def test_since_when_everybody_is_worse_is_noted_and_forgotten():
    shared = Decision(Verdict.SHARED_INCIDENT, Act.HOLD, Reason.SHARED_INCIDENT, "")
    between = replace(shared, reason=Reason.BETWEEN_LOOKS)
    fine = replace(shared, reason=Reason.GATHERING_EVIDENCE)
    release = good_stage().release
    noted = clocked(release, shared, START + 5)
    assert noted.shared_since == START + 5
    assert clocked(clocked(noted, between, START + 9), shared, START + 20).shared_since == START + 5
    assert clocked(noted, fine, START + 20).shared_since is None


plans = st.builds(
    Switchback,
    cycles=st.integers(5, 20),
    shortest=st.integers(4, 10),
    longest=st.integers(10, 30),
)


@given(plans, st.integers(0, 2**40), st.integers(0, 4))
def test_a_draw_fills_the_probe_with_legs_that_are_no_shorter_than_they_may_be(plan, seed, number):
    legs = plan.legs(seed, number)
    assert len(legs) == plan.bins
    assert legs == plan.legs(seed, number)
    lengths = [len(list(leg)) for _, leg in groupby(legs)]
    assert all(plan.shortest <= n <= 2 * plan.longest for n in lengths[:-1])
    assert abs(2 * sum(legs) - plan.bins) <= plan.bins / 2 + 2 * plan.longest


def test_draws_differ_and_are_as_often_on_as_off_in_each_bin():
    drawn = list(PLAN.others(4, 4000))
    assert len(set(drawn)) > 3900
    shares = [sum(legs[i] for legs in drawn) / 4000 for i in range(PLAN.bins)]
    # 4 standard errors of a fair coin over 4,000 draws.
    assert max(abs(share - 0.5) for share in shares) < 4 * 0.5 / math.sqrt(4000)
    assert PLAN.legs(1, 0) != PLAN.legs(1, 1)
    assert PLAN.legs(1, 0) != PLAN.legs(2, 0)


def test_the_probe_that_runs_is_read_off_the_timeline():
    grid = PROBED.grid
    assert standing(grid, BEGUN[:1]) is None
    probe = standing(grid, BEGUN)
    assert probe is not None
    assert (grid.start(probe.first) - START - 10) < grid.width
    assert probe.number == 0
    over = (*BEGUN, Change(START + 900, 0, WEIGHTS, Phase.SHIFTING))
    again = (*over, Change(START + 1900, 0, WEIGHTS, Phase.PROBING))
    assert standing(grid, over) is None
    assert standing(grid, again).number == 1
    assert [probes_begun(t) for t in (BEGUN[:1], BEGUN, over, again)] == [0, 1, 1, 2]
