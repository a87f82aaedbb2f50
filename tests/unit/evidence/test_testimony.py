"""What the metrics say, put together: who gates, who reverts, who holds a release up."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from causal_rollouts.evidence import questions, testimony
from causal_rollouts.evidence.frame import Finding, Frame, Track
from causal_rollouts.evidence.gate_state import blank
from causal_rollouts.evidence.intake import unborn
from causal_rollouts.evidence.questions import Answer
from causal_rollouts.evidence.tables import Schedule
from causal_rollouts.evidence.testimony import Heard
from causal_rollouts.model.metrics import Gating, MetricKind
from causal_rollouts.model.reasons import Validity
from tests.unit.evidence.looks import told, watch
from tests.unit.evidence.sample_world import ERRORS, LATENCY, METRICS, SLOW, TAIL, World, make

REG = World().registration()
FRAME = Frame((), 100, (100,), 2, {}, frozenset({100, 101}), None, 109, 4)
SCHEDULE = Schedule(100, 102, 0.2)
SAFE = Finding((Track(100, -math.inf),), 0.0, -0.1, 0.1, 5.0, 5.0, 0.05, 0.1)


def heard(metric, finding=SAFE, *, validity=Validity.OK, consumed=109, **more):
    state = replace(unborn(metric, 100), consumed=consumed)
    note = "" if validity is Validity.OK else f"{metric.name} is broken"
    return Heard(metric, state, validity, note, Answer(finding, **more))


def evidence(*those, before=None):
    return testimony.testimony(REG, FRAME, SCHEDULE, before or blank("r1"), blank("r1"), those, ())


def test_neighbours_gate_where_they_can_be_seen():
    found = told(evidence(heard(LATENCY, neighbour=SAFE)), "latency/neighbours")
    assert (found.kind, found.gating) == (MetricKind.NEIGHBOUR, Gating.BOTH)
    assert found.threshold_promote == REG.budget.promote_continuous


def test_neighbours_that_cannot_be_seen_do_not_stop_every_release():
    hidden = replace(SAFE, identified=False, log_e_safe=-math.inf)
    whole = evidence(heard(LATENCY, neighbour=hidden))
    assert told(whole, "latency/neighbours").gating is Gating.REVERT_ONLY
    assert whole.safe(promote=True)


def test_neighbours_of_a_stage_that_is_too_young_do_not_contradict_it():
    young = replace(SAFE, log_e_stage=-math.inf)
    assert evidence(heard(LATENCY, neighbour=young)).contradicting() is None
    assert evidence(heard(LATENCY, young)).contradicting().name == "latency"


def test_harm_to_neighbours_is_a_process_under_its_own_name():
    harm = replace(SAFE, tracks=(Track(100, 9.0),))
    found = evidence(heard(LATENCY, neighbour=harm))
    assert found.worst.metric == "latency/neighbours"
    assert found.log_threshold == pytest.approx(math.log(100.0))
    assert found.harm


def test_counts_need_more_evidence_to_promote_than_latency():
    found = evidence(heard(LATENCY), heard(ERRORS))
    assert told(found, "errors").threshold_promote > told(found, "latency").threshold_promote


def test_an_unreachable_source_is_told_before_what_it_may_have_caused():
    those = (
        heard(LATENCY, validity=Validity.INCOMPLETE),
        heard(ERRORS, validity=Validity.PROVIDER_ERROR),
    )
    assert evidence(*those).validity is Validity.PROVIDER_ERROR
    assert evidence(those[0], heard(ERRORS)).validity is Validity.INCOMPLETE
    assert evidence(
        heard(replace(LATENCY, gating=Gating.REPORT_ONLY), validity=Validity.NO_DATA)
    ).validity is (Validity.OK)


def test_a_look_is_as_fresh_as_the_metric_that_lags_behind():
    before = replace(
        blank("r1"), metrics=tuple(replace(unborn(m, 100), consumed=107) for m in (LATENCY, ERRORS))
    )
    assert evidence(heard(LATENCY), heard(ERRORS), before=before).fresh
    assert not evidence(heard(LATENCY), heard(ERRORS, consumed=107), before=before).fresh
    assert evidence(heard(LATENCY), heard(ERRORS, consumed=107), before=before).stage_bins == 6


def test_the_common_level_shown_is_the_one_nearest_to_its_margin():
    near, far = heard(LATENCY, shared=0.09), heard(replace(LATENCY, name="other"), shared=0.02)
    found = evidence(far, near)
    assert (found.shared, found.shared_margin) == (0.09, 0.1)
    assert evidence(heard(ERRORS)).shared_incident is False


def test_the_placebo_is_the_loudest_of_all():
    found = evidence(heard(LATENCY, placebo=7.0), heard(replace(LATENCY, name="other"), placebo=1.0))
    assert found.contaminated


@pytest.mark.parametrize("order", [METRICS, METRICS[::-1]])
def test_exceedances_borrow_from_latency_in_whatever_order_metrics_are_registered(order, monkeypatch):
    lent = {}
    begin = questions.begin

    def recorded(metric, frame, history, lottery):
        lent[metric.name] = lottery
        return begin(metric, frame, history, lottery)

    monkeypatch.setattr(questions, "begin", recorded)
    run = make(
        World(stable=5, nodes=3, canaries=(1,), weights=(100,), history=46, stage_bins=4, metrics=order)
    )
    watch(run)
    assert lent["slow"] == lent["tail"]
    assert lent["slow"] is not None
    assert lent["latency"] is None


def test_exceedances_without_latency_learn_from_their_own_histogram():
    found = watch(make(World(canaries=(3,), weights=(200,), metrics=(SLOW, TAIL)))).evidence
    assert math.isfinite(told(found, "slow").effect)
