"""Interference in a second opinion: load taken off, rings, rises of weight, and everybody at once."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from causal_rollouts.analysis.everybody import of_everybody
from causal_rollouts.analysis.load_standardised import load_slope, without_load
from causal_rollouts.analysis.opinion import Absent, Kind, Question
from causal_rollouts.analysis.panel import Design, Panel, design_of, panel_of
from causal_rollouts.analysis.ramp import TEST, of_ramp
from causal_rollouts.analysis.reference import reference_level
from causal_rollouts.analysis.rings import rings
from causal_rollouts.analysis.rows import BadRecording
from causal_rollouts.model.arms import Arm
from causal_rollouts.stats.change_scores import levels
from tests.unit.analysis.recordings import recorded


@pytest.fixture(scope="module")
def seen() -> tuple[Design, Panel]:
    """A harmless release in six nodes of three zones, 10% and then 30% of the traffic."""
    design = design_of(recorded())
    panel = panel_of(design, design.reg.metrics[0])
    assert isinstance(panel, Panel)
    return design, panel


def crowded(panel: Panel, slope: float, factor: float, sd: float = 0.3, seed: int = 0) -> Panel:
    """The same, had latency risen with load by `slope`, and canary pods got `factor` times the requests."""
    rng = np.random.default_rng(seed)
    swing = sd * np.convolve(rng.standard_normal(panel.slots.y.shape[1]), np.ones(25) / 5, mode="same")
    service = replace(
        panel.service, load=panel.service.load * np.exp(swing), stable=panel.service.stable + slope * swing
    )
    canary = panel.slots.canary[:, None]
    slots = replace(
        panel.slots,
        w=panel.slots.w * np.where(canary, factor, 1.0),
        y=panel.slots.y + slope * math.log(factor) * canary,
    )
    return replace(panel, service=service, slots=slots)


def test_load_that_the_canary_had_more_of_is_taken_off_and_widens_the_interval(seen):
    _, panel = seen
    worlds = (panel, crowded(panel, 0.5, 1.3), crowded(panel, 0.5, 1.3, sd=0.02))
    plain, ours, vague = (without_load(p, levels(p.slots.y, p.slots.w)) for p in worlds)
    slopes = [load_slope(crowded(panel, 0.5, 1.3, seed=seed)).estimate for seed in range(20)]
    assert np.mean(slopes) == pytest.approx(0.5, abs=0.03)
    assert ours.kind is Kind.MODEL
    assert ours.effect == pytest.approx(plain.effect, abs=0.04)
    assert vague.upper - vague.lower > ours.upper - ours.lower
    assert "served 1.3" in ours.note
    assert "plain +1" in ours.note


def test_a_fleet_whose_load_never_moved_teaches_no_slope(seen):
    _, panel = seen
    flat = replace(panel, service=replace(panel.service, load=np.full_like(panel.service.load, 100.0)))
    assert isinstance(without_load(flat, levels(flat.slots.y, flat.slots.w)), Absent)


def test_effects_of_the_same_slots_agree_where_nothing_grows(seen):
    said = {one.method: one for one in of_ramp(*seen)}
    change = said["effect at 30% less that at 10%"]
    assert change.lower < 0 < change.upper
    assert said[TEST].kind is Kind.EXACT
    assert said[TEST].p > 0.25


def test_an_effect_that_grows_with_the_share_gives_the_smallest_p_there_is(seen):
    design, panel = seen
    later = np.arange(panel.slots.y.shape[1]) >= design.frame.windows[1] - design.first
    worse = replace(panel.slots, y=panel.slots.y + 0.3 * panel.slots.canary[:, None] * later)
    said = {one.method: one for one in of_ramp(design, replace(panel, slots=worse))}
    assert said["effect at 30% less that at 10%"].lower > 0.2
    assert said[TEST].p == pytest.approx(0.25)
    assert "no p below 0.25 was possible" in said[TEST].note


def test_a_slot_that_is_lost_in_a_stage_gives_no_exact_test_of_the_ramp(seen):
    design, panel = seen
    w = panel.slots.w.copy()
    w[0, design.frame.windows[1] - design.first :] = 0.0
    said = of_ramp(design, replace(panel, slots=replace(panel.slots, w=w)))
    assert any(isinstance(one, Absent) and one.method == TEST and "losing it" in one.why for one in said)


def test_harm_that_fills_a_zone_shows_in_the_wider_ring():
    """Nodes 0 and 1 in zone-a, the canary on node 0; what the ring of nodes calls pure is hurt too."""
    recording = recorded()
    design = design_of(recording)
    names = tuple(f"node-{i}" for i in range(6))
    zones = dict(zip(names, "aabbcc", strict=True))
    frame = replace(design.frame, exposed={"node-0": design.t0})
    narrow = replace(design, zones=zones, frame=frame)
    d = np.array([0.25, 0.26, 0.01, -0.01, 0.0, 0.02])
    said = {one.method: one for one in rings(narrow, names, d, np.array([True] + [False] * 5))}
    assert said["neighbours in the zone alone against pure"].effect == pytest.approx(0.255, abs=0.01)
    assert said["neighbours in the zone alone against pure"].lower > 0.1
    assert "on 4 nodes" in said["pure"].note


def test_what_everybody_feels_is_found_by_a_line_though_the_arms_do_not_differ(seen):
    design, panel = seen
    hurt = replace(panel.service, level=panel.service.level + 0.8 * design.dose)
    (plain,) = of_everybody(design, panel)
    (found,) = of_everybody(design, replace(panel, service=hurt))
    assert found.question is Question.EVERYBODY
    assert found.kind is Kind.MODEL
    assert found.effect - plain.effect == pytest.approx(0.8, abs=0.1)
    assert found.lower > 0.3
    assert "never a reason to promote" in found.note


def test_a_reference_takes_off_what_moved_both(seen):
    design, panel = seen
    drift = 0.5 * design.dose + 0.2 * np.sin(np.arange(len(design.dose)) / 40.0)
    moved = replace(panel, service=replace(panel.service, level=panel.service.level + drift))
    (alone,), (ours,) = of_everybody(design, moved), of_everybody(design, moved, drift)
    (truth,) = of_everybody(design, panel)
    assert abs(alone.effect - truth.effect) > 0.3
    assert ours.effect == pytest.approx(truth.effect, abs=1e-6)


def test_a_reference_must_cover_the_bins_in_which_the_service_was_measured(seen):
    design, panel = seen
    late = panel.service.level.copy()
    late[: len(late) // 2] = np.nan
    young = replace(panel, service=replace(panel.service, level=late))
    reference = np.where(np.isfinite(late), 0.0, np.nan)
    (found,) = of_everybody(design, young, reference)
    assert not isinstance(found, Absent), "a service that is as young as its reference is covered"
    (short,) = of_everybody(design, panel, reference[::-1].copy() * np.nan)
    assert isinstance(short, Absent)
    assert "fewer than 50%" in short.why


def test_small_shares_are_not_extrapolated(seen):
    design, panel = seen
    (found,) = of_everybody(replace(design, dose=design.dose * 0.8), panel)
    assert isinstance(found, Absent)
    assert "25%" in found.why


def test_another_recording_of_the_same_time_is_a_reference_and_its_arms_are_left_out(seen):
    design, panel = seen
    latency = design.reg.metrics[0]
    own = reference_level(design, latency, recorded())
    slow = reference_level(design, latency, recorded(slower=0.2))
    assert np.nanmax(np.abs(own - slow)) < 0.05
    known = np.isfinite(own)
    assert known.mean() > 0.95
    past = np.arange(len(own)) < panel.t0
    there = known & past & np.isfinite(panel.service.level)
    assert own[there] == pytest.approx(panel.service.level[there], abs=0.01)


def test_a_reference_of_another_time_or_other_bins_is_said_in_words(seen):
    design, _ = seen
    latency = design.reg.metrics[0]
    other = recorded()
    early = replace(other, series=tuple(s for s in other.series if s.labels["__name__"] == "nothing"))
    assert isinstance(reference_level(design, latency, early), str)
    run = replace(other.run, grid=replace(other.run.grid, width=60.0, scrape=30.0))
    with pytest.raises(BadRecording, match="same scrape interval"):
        reference_level(design, latency, replace(other, run=run))


def test_who_stands_where_is_told_with_its_size(seen):
    design, panel = seen
    names = panel.nodes.names
    exposed = np.isfinite(panel.nodes.start)
    said = {one.method: one for one in rings(design, names, np.zeros(len(names)), exposed)}
    pods = sum(u.arm is Arm.STABLE for u in design.frame.units)
    told = [
        int(said[name].note.split()[0]) for name in ("neighbours on the node", "neighbours in the zone alone")
    ]
    assert sum(told) == pods
    assert "zone-a, zone-b, zone-c" in said["direct: canaries"].note
