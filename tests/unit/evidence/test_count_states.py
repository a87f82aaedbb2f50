"""A state is the same bits however its bins arrived, also through the record's bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causal_rollouts.evidence import errors, exceedances, restarts
from causal_rollouts.evidence.codec import Codec
from causal_rollouts.evidence.count_history import CountHistory
from causal_rollouts.evidence.counts import Counts, CountWindow
from causal_rollouts.evidence.frame import Lottery
from causal_rollouts.model.metrics import Gating, Margins, Metric, MetricKind
from tests.unit.evidence.count_world import (
    T0,
    Fleet,
    Plan,
    cut,
    errors_of,
    latencies_of,
    plan_of,
    restarts_of,
)

CODEC = Codec(
    (
        CountHistory,
        CountWindow,
        Counts,
        errors.ErrorState,
        errors.FreshWindow,
        exceedances.ExceedanceState,
        restarts.RestartState,
    )
)
TAIL = Metric("tail", MetricKind.TAIL, "x", Margins(0.5, 1.5), Gating.REVERT_ONLY)
FLEET = Fleet(stable=10, nodes=5, grows=(3, 4), stage_bins=24, history=60, missing=0.05, drift_sd=0.05)


def world(kind: str) -> tuple[Plan, object, object, object]:
    rng = np.random.default_rng(50)
    plan = plan_of(FLEET, rng)
    if kind == "errors":
        return plan, errors_of(plan, rng), errors.begin, errors.absorb
    if kind == "restarts":
        return (
            plan,
            restarts_of(plan, rng, per_hour=1.0, canary_per_hour=2.0),
            restarts.begin,
            restarts.absorb,
        )
    lottery = Lottery(1e-4, 6.0, 1e-4, 0.9, 9.0)

    def begin(frame, history):
        return exceedances.begin(frame, history, TAIL, lottery)

    return plan, latencies_of(plan, rng), begin, exceedances.absorb


WORLDS = {kind: world(kind) for kind in ("errors", "exceedances", "restarts")}
LAST = T0 + 47


def carried(kind: str, stops: list[int]) -> bytes:
    """The state after all bins, consumed up to each stop in turn, encoded in between."""
    plan, table, begin, absorb = WORLDS[kind]
    frame = {"excluded": frozenset({T0 + 24, T0 + 25}), "until_stable": T0 + 40}
    state = begin(plan.frame(T0 - 1), cut(table, plan.first, T0))
    consumed = T0
    for stop in stops:
        state = CODEC.decode(
            CODEC.encode(absorb(state, plan.frame(stop, **frame), cut(table, consumed, stop + 1)))
        )
        consumed = stop + 1
    return CODEC.encode(state)


@pytest.mark.parametrize("kind", WORLDS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=st.sets(st.integers(T0, LAST - 1), max_size=12))
def test_how_bins_are_split_over_looks_does_not_matter(kind, stops):
    assert carried(kind, [*sorted(stops), LAST]) == carried(kind, [LAST])


@pytest.mark.parametrize("kind", WORLDS)
def test_bins_that_come_twice_are_consumed_once(kind):
    plan, table, begin, absorb = WORLDS[kind]
    state = begin(plan.frame(T0 - 1), cut(table, plan.first, T0))
    once = absorb(state, plan.frame(T0 + 20), cut(table, T0, T0 + 21))
    again = absorb(once, plan.frame(T0 + 22), cut(table, T0, T0 + 23))
    straight = absorb(state, plan.frame(T0 + 22), cut(table, T0, T0 + 23))
    assert CODEC.encode(again) == CODEC.encode(straight)


@pytest.mark.parametrize("kind", WORLDS)
def test_a_look_before_the_first_stage_asks_nothing_and_breaks_nothing(kind):
    plan, table, begin, absorb = WORLDS[kind]
    early = plan.frame(T0 - 10)
    early = type(early)(
        units=early.units,
        t0=None,
        windows=(),
        planned=2,
        exposed={},
        excluded=frozenset(),
        until_stable=None,
        now=T0 - 10,
        warm_up=4,
    )
    state = absorb(begin(early, cut(table, plan.first, T0 - 9)), early, cut(table, T0 - 12, T0 - 9))
    metric = {"errors": MetricKind.ERRORS, "restarts": MetricKind.RESTARTS}.get(kind, MetricKind.TAIL)
    question = Metric("m", metric, "x", Margins(0.25, 0.5), Gating.BOTH)
    finding = (
        errors.judge(state, early, question, None)
        if kind == "errors"
        else (exceedances if kind == "exceedances" else restarts).judge(state, early, question)
    )
    assert finding.tracks == ()


def test_three_stages_of_sixty_slots_fit_the_record():
    fleet = Fleet(stable=40, nodes=16, grows=(10, 20, 30))
    rng = np.random.default_rng(51)
    plan = plan_of(fleet, rng)
    last = plan.looks[-1]
    sizes = {}
    for kind, table, begin, absorb in (
        ("errors", errors_of(plan, rng), errors.begin, errors.absorb),
        (
            "restarts",
            restarts_of(plan, rng, per_hour=0.1, canary_per_hour=0),
            restarts.begin,
            restarts.absorb,
        ),
        (
            "tail",
            latencies_of(plan, rng),
            lambda frame, history: exceedances.begin(frame, history, TAIL, None),
            exceedances.absorb,
        ),
    ):
        state = begin(plan.frame(T0 - 1), cut(table, plan.first, T0))
        sizes[kind] = len(CODEC.encode(absorb(state, plan.frame(last), cut(table, T0, last + 1))))
    assert sizes["errors"] < 6000, sizes
    assert sizes["tail"] < 3500, sizes
    assert sizes["restarts"] < 2000, sizes
