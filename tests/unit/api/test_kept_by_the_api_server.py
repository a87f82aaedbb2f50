"""Values as they come back from the API server: without nulls, and whole floats as integers."""

import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_rollouts.api.plain import from_plain
from causal_rollouts.api.status_schema import CONDITION
from causal_rollouts.control.rest import Rest
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.metrics import Gating, Margins, Matcher, Metric, MetricKind
from causal_rollouts.model.reasons import Outcome, Phase, Reason, Validity, Verdict
from causal_rollouts.model.registration import (
    ArmsPlan,
    Budget,
    Mode,
    OnInconclusive,
    Registration,
    Stage,
    Times,
)
from causal_rollouts.model.release import Release, Templates
from causal_rollouts.model.trace import Point
from causal_rollouts.model.traffic import TrafficPlan
from causal_rollouts.ports import LoggedDecision
from tests.unit.api.schemas import fits
from tests.unit.api.test_plain import RELEASE, through_json

TEXT = st.text(max_size=8)
NUMBER = st.floats(0, 1e6) | st.integers(0, 1000).map(float)
MATCHERS = st.lists(st.builds(Matcher, st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple)), max_size=2)
METRIC = st.builds(
    Metric,
    TEXT,
    st.sampled_from(MetricKind),
    TEXT,
    st.builds(Margins, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER),
    st.sampled_from(Gating),
    of=TEXT,
    over=NUMBER,
    share=NUMBER,
    bad=MATCHERS.map(tuple),
    ignore=MATCHERS.map(tuple),
)
REGISTRATION = st.builds(
    Registration,
    release=TEXT,
    namespace=TEXT,
    target=TEXT,
    seed=st.integers(0, 2**53),
    grid=st.builds(Grid, NUMBER, NUMBER, NUMBER),
    stages=st.lists(st.builds(Stage, st.integers(10, 700), NUMBER, NUMBER), max_size=3).map(tuple),
    metrics=st.lists(METRIC, max_size=3).map(tuple),
    arms=st.builds(ArmsPlan, st.integers(1, 20), NUMBER, st.integers(10, 400)),
    budget=st.builds(
        Budget,
        alpha=NUMBER,
        kinds=st.lists(st.tuples(st.sampled_from(MetricKind), NUMBER), max_size=6).map(tuple),
        first_window=NUMBER,
    ),
    times=st.builds(Times, history=NUMBER, warm_up=st.integers(0, 40)),
    min_completeness=NUMBER,
    mode=st.sampled_from(Mode),
    on_inconclusive=st.sampled_from(OnInconclusive),
    traffic=st.builds(TrafficPlan, TEXT, st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple), TEXT),
)


def kept(value: Any) -> Any:
    """Nulls of objects go; 5.0 is stored as 5."""
    if isinstance(value, dict):
        return {name: kept(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [kept(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and value != 0:
        return int(value)
    return value


@given(REGISTRATION)
def test_a_registration_is_read_back_as_it_was(registration: Registration):
    read = from_plain(Registration, kept(through_json(registration)))
    assert read == registration
    assert repr(read) == repr(registration), "a number changed its type"


@given(RELEASE)
def test_a_release_is_read_back_as_it_was(release: Release):
    read = from_plain(Release, kept(through_json(release)))
    assert read == release


def parts(kind: Any, seen: set[type]) -> set[type]:
    """Every dataclass that a record can hold."""
    for inner in (*typing.get_args(kind), kind):
        if is_dataclass(inner) and isinstance(inner, type) and inner not in seen:
            seen.add(inner)
            for hint in typing.get_type_hints(inner).values():
                parts(hint, seen)
        elif inner is not kind:
            parts(inner, seen)
    return seen


RECORDED = sorted(
    set().union(*(parts(kind, set()) for kind in (Registration, Release, Templates, LoggedDecision, Point))),
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", RECORDED, ids=lambda kind: kind.__name__)
def test_a_field_that_may_be_nothing_is_nothing_by_default(kind: type):
    """Else a null that the API server dropped would come back as the default."""
    hints = typing.get_type_hints(kind)
    for field in fields(kind):
        nullable = isinstance(hints[field.name], types.UnionType) and type(None) in typing.get_args(
            hints[field.name]
        )
        assert not nullable or field.default in {MISSING, None}, field.name


@pytest.mark.parametrize("words", [Reason, Outcome, Rest, Validity, Verdict, Phase])
def test_every_word_of_ours_can_be_the_reason_of_a_condition(words: type[StrEnum]):
    schema = CONDITION["properties"]["reason"]  # type: ignore[index]
    assert [word for word in words if fits(schema, str(word))] == []
