"""A second opinion on recordings whose truth is known: what it says, and what it refuses to say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from causal_rollouts.analysis.opinion import Kind, Question
from causal_rollouts.analysis.panel import design_of, panel_of
from causal_rollouts.analysis.release_contrast import as_drawn
from causal_rollouts.analysis.rows import BadRecording
from causal_rollouts.analysis.second_opinion import second_opinion
from causal_rollouts.analysis.simulate import simulate
from causal_rollouts.analysis.swap import swapped
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.traffic import HOME, Change
from tests.unit.analysis.recordings import SETTING, recorded, struck


def of(recording, metric="latency", question=Question.RELEASE):
    """What is said of one metric and question, by the first words of the method, and what is not."""
    found = next(m for m in second_opinion(recording).metrics if m.metric == metric)
    said = {one.method.split(",")[0].split(" (")[0]: one for one in found.said if one.question is question}
    return said, {one.method: one.why for one in found.absent if one.question is question}


def test_a_slow_release_is_found_slow_by_as_much_as_it_is():
    said, _ = of(recorded(slower=0.2))
    levels = said["difference of slot levels"]
    assert levels.lower < math.log(1.2) < levels.upper
    assert levels.p < 0.01
    assert said["event study of levels"].spans[0].lower > 0


def test_failing_requests_are_found_in_points_and_weighed_against_an_unseen_cause():
    said, _ = of(recorded(errors=0.01), "errors")
    levels = said["difference of slot levels"]
    assert levels.lower < 0.01 < levels.upper
    assert levels.lower > 0
    assert (
        "E-value" in said["E-value of the rate ratio"].note
        or "E-value" in said["E-value of the rate ratio"].method
    )


def test_a_harmless_release_keeps_zero_inside_and_so_does_an_outage_of_all():
    for recording in (recorded(), struck()):
        for metric in ("latency", "errors"):
            for question, method in (
                (Question.RELEASE, "difference of slot levels"),
                (Question.NEIGHBOURS, "change scores"),
            ):
                one = of(recording, metric, question)[0][method]
                assert one.lower < 0 < one.upper
                assert one.p > 0.02


def test_exchanging_the_labels_changes_the_sign_and_nothing_else():
    plain, other = (
        of(r)[0]["difference of slot levels"] for r in (recorded(slower=0.2), swapped(recorded(slower=0.2)))
    )
    assert other.effect == pytest.approx(-plain.effect, abs=1e-9)
    assert other.upper - other.lower == pytest.approx(plain.upper - plain.lower, abs=1e-9)


def test_the_exact_test_counts_the_assignments_to_the_same_places():
    said, _ = of(recorded(slower=0.2))
    exact = said["randomisation test"]
    assert exact.kind is Kind.EXACT
    # One canary and one baseline node in each of three zones: two ways in each.
    assert exact.p == pytest.approx(1 / 8)
    assert exact.note.startswith("8 assignments")


def test_a_draw_that_the_seed_does_not_repeat_gives_no_exact_test():
    recording = recorded(slower=0.2)
    assert as_drawn(design_of(recording))
    other = replace(recording, run=replace(recording.run, seed=recording.run.seed + 1))
    said, absent = of(other)
    assert "randomisation test" not in said
    assert "seed" in absent["randomisation test"]


def test_a_slot_that_was_never_measured_gives_no_exact_test():
    recording = recorded()
    lost = next(pod.name for pod in recording.pods if pod.arm is Arm.CANARY)
    blind = replace(recording, series=tuple(s for s in recording.series if s.labels.get("pod") != lost))
    _, absent = of(blind)
    assert "losing it may be an effect" in absent["randomisation test"]


def test_what_fresh_slots_cannot_show_is_named_and_not_computed():
    said, absent = of(recorded())
    for method in ("change scores", "pre-trend", "imputation over stages", "breakdown Mbar"):
        assert method not in said
        assert "before the release" in absent[method]


def test_neighbours_have_a_past_and_all_that_comes_with_it():
    said, absent = of(recorded(), question=Question.NEIGHBOURS)
    assert set(said) == {
        "change scores",
        "co-location permutation test",
        "direct: canaries",
        "neighbours on the node",
        "neighbours in the zone alone",
        "pure",
        "event study",
        "pre-trend",
        "breakdown Mbar",
        "imputation",
    }
    assert set(absent) == {"zone as ring"}
    spans = said["event study"].spans
    assert min(span.begin for span in spans) < 0 <= max(span.begin for span in spans)


def test_harm_to_neighbours_is_found_beside_the_canaries_and_not_in_them():
    """Every stable pod beside a canary becomes 30% slower; canary and baseline do not."""
    recording = recorded()
    design = design_of(recording)
    panel = panel_of(design, design.reg.metrics[0])
    there = np.isfinite(panel.nodes.start)
    assert there.any()
    assert not there.all()
    worse = simulate(replace(SETTING, harm=replace(SETTING.harm, neighbours=math.log(1.3))), 3)
    said, _ = of(worse, question=Question.NEIGHBOURS)
    for method in ("change scores", "imputation"):
        assert said[method].lower < math.log(1.3) < said[method].upper
        assert said[method].lower > 0
    # One of two nodes in each of three zones holds a canary.
    assert said["co-location permutation test"].p == pytest.approx(1 / 8)
    own = of(worse)[0]["difference of slot levels"]
    assert own.lower < 0 < own.upper


def test_metrics_without_an_outcome_per_slot_are_left_out():
    assert [m.metric for m in second_opinion(recorded()).metrics] == ["latency", "errors"]


def test_nothing_after_the_weights_went_home_counts():
    recording = recorded()
    last = recording.timeline[-1]
    cut = replace(recording, timeline=(*recording.timeline, Change(last.time + 120.0, None, HOME)))
    whole, short = second_opinion(recording), second_opinion(cut)
    assert short.begin == whole.begin
    assert short.end <= last.time + 120.0 < whole.end


def test_a_recording_without_a_stage_is_told_so():
    recording = recorded()
    late = replace(recording, timeline=(Change(recording.timeline[-1].time + 1e6, 0, HOME),))
    with pytest.raises(BadRecording):
        second_opinion(late)


def test_a_metric_without_series_says_why():
    recording = recorded()
    silent = replace(
        recording, series=tuple(s for s in recording.series if "bucket" not in s.labels["__name__"])
    )
    said, absent = of(silent)
    assert not said
    assert absent["everything"]


def test_on_three_nodes_both_arms_share_every_place():
    """No node stays pure, no other draw is possible; what is left is the effect on the same node."""
    recording = simulate(replace(SETTING, nodes=3, harm=replace(SETTING.harm, slower=math.log(1.3))), 3)
    said, absent = of(recording)
    levels = said["difference of slot levels"]
    assert levels.lower < math.log(1.3) < levels.upper
    assert "same-node effect only" in absent["exposure classes"]
    assert "no other draw" in absent["randomisation test"]
    assert "every node" in of(recording, question=Question.NEIGHBOURS)[1]["everything"]
