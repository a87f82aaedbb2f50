"""What a footprint does to a release: a warning, a hold where the policy asks for one, never a revert."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from causal_rollouts.decision.decide import decide
from causal_rollouts.decision.footprint_words import amount, room, statement, warnings, whole
from causal_rollouts.model.footprint import Per
from causal_rollouts.model.reasons import Act, Reason, Verdict
from causal_rollouts.model.registration import Mode, OnInconclusive
from tests.unit.decision.situations import evidence, footprint, good_stage, metric, registration

REVERTING = registration(on_inconclusive=OnInconclusive.REVERT)


def exceeding(**changes: object):
    return evidence(footprints=(footprint(waits=True, **changes),))


def test_a_warning_lets_the_release_go_on() -> None:
    assert decide(good_stage(seen=evidence(footprints=(footprint(),)))).act is Act.ADVANCE


def test_traffic_waits_where_the_policy_says_so_and_the_message_says_why() -> None:
    held = decide(good_stage(seen=exceeding()))
    assert (held.act, held.reason, held.verdict) == (Act.HOLD, Reason.OVER_HEADROOM, Verdict.INCONCLUSIVE)
    assert "cpu +50.0% (+40.0% to +60.0%) for each request" in held.because
    assert "would use 12 a second (11.2 to 12.8) at 100% where it uses 8 now" in held.because
    assert "the headroom of +30% is exceeded" in held.because


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "is exceeded"),
        ({"lower": math.log(1.2)}, "may or may not suffice"),
        ({"lower": math.log(1.0), "upper": math.log(1.2)}, "suffices"),
        ({"effect": math.nan}, "is not judged yet"),
    ],
)
def test_the_headroom_is_told_in_words(changes, says) -> None:
    assert room(footprint(**changes)) == f"the headroom of +30% {says}"


def test_what_is_not_known_is_left_out() -> None:
    bare = footprint(headroom=None, present=math.nan)
    assert (room(bare), whole(bare)) == ("", "")
    assert statement(bare) == "cpu +50.0% (+40.0% to +60.0%) for each request"
    assert statement(footprint(headroom=0.3, present=math.nan)) == (
        "cpu +50.0% (+40.0% to +60.0%) for each request; the headroom of +30% is exceeded"
    )


def test_an_estimate_above_the_headroom_is_no_evidence_yet() -> None:
    unclear = exceeding(lower=math.log(1.2))
    assert decide(good_stage(seen=unclear)).act is Act.ADVANCE


def test_a_footprint_never_reverts_not_even_when_time_is_up() -> None:
    late = decide(good_stage(seen=exceeding(), after=1801, reg=REVERTING))
    assert (late.act, late.reason) == (Act.PAUSE, Reason.OVER_HEADROOM)
    stale = decide(good_stage(seen=replace(exceeding(), fresh=False), after=1801, reg=REVERTING))
    assert stale.act is Act.PAUSE


def test_what_stands_in_the_way_beside_it_is_told_first() -> None:
    unsafe = evidence(metrics=(metric(log_e_safe=0.2),), footprints=(footprint(waits=True),))
    assert decide(good_stage(seen=unsafe)).reason is Reason.GATHERING_EVIDENCE
    assert decide(good_stage(seen=unsafe, after=1801, reg=REVERTING)).reason is Reason.OUT_OF_TIME
    assert decide(good_stage(seen=exceeding(), after=10)).reason is Reason.STAGE_TOO_YOUNG


def test_a_backend_that_everybody_feels_is_looked_into_first() -> None:
    felt = evidence(shared=1.0, footprints=(footprint(waits=True),))
    assert decide(good_stage(seen=felt)).reason is Reason.SHARED_INCIDENT


def test_harm_reverts_whatever_the_footprint() -> None:
    harmful = evidence(log_harm=5.0, footprints=(footprint(waits=True),))
    assert decide(good_stage(seen=harmful)).act is Act.REVERT


def test_observe_mode_only_tells() -> None:
    assert decide(good_stage(seen=exceeding(), reg=registration(mode=Mode.OBSERVE))).act is Act.ADVANCE


def test_each_warning_names_its_reason() -> None:
    grew, over = footprint(headroom=None), footprint(name="calls")
    found = list(
        warnings(evidence(footprints=(grew, over, footprint(name="quiet", log_e=1.0, headroom=1.0))))
    )
    assert [(key, reason) for key, reason, _ in found] == [
        ("cpu/FootprintGrew", Reason.FOOTPRINT_GREW),
        ("calls/OverHeadroom", Reason.OVER_HEADROOM),
    ]
    assert "headroom" not in found[0][2]


def test_a_gauge_is_told_in_pods() -> None:
    told = statement(footprint(name="memory", per=Per.POD, present=8e9))
    assert "for each pod at equal load" in told
    assert "would use 12G (11.2G to 12.8G) at 100% where it uses 8G now" in told
    assert statement(footprint(effect=math.nan)) == "cpu: no estimate yet"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.09, "12.1"),
        (1000.0, "1k"),
        (3.2e9, "3.2G"),
        (0.45, "450m"),
        (0.0, "0"),
        (math.nan, "unknown"),
        (2e-9, "0.002u"),
    ],
)
def test_amounts_have_three_digits(value: float, text: str) -> None:
    assert amount(value) == text
