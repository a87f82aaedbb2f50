"""What `plan` says follows from the fleet, the policy and the gate's own thresholds, and moves as they do."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from causal_rollouts.analysis.closed_loop import Case
from causal_rollouts.analysis.past import recorded_past
from causal_rollouts.analysis.plan import plan
from causal_rollouts.analysis.plan_design import Design
from causal_rollouts.analysis.plan_form import plain
from causal_rollouts.analysis.plan_knobs import ENOUGH
from causal_rollouts.analysis.plan_ladder import climb, draw, walk
from causal_rollouts.analysis.plan_outlook import Track, learn
from causal_rollouts.decision.allocation import allocate
from causal_rollouts.evidence import budget, questions
from causal_rollouts.evidence.exceedances import ExceedanceState
from causal_rollouts.model.metrics import Gating, MetricKind
from causal_rollouts.model.switchback import Switchback
from tests.unit.analysis.pasts import long_past, registration, simulated_past, small_recording


@cache
def usual():
    return plan(registration(), long_past())


def only(name, **changes):
    """The registration with one metric."""
    reg = registration(**changes)
    return replace(reg, metrics=tuple(m for m in reg.metrics if m.name == name))


def level(reg, name="latency"):
    return next(m for m in plan(reg, long_past()).metrics if m.name == name)


def test_slots_and_weights_are_those_of_the_allocation():
    reg = registration()
    rungs = allocate(reg.stages, reg.arms, 16)
    found = usual()
    assert [(s.canaries, s.baselines) for s in found.stages] == [(r.canaries, r.baselines) for r in rungs]
    assert [s.weight for s in found.stages] == [10.0, 30.0]
    assert all(s.pure >= 2 for s in found.stages)


def test_shares_of_the_budget_are_the_gates():
    shares = budget.shares(registration())
    first = registration().budget.first_window
    found = {m.name: m for m in usual().metrics}
    assert found["latency"].share == pytest.approx(shares["latency", MetricKind.LATENCY] * first)
    assert found["restarts"].share == pytest.approx(shares["restarts", MetricKind.RESTARTS])
    assert found["errors"].threshold == pytest.approx(-math.log(0.01 * found["errors"].share))


def test_every_release_ends_in_one_way():
    found = usual()
    assert found.promoted + found.paused + found.reverted == pytest.approx(1.0)
    for metric in found.metrics:
        for fate in metric.fates:
            assert fate.reverted + fate.paused + fate.promoted == pytest.approx(1.0)


def test_a_quiet_service_promotes_what_changes_nothing_and_reverts_great_harm():
    found = usual()
    assert found.promoted > 0.8
    assert found.reverted < 0.01
    assert found.minutes is not None
    assert found.minutes[0] >= sum(s.min_minutes for s in found.stages)
    great = {m.name: m.fates[1] for m in found.metrics}
    assert great["latency"].reverted > 0.95
    assert great["errors"].reverted > 0.95
    assert great["latency"].promoted < 0.01


def test_what_half_catch_is_less_than_what_nearly_all_catch_and_time_helps():
    for metric in usual().metrics:
        assert all(one.half < one.almost for one in metric.stages)
        assert metric.stages[1].half <= metric.stages[0].half


def test_pod_lottery_bounds_the_noise_of_latency_from_below():
    reg, past = only("latency"), long_past()
    design = Design.of(reg, past)
    (learned,) = learn(design, reg.metrics)
    first = allocate(reg.stages, reg.arms, 16)[0]
    least = math.sqrt(learned.engine.components.sig_p2 * (1 / first.canaries + 1 / first.baselines))
    sd = usual().metrics[0].stages[0].sd
    assert least < sd < 3 * least


def test_more_pods_catch_less_harm_and_a_smaller_budget_more():
    arms = registration().arms
    many = level(only("latency", arms=replace(arms, min_pods=6)))
    few = level(only("latency"))
    assert many.stages[0].sd < few.stages[0].sd
    assert many.stages[0].almost < few.stages[0].almost
    strict = level(replace(only("latency"), budget=replace(registration().budget, alpha=1e-4)))
    assert strict.stages[0].half > few.stages[0].half


@pytest.mark.parametrize("name", ["errors", "slow"])
def test_the_fewest_events_that_revert_are_the_gates_own(name):
    """So many events in quiet bins spend the budget in the engine itself, one less does not."""
    reg, past = registration(), long_past()
    design = Design.of(reg, past).risen(past.last + 1)
    learned = next(one for one in learn(design, reg.metrics) if one.metric.name == name)
    frame = design.frame(design.glances(4)[-1].bin)
    (outlook,) = Track.of(learned, design.t0).to(design, frame).glance(reg, frame)

    def spent(events):
        rate = events / outlook.expected[0]
        over = learned.engine.edge if isinstance(learned.engine, ExceedanceState) else 0.0
        bins = design.quiet(learned.past, frame, design.t0, rate, over)
        engine = questions.absorb(learned.engine, frame, bins)
        finding = questions.ask(learned.metric, engine, frame, learned.phi).finding
        metric = learned.metric
        return budget.spent(budget.processes(reg, frame, metric, metric.kind, metric.name, finding))

    needed = int(outlook.needed[0])
    assert needed > outlook.expected[0]
    assert spent(needed) >= math.log(100.0) - 0.05
    assert spent(needed - 1) < math.log(100.0) + 0.05


def test_a_metric_that_only_reports_reverts_nothing_and_blocks_nothing():
    reg = registration()
    mute = tuple(replace(m, gating=Gating.REPORT_ONLY) if m.name == "errors" else m for m in reg.metrics)
    found = plan(replace(reg, metrics=mute), long_past())
    errors = next(m for m in found.metrics if m.name == "errors")
    assert not errors.fates
    assert errors.threshold is None
    assert not [one for one in found.shortfalls if one.name == "errors"]


def test_without_a_gating_metric_nothing_is_promoted():
    reg = registration()
    lame = tuple(replace(m, gating=Gating.REVERT_ONLY) for m in reg.metrics)
    assert plan(replace(reg, metrics=lame), long_past()).promoted == 0.0


def test_what_is_out_of_reach_is_said_with_the_knobs_that_reach_it():
    reg = only("latency")
    narrow = tuple(replace(m, margins=replace(m.margins, promote_below=0.06)) for m in reg.metrics)
    found = plan(replace(reg, metrics=narrow), long_past())
    assert found.promoted < ENOUGH
    missing = next(one for one in found.shortfalls if one.promotion and one.name == "latency")
    reached = {turn.setting: turn for turn in missing.turns if turn.reached}
    assert "metrics[latency].promoteBelow" in reached
    assert reached["metrics[latency].promoteBelow"].share >= ENOUGH
    waiting = next(turn for turn in missing.turns if turn.setting == "stages[].maxDuration")
    pods = next(turn for turn in missing.turns if turn.setting == "arms.minPods")
    assert pods.share > waiting.share


def test_the_knob_that_is_said_to_be_enough_is_enough_when_it_is_turned():
    reg = only("latency")
    narrow = tuple(replace(m, margins=replace(m.margins, promote_below=0.06)) for m in reg.metrics)
    found = plan(replace(reg, metrics=narrow), long_past())
    missing = next(one for one in found.shortfalls if one.promotion and one.name == "latency")
    (turn,) = [t for t in missing.turns if t.setting.endswith("promoteBelow")]
    wide = float(turn.value.rstrip("%")) / 100.0
    wider = tuple(replace(m, margins=replace(m.margins, promote_below=wide)) for m in narrow)
    after = plan(replace(reg, metrics=wider), long_past())
    assert not [one for one in after.shortfalls if one.promotion and one.name == "latency"]


def test_a_small_fleet_is_told_what_it_cannot_do():
    reg = registration()
    found = plan(reg, recorded_past(reg, small_recording(4)))
    assert found.pods == 4
    assert found.shortfalls
    assert found.promoted < usual().promoted


@pytest.mark.parametrize("seed", [90_000, 90_003])
def test_hardly_any_events_are_not_taken_for_false_reverts(seed):
    """A control of one event or none has no log rate; its luck must not be counted as if it had."""
    reg, past = simulated_past(Case("low-traffic", seed).setting(), seed)
    assert plan(reg, past).reverted <= 0.01


def test_the_same_past_gives_the_same_plan():
    assert plan(registration(), long_past()) == usual()


def test_a_walk_of_an_effect_between_safe_and_caught_pauses():
    reg = only("latency")
    design = Design.of(reg, long_past())
    ladder = climb(design, learn(design, reg.metrics), 4, 0)
    reaches = draw(ladder.outlooks, 400, 0)
    middle = walk(ladder, reaches, {"latency": math.log1p(0.09)})
    assert middle.paused.mean() > 0.5
    longest = sum(s.max_duration for s in reg.stages) + 4 * reg.grid.width
    assert (middle.seconds <= longest + 120.0).all()
    assert np.isfinite(middle.seconds).all()


def test_a_pre_period_takes_the_nodes_share_off_and_minutes_besides_the_stages_are_told():
    reg = registration()
    longer = replace(reg, arms=replace(reg.arms, pre_period=600.0), probe=Switchback())
    with_one, without = level(longer).stages, level(reg).stages
    assert all(one.sd < other.sd for one, other in zip(with_one, without, strict=True))
    told = plan(longer, long_past())
    assert told.pre_period_minutes == plain(told)["prePeriodMinutes"] == 10.0
    assert told.probe_minutes == plain(told)["probeMinutes"] == 108 * reg.grid.width / 60.0
    assert usual().pre_period_minutes == usual().probe_minutes == 0.0
