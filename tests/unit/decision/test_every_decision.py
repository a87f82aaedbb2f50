"""Every decision the gate can take, whole: a page to read, and a fence around the rules.

Beside it lies `decisions.txt`: for each situation what the evidence says, what is done, why, how it ends,
and the words a person reads.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from causal_rollouts.decision.decide import decide
from causal_rollouts.decision.rules import hold
from causal_rollouts.decision.situation import Facts, Situation, Template, situate
from causal_rollouts.model.checks import Check, CheckName
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.evidence import Evidence, ProbeTest, Process, ShareTest
from causal_rollouts.model.freeze import Span
from causal_rollouts.model.metrics import Gating, MetricKind
from causal_rollouts.model.reasons import Act, Phase, Reason, Validity, Verdict
from causal_rollouts.model.registration import ArmsPlan, Mode, OnInconclusive
from causal_rollouts.model.release import Desired
from causal_rollouts.model.segment import Axis, Segment, SegmentEvidence
from causal_rollouts.model.switchback import Switchback
from causal_rollouts.model.traffic import HOME, Change, Weights
from tests.unit.decision.situations import START, evidence, footprint, good_stage, metric, registration

OBSERVE = registration(mode=Mode.OBSERVE)
EASY = registration(on_inconclusive=OnInconclusive.REVERT)
PRE = registration(arms=ArmsPlan(pre_period=600.0))
UNSURE = evidence(metrics=(metric(log_e_safe=0.2),))
HARM = evidence(log_harm=5.0)
CHECK = Check(CheckName.AGE, 9.0, 1.0, ok=False, note="wait")
UNSOUND = evidence(checks=(CHECK,))


PROBED = registration(probe=Switchback())
WAITED = Switchback().after * PROBED.grid.width
TWICE = registration(probe=Switchback(probes=2))
WORSE = evidence(shared=0.4)
SHARE = Weights(50, 50)
PROBE = (Change(START, 0, SHARE, Phase.SHIFTING), Change(START + 10, 0, HOME, Phase.PROBING))
SHIFTED = Change(START + 20, 0, SHARE, Phase.SHIFTING)
SHOWN = ProbeTest("latency", p=0.0001, alpha=0.003, effect=0.25, seen=108, bins=108, least=0.0001)
HALF_SURE = evidence(metrics=(metric(log_e_safe=2.0),))
OVER = evidence(footprints=(footprint(waits=True),))
FROZEN = registration(freeze=(Span(START - 60.0, START + 86_400.0),))
SET = Change(START, 0, SHARE, Phase.SHIFTING)
ZONE = SegmentEvidence(
    segment=Segment("latency", Axis.ZONE, "a"),
    effect=0.4,
    lower=0.2,
    upper=0.6,
    log_e=3.0,
    harm_margin=0.049,
    acts=True,
    note="",
)
PART = evidence(
    log_harm=5.0,
    processes=(Process(ZONE.segment.name, MetricKind.LATENCY, 380, 3.0, -1.0),),
    segments=(ZONE,),
)


def probe(seen: Evidence | None = None, **changes: object) -> Situation:
    held = {"phase": Phase.PROBING, "timeline": PROBE, **changes}
    return good_stage(reg=PROBED, seen=seen, **held)


def shifting(timeline: tuple[Change, ...]) -> Situation:
    return good_stage(reg=FROZEN, phase=Phase.SHIFTING, timeline=timeline)


def frozen_pre(newest: Change) -> Situation:
    reg = replace(PRE, freeze=FROZEN.freeze)
    return good_stage(reg=reg, phase=Phase.PRE_PERIOD, stage=-1, stage_since=None, timeline=(newest,))


def facts(**found: object) -> Situation:
    return good_stage(facts=Facts(**found))


def pre(seen: Evidence | None = None, after: float = 300.0, **changes: object) -> Situation:
    return good_stage(seen=seen, after=after, reg=PRE, phase=Phase.PRE_PERIOD, stage=-1, **changes)


SITUATIONS = {
    "it ends": good_stage(phase=Phase.REVERTING, why="aborted by ann"),
    "it finishes": good_stage(phase=Phase.FINISHING, why="promoted"),
    "it is over": good_stage(phase=Phase.DONE, why="promoted"),
    "the rollout is deleted": facts(deleting=True),
    "the target is gone": facts(target_gone=True),
    "abort": facts(abort="ann"),
    "the template is back": facts(template=Template.STABLE),
    "another template": facts(template=Template.OTHER),
    "bypass": facts(bypassed=True),
    "unreadable": facts(unreadable="version 7"),
    "unreadable while paused": good_stage(
        facts=Facts(unreadable="version 7"), phase=Phase.PAUSED, paused_by="ann"
    ),
    "crash loop": facts(crash_loop="web-1 crashes"),
    "never ready": facts(never_ready="not ready: canary-0"),
    "harm": good_stage(seen=HARM),
    "harm at the very end of the budget": good_stage(seen=evidence(log_harm=math.log(100))),
    "harm of several together": good_stage(seen=evidence(log_harm=5.0, processes=())),
    "harm in a process without a metric": good_stage(
        seen=evidence(log_harm=5.0, processes=(Process("neighbours", MetricKind.NEIGHBOUR, 380, 3.0, -1.0),))
    ),
    "harm of the worse of two": good_stage(
        seen=evidence(
            log_harm=5.0,
            processes=(
                Process("latency", MetricKind.LATENCY, 380, 1.0, -1.0),
                Process("errors", MetricKind.ERRORS, 380, 1.5, -0.5),
            ),
            metrics=(metric(), metric(name="errors", effect=0.5, lower=0.1, upper=5.0)),
        )
    ),
    "harm before its time": good_stage(seen=HARM, phase=Phase.PREPARING),
    "blocked": good_stage(facts=Facts(blocked="no room")),
    "blocked for a while": good_stage(facts=Facts(blocked="no room"), blocked_since=START, after=1799.0),
    "blocked for too long": good_stage(facts=Facts(blocked="no room"), blocked_since=START, after=1800.0),
    "contested": facts(contested="git moves the weights"),
    "wrong spec": facts(problems=("spec.a: wrong", "spec.b: wrong")),
    "promoted by a person": facts(promote="ann"),
    "promoted by a person too early": good_stage(facts=Facts(promote="ann"), phase=Phase.SHIFTING),
    "promoted by a person out of a pause": good_stage(
        facts=Facts(promote="ann"), phase=Phase.PAUSED, resume=Phase.AWAITING_APPROVAL
    ),
    "paused": good_stage(phase=Phase.PAUSED, paused_by="ann"),
    "pause": facts(pause="ann"),
    "suspended": facts(suspended=True),
    "the source is away": facts(provider_error="timed out"),
    "the source is away in a roll": good_stage(
        facts=Facts(provider_error="timed out"), phase=Phase.PROMOTING, blind=True
    ),
    "preparing": good_stage(phase=Phase.PREPARING, stage=-1),
    "preparing without a look": good_stage(phase=Phase.PREPARING, stage=-1, blind=True),
    "preparing with a short history": good_stage(
        phase=Phase.PREPARING,
        stage=-1,
        seen=evidence(validity=Validity.SHORT_HISTORY, why_invalid="12 of 40 bins"),
    ),
    "replacing": good_stage(phase=Phase.REPLACING, stage=-1),
    "shifting": good_stage(phase=Phase.SHIFTING),
    "shifting with a wrong share": good_stage(
        phase=Phase.SHIFTING, seen=evidence(validity=Validity.SHARE_MISMATCH, why_invalid="20% instead of 5%")
    ),
    "shifting without a look": good_stage(phase=Phase.SHIFTING, blind=True),
    "promoting": good_stage(phase=Phase.PROMOTING, stage=1),
    "baking": good_stage(phase=Phase.BAKING, stage=1),
    "between looks": good_stage(blind=True),
    "between looks after one": good_stage(blind=True, verdict=Verdict.SAFE),
    "no data": good_stage(seen=evidence(validity=Validity.NO_DATA, why_invalid="nothing arrived")),
    "no data, unexplained": good_stage(seen=evidence(validity=Validity.WRONG_TYPE)),
    "incomplete": good_stage(seen=evidence(validity=Validity.INCOMPLETE, why_invalid="33% arrived")),
    "the source said no": good_stage(seen=evidence(validity=Validity.PROVIDER_ERROR, why_invalid="refused")),
    "the share is wrong": good_stage(seen=evidence(validity=Validity.SHARE_MISMATCH, why_invalid="20%")),
    "contaminated": good_stage(seen=evidence(placebo=math.log(1000))),
    "contaminated in mode Observe": good_stage(seen=evidence(placebo=8.0), reg=OBSERVE),
    "out of time": good_stage(seen=UNSURE, after=1800.0),
    "not yet out of time": good_stage(seen=UNSURE, after=1799.0),
    "out of time, revert": good_stage(seen=UNSURE, after=1800.0, reg=EASY),
    "out of time in the last stage": good_stage(seen=UNSURE, after=1800.0, stage=1),
    "out of time on arms that differ": good_stage(seen=UNSOUND, after=1800.0),
    "in time at the last moment": good_stage(after=1800.0),
    "a shared incident": good_stage(seen=evidence(shared=0.2)),
    "a shared incident in mode Observe": good_stage(seen=evidence(shared=0.2), reg=OBSERVE),
    "all as bad as it may be": good_stage(seen=evidence(shared=0.095)),
    "arms that differ": good_stage(seen=UNSOUND),
    "arms that differ in mode Observe": good_stage(seen=UNSOUND, reg=OBSERVE),
    "arms that differ, unsure": good_stage(seen=evidence(checks=(CHECK,), metrics=(metric(log_e_safe=0.2),))),
    "time moves": good_stage(reg=OBSERVE, after=300.0),
    "time moves not yet": good_stage(reg=OBSERVE, after=299.0),
    "time moves the last stage": good_stage(reg=OBSERVE, stage=1),
    "safe": good_stage(after=300.0),
    "safe but too young": good_stage(after=299.0),
    "safe in the last stage": good_stage(stage=1),
    "safe by two metrics": good_stage(
        seen=evidence(
            metrics=(
                metric(),
                metric(name="slow", gating=Gating.REVERT_ONLY),
                metric(name="errors", effect=math.nan),
            )
        )
    ),
    "unsure": good_stage(seen=UNSURE),
    "unsure as soon as it may be": good_stage(seen=UNSURE, after=300.0),
    "unsure in the last stage": good_stage(seen=UNSURE, stage=1),
    "nothing gates": good_stage(seen=evidence(metrics=())),
    "the stage contradicts": good_stage(seen=evidence(metrics=(metric(log_e_stage=-0.1),))),
    "the stage contradicts without an estimate": good_stage(
        seen=evidence(metrics=(metric(log_e_stage=-0.1, effect=math.nan),))
    ),
    "the share is not known": good_stage(
        seen=evidence(share=ShareTest(ok=None, requests=9, observed=0.0, intended=0.05))
    ),
    "nothing new": good_stage(seen=evidence(fresh=False)),
    "a stage that has not begun": good_stage(stage_since=None),
    "time that was blind": good_stage(seen=UNSURE, after=1900.0, invalid_seconds=101.0),
    "time that is blind": good_stage(seen=UNSURE, after=1900.0, invalid_since=START + 1799.0),
    "a pre-period": pre(),
    "a pre-period over": pre(after=700.0),
    "a pre-period before its stage": pre(stage_since=None),
    "a pre-period without an estimate": pre(evidence(metrics=())),
    "a pre-period of many metrics": pre(
        evidence(
            metrics=(
                metric(),
                metric(name="slow", gating=Gating.REVERT_ONLY),
                metric(name="errors", effect=math.nan),
                metric(name="cpu", effect=0.01),
            )
        )
    ),
    "a pre-period of arms that differ": pre(HARM),
    "a pre-period without a look": pre(blind=True),
    "a pre-period that is contaminated": pre(evidence(placebo=8.0)),
    "an A/A test": pre(candidate_hash="old"),
    "an A/A test over": pre(candidate_hash="old", after=600.0),
    "an A/A test over, without an estimate": pre(evidence(metrics=()), candidate_hash="old", after=600.0),
    "an A/A test of arms that differ": pre(HARM, candidate_hash="old"),
    "an A/A test that is contaminated": pre(evidence(placebo=8.0), candidate_hash="old"),
    "an A/A test of both": pre(evidence(placebo=8.0, log_harm=5.0), candidate_hash="old"),
    "an A/A test without a look": pre(blind=True, candidate_hash="old"),
    "a pre-period at its begin": pre(after=0.0),
    "a pre-period that does not end": pre(evidence(shared=0.4), after=2401.0),
    "safe to go on and not to promote": good_stage(seen=HALF_SURE, stage=1),
    "out of time after a blind while": good_stage(seen=UNSURE, after=1900.0, invalid_since=START + 1850.0),
    "out of time without a look": good_stage(blind=True, after=1900.0),
    "its turn has not come": good_stage(facts=Facts(others="cart runs"), phase=Phase.PREPARING, stage=-1),
    "others run beside a stage": facts(others="cart runs"),
    "over its headroom": good_stage(seen=OVER, after=300.0),
    "over its headroom before its time": good_stage(seen=OVER, after=299.0),
    "over its headroom at the last moment": good_stage(seen=OVER, after=1800.0),
    "over its headroom and half sure": good_stage(
        seen=replace(OVER, metrics=HALF_SURE.metrics), stage=1, after=600.0
    ),
    "everybody is worse, a probe": good_stage(reg=PROBED, seen=WORSE, shared_since=START + 200.0),
    "everybody is worse for just long enough": good_stage(
        reg=PROBED, seen=WORSE, shared_since=START + 600.0 - WAITED
    ),
    "everybody is worse, not for long": good_stage(
        reg=PROBED, seen=WORSE, shared_since=START + 601.0 - WAITED
    ),
    "everybody is worse, a second probe": good_stage(
        reg=TWICE, seen=WORSE, shared_since=START + 200.0, timeline=(*PROBE, SHIFTED)
    ),
    "everybody was worse between looks": good_stage(reg=PROBED, blind=True, shared_since=START + 200.0),
    "a probe without traffic": probe(),
    "a probe with traffic": probe(desired=Desired(weights=SHARE)),
    "a probe at its first bin": probe(after=11.0),
    "a probe at its second bin": probe(after=41.0),
    "a probe that is not on the timeline yet": probe(timeline=PROBE[:1]),
    "a probe between looks after harm": probe(blind=True, verdict=Verdict.SHARED_INCIDENT),
    "a probe that settles it": probe(evidence(probe=replace(SHOWN, p=0.2))),
    "a probe that saw too little": probe(evidence(probe=replace(SHOWN, p=1.0, effect=math.nan, seen=3))),
    "a probe that shows harm": probe(evidence(probe=SHOWN)),
    "frozen before its first weight": shifting(()),
    "frozen with its weights set": shifting((SET,)),
    "frozen with the least weight set": shifting((replace(SET, weights=Weights(1, 1)),)),
    "frozen with weights at home": shifting((replace(SET, weights=HOME),)),
    "frozen with the weights of another stage": shifting((replace(SET, stage=1),)),
    "frozen with the weights of another phase": shifting((replace(SET, phase=Phase.PROBING),)),
    "frozen in its stage": good_stage(reg=FROZEN),
    "frozen and unsure": good_stage(reg=FROZEN, seen=UNSURE),
    "frozen with the weights of a pre-period": frozen_pre(Change(START, None, SHARE, Phase.PRE_PERIOD)),
    "frozen before those of a pre-period": frozen_pre(Change(START, 0, SHARE, Phase.PRE_PERIOD)),
    "harm to one part": good_stage(seen=PART),
    "harm of a metric beside its parts": good_stage(
        seen=replace(PART, processes=(Process("latency", MetricKind.LATENCY, 380, 3.0, -1.0),))
    ),
}

PAGE = Path(__file__).with_name("decisions.txt").read_text().splitlines()
DECISIONS = {line.partition(" | ")[0]: line for line in PAGE if line}


@pytest.mark.parametrize("what", SITUATIONS)
def test_what_is_decided(what: str) -> None:
    d = decide(SITUATIONS[what])
    assert " | ".join((what, d.verdict, d.act, d.reason, d.outcome or "-", d.because)) == DECISIONS[what]


def test_the_page_holds_nothing_else() -> None:
    assert DECISIONS.keys() == SITUATIONS.keys()


def test_the_last_rule_of_all_needs_no_evidence() -> None:
    because = "the next look is not due yet"
    assert hold(good_stage(blind=True)) == Decision(Verdict.NO_DATA, Act.HOLD, Reason.BETWEEN_LOOKS, because)


def test_a_situation_is_what_it_is_made_of() -> None:
    s = good_stage()
    assert situate(s.registration, s.release, s.evidence, s.facts, s.now) == s
    assert s.stage == s.registration.stages[0]
    assert good_stage(stage=-1).stage == s.registration.stages[0]
    assert good_stage(stage=1).stage == s.registration.stages[1]
    assert [good_stage(stage=at).next_stage for at in (-1, 0, 1)] == [*s.registration.stages, None]
    assert [good_stage(stage_since=since).stage_age for since in (None, START)] == [0.0, 600.0]
