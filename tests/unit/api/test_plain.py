from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_rollouts.api.plain import NotPlain, camel, from_plain, to_plain
from causal_rollouts.model.arms import Arm, Pod, Slot
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Verdict
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.release import Desired, PlannedSlot, Release, Templates
from causal_rollouts.model.trace import Point, Reading
from causal_rollouts.model.traffic import Change, Weights
from causal_rollouts.ports import LoggedDecision
from tests.unit.api.specs import resolved

TEXT = st.text(max_size=12)
FLOAT = st.floats(allow_nan=False)
TIME = st.floats(0, 4e9)
WEIGHTS = st.integers(0, 500).flatmap(
    lambda canary: st.builds(Weights, st.just(canary), st.integers(0, 1000 - canary))
)
SLOT = st.builds(Slot, st.sampled_from([Arm.CANARY, Arm.BASELINE]), st.integers(0, 99))
POD = st.builds(
    Pod, TEXT, TEXT, st.sampled_from(Arm), TEXT, TEXT, TEXT, TIME, st.none() | TIME, st.none() | TIME
)
CHANGE = st.builds(Change, TIME, st.none() | st.integers(0, 9), WEIGHTS, st.sampled_from(["", *Phase]))
DESIRED = st.builds(
    Desired,
    WEIGHTS,
    st.lists(st.builds(PlannedSlot, SLOT, TEXT), max_size=3).map(tuple),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
RELEASE = st.builds(
    Release,
    id=TEXT,
    candidate_hash=TEXT,
    stable_hash=TEXT,
    stable_set=TEXT,
    phase=st.sampled_from(Phase),
    since=TIME,
    stage=st.integers(-1, 9),
    stage_since=st.none() | TIME,
    invalid_since=st.none() | TIME,
    desired=DESIRED,
    timeline=st.lists(CHANGE, max_size=3).map(tuple),
    pods=st.lists(POD, max_size=3).map(tuple),
    resume=st.none() | st.sampled_from(Phase),
    outcome=st.none() | st.sampled_from(Outcome),
    look=st.none() | st.integers(0, 10**9),
    verdict=st.none() | st.sampled_from(Verdict),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | FLOAT.filter(math.isfinite) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=4)


def through_json(value: object) -> object:
    """As the API server keeps it: JSON without words like NaN."""
    return json.loads(json.dumps(to_plain(value), allow_nan=False))


@given(RELEASE)
def test_a_release_reads_back_as_it_was(release: Release):
    assert from_plain(Release, through_json(release)) == release


@given(RELEASE)
def test_a_release_reads_back_when_the_api_server_dropped_its_nulls(release: Release):
    assert from_plain(Release, without_nulls(through_json(release))) == release


def without_nulls(value: object) -> object:
    match value:
        case dict():
            return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
        case list():
            return [without_nulls(inner) for inner in value]
    return value


@given(st.builds(Templates, OBJECT, OBJECT))
def test_templates_read_back_untouched(templates: Templates):
    assert from_plain(Templates, through_json(templates)) == templates


@given(
    st.builds(
        LoggedDecision,
        time=TIME,
        seq=st.integers(0, 2**40),
        decision=st.builds(
            Decision,
            st.sampled_from(Verdict),
            st.sampled_from(Act),
            st.sampled_from(Reason),
            TEXT,
            st.none() | st.sampled_from(Outcome),
        ),
        stage=st.integers(-1, 9),
        weight=st.integers(0, 1000),
        evidence=OBJECT,
    )
)
def test_a_decision_reads_back_as_it_was(line: LoggedDecision):
    assert from_plain(LoggedDecision, through_json(line)) == line


def test_a_registration_reads_back_as_it_was():
    registration = resolved().registration
    assert from_plain(Registration, through_json(registration)) == registration


@given(st.floats())
def test_every_number_reads_back_bit_for_bit(number: float):
    point = Point(0.0, 0, 0, number, "Safe", (Reading("m", number, number, number, number, number),))
    read = from_plain(Point, through_json(point))
    for found in (read.log_harm, read.readings[0].upper):
        assert (
            math.isnan(found)
            if math.isnan(number)
            else (found == number and math.copysign(1, found) == math.copysign(1, number))
        )


def test_keys_are_camel_case_and_enums_are_words():
    assert to_plain(Decision(Verdict.NO_DATA, Act.HOLD, Reason.NO_DATA, "why")) == {
        "verdict": "NoData",
        "act": "Hold",
        "reason": "NoData",
        "because": "why",
        "outcome": None,
        "awaits": None,
    }
    assert camel("log_e_harm") == "logEHarm"
    assert to_plain({"left_alone": 1}) == {"left_alone": 1}, (
        "keys of a user's own object are not ours to change"
    )


@dataclass(frozen=True, slots=True)
class Sample:
    count: int
    share: float
    slot: Slot
    pair: tuple[int, str]
    maybe: Slot | None = None
    named: Mapping[str, Slot] | None = None


GOOD = {"count": 1, "share": 2, "slot": {"arm": "canary", "ordinal": 0}, "pair": [1, "a"]}


def test_absent_keys_take_their_defaults_and_unknown_ones_are_ignored():
    read = from_plain(Sample, {**GOOD, "later": True})
    assert read == Sample(1, 2.0, Slot(Arm.CANARY, 0), (1, "a"))
    assert isinstance(read.share, float)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"count": "1"}, "Sample.count: expected int"),
        ({"count": True}, "Sample.count: expected int"),
        ({"count": 1.5}, "Sample.count: expected int"),
        ({"share": "much"}, "Sample.share: expected float"),
        ({"slot": {"arm": "blue", "ordinal": 0}}, "Sample.slot.arm: 'blue' is none of stable, baseline"),
        ({"slot": {"arm": "canary"}}, "Sample.slot"),
        ({"slot": []}, "Sample.slot: expected an object"),
        ({"pair": [1]}, "Sample.pair: expected 2 items"),
        ({"pair": "1a"}, "Sample.pair: expected a list"),
        ({"named": {"x": {"arm": "canary"}}}, "Sample.named.x"),
    ],
)
def test_another_shape_is_told_with_its_place(change: dict[str, object], where: str):
    with pytest.raises(NotPlain) as caught:
        from_plain(Sample, {**GOOD, **change})
    assert where in str(caught.value)


def test_weights_that_cannot_be_are_not_read():
    with pytest.raises(NotPlain, match="Weights: weights 900/900"):
        from_plain(Weights, {"canary": 900, "baseline": 900})
