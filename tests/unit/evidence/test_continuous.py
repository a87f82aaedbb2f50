"""What the latency gate says of releases whose truth is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from causal_rollouts.evidence import continuous
from causal_rollouts.evidence.frame import HistogramBins
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import Margins
from tests.unit.evidence.latency_world import T0, Fleet, Release, draw

MARGINS = Margins(revert_above=0.05, promote_below=0.10)
FLEET = Fleet(stable=20, nodes=6, grows=(4, 6, 8), stage_bins=16)


def release(seed: int = 1, **changes) -> Release:
    return draw(np.random.default_rng(seed), replace(FLEET, **changes))


def judged(r: Release, bins: int, *, frame=None, table: HistogramBins | None = None):
    """Evidence `bins` bins after the first stage began."""
    r = r if table is None else replace(r, table=table)
    state = continuous.begin(r.frame(T0 - 1), r.part(r.first, T0))
    frame = frame or r.frame(T0 + bins - 1)
    return continuous.judge(continuous.absorb(state, frame, r.part(T0, T0 + bins)), frame, MARGINS)


def test_a_release_that_changes_nothing_is_close_to_nothing_and_becomes_safe():
    found = [judged(release(seed), 48).tau for seed in range(10)]
    assert all(tau.lower < 0 < tau.upper for tau in found)
    assert sum(tau.log_e_safe > 2.5 for tau in found) >= 6
    assert all(track.log_e < 3 for tau in found for track in tau.tracks)


def test_a_quarter_slower_is_seen_within_the_first_looks():
    found = judged(release(effect=math.log(1.25)), 8)
    assert found.tau.effect == pytest.approx(math.log(1.25), abs=0.1)
    assert found.tau.tracks[0].log_e > 5.2
    assert found.tau.log_e_safe < 0


def test_the_same_telemetry_with_the_arms_swapped_accuses_nobody():
    r = release(effect=math.log(1.25))
    swapped = {"canary": Arm.BASELINE, "baseline": Arm.CANARY}
    units = tuple(replace(u, arm=swapped.get(u.id.split("-")[0], u.arm)) for u in r.units)
    exposed = {u.node: T0 for u in units if u.arm is Arm.CANARY}
    found = judged(replace(r, units=units, exposed=exposed), 8)
    assert found.tau.effect < -0.1
    assert all(track.log_e == -math.inf for track in found.tau.tracks)


def test_an_improvement_is_safe_and_no_harm():
    found = judged(release(effect=-0.2), 12)
    assert found.tau.log_e_safe > 2.5
    assert found.tau.upper < 0


def test_a_slowdown_of_everything_is_shared_and_not_blamed_on_the_release():
    found = judged(release(shock=(4, 48, 0.5)), 16)
    assert found.tau.tracks[0].log_e < 0
    assert found.shared > math.log(1.10)


def test_an_incident_is_shared_while_it_lasts_and_forgotten_when_it_is_over():
    """An average over the whole stage would hold it six times as long as it lasted."""
    r = release(stage_bins=48, shock=(6, 14, 0.6), service_sd=0.02)
    levels = [judged(r, bins).shared for bins in (12, 14, 16, 34, 40)]
    assert min(levels[:3]) > math.log(1.10)
    assert max(levels[3:]) < math.log(1.05)


def test_without_an_incident_nothing_is_shared():
    assert abs(judged(release(service_sd=0.02), 40).shared) < math.log(1.10)


def test_cold_starts_of_both_arms_are_not_harm():
    found = judged(release(fresh=0.3), 16)
    assert found.tau.tracks[0].log_e < 0
    assert found.tau.effect == pytest.approx(0.0, abs=0.08)


def test_harm_to_neighbours_is_found_and_does_not_hide_the_harm_of_the_release():
    found = judged(release(effect=math.log(1.25), beside=math.log(1.15)), 16)
    assert found.neighbour is not None
    assert found.neighbour.effect == pytest.approx(math.log(1.15), abs=0.08)
    assert found.tau.effect == pytest.approx(math.log(1.25), abs=0.08)


def test_without_two_clean_nodes_neighbours_are_not_judged_and_it_says_so():
    r = release()
    crowded = {f"n{j}": T0 for j in range(5)}
    found = judged(replace(r, exposed=crowded), 16)
    assert found.pure_nodes == 1
    assert found.neighbour is None
    assert found.tau.identified
    assert "baseline beside canaries" in found.tau.note


def test_without_two_clean_nodes_a_baseline_apart_from_canaries_is_said_to_be_the_only_control():
    r = release()
    held = {u.node for u in r.units if u.arm is not Arm.BASELINE}
    alone = tuple(replace(u, node=f"apart-{u.id}") if u.arm is Arm.BASELINE else u for u in r.units)
    found = judged(replace(r, units=alone, exposed=dict.fromkeys(held, T0)), 16)
    assert found.neighbour is None
    assert "baseline slots are the only control" in found.tau.note


def test_where_neighbours_cannot_be_judged_their_pods_inform_nothing():
    r = release(stable=18)
    crowded = replace(r, exposed={f"n{j}": T0 for j in range(5)})
    counts = r.table.counts.copy()
    for unit in r.units:
        if unit.arm is Arm.STABLE and unit.node in {"n0", "n1", "n2"}:
            i = r.table.ids.index(unit.id)
            counts[i, FLEET.history :] = np.roll(counts[i, FLEET.history :], 1, axis=-1)
    spoilt = judged(crowded, 16, table=replace(r.table, counts=counts))
    assert spoilt.tau.effect == pytest.approx(judged(crowded, 16).tau.effect, abs=3e-3)


def test_late_harm_is_found_by_a_later_window():
    found = judged(release(effect=math.log(1.25), onset=32), 48)
    assert found.tau.tracks[2].log_e > found.tau.tracks[0].log_e
    assert found.tau.tracks[2].log_e > 5.2
    assert found.tau.log_e_stage < 0


def test_nothing_is_said_before_two_warm_bins():
    found = judged(release(effect=1.0), 5)
    assert not found.tau.identified
    assert found.tau.tracks[0].log_e == -math.inf
    assert found.tau.log_e_safe == -math.inf
    assert "baseline slot of its own start" in found.tau.note
    assert judged(release(effect=1.0), 6).tau.identified


def test_a_stage_that_has_not_spoken_has_not_agreed():
    r = release()
    frame = r.frame(T0 + FLEET.stage_bins)
    assert frame.windows[-1] == T0 + FLEET.stage_bins
    found = judged(r, FLEET.stage_bins + 1, frame=frame)
    assert found.tau.log_e_safe > 0
    assert found.tau.log_e_stage == -math.inf


def test_the_level_of_a_stage_still_in_blackout_is_that_of_the_stage_before():
    at = FLEET.stage_bins
    r = release(shock=(4, 48, 0.5))
    blackout = replace(r, excluded=frozenset({T0 + at, T0 + at + 1}))
    assert judged(blackout, at + 2).shared == pytest.approx(judged(r, at).shared)


def test_before_the_first_stage_nothing_is_judged():
    r = release()
    state = continuous.begin(replace(r.frame(T0 - 1), t0=None), r.part(r.first, T0))
    found = continuous.judge(state, replace(r.frame(T0 - 1), t0=None, windows=()), MARGINS)
    assert not found.tau.identified
    assert found.tau.tracks == ()


def test_the_fit_ends_where_the_release_begins():
    r = release(effect=1.0)
    whole = continuous.begin(r.frame(r.end - 1), r.table)
    past = continuous.begin(r.frame(T0 - 1), r.part(r.first, T0))
    assert whole.next_bin == T0
    assert whole.components == past.components


def test_a_fleet_without_a_past_is_not_judged_and_says_what_to_wait_for():
    r = release()
    counts = r.table.counts.copy()
    counts[:, : FLEET.history] = 0
    found = judged(r, 20, table=replace(r.table, counts=counts))
    assert not found.tau.identified
    assert "wait until history is complete" in found.tau.note


def test_a_canary_that_started_without_a_baseline_of_its_own_start_is_left_out():
    r = release()
    r = replace(r, units=tuple(u for u in r.units if u.id not in {"baseline-4", "baseline-5"}))
    counts = r.table.counts.copy()
    for shift, name in ((3, "canary-4"), (-2, "canary-5")):
        i = r.table.ids.index(name)
        counts[i] = np.roll(counts[i], shift, axis=-1)
    at = 2 * FLEET.stage_bins
    without = replace(r, units=tuple(u for u in r.units if u.id not in {"canary-4", "canary-5"}))
    found, left = judged(r, at, table=replace(r.table, counts=counts)), judged(without, at)
    # The naive comparison is with all that there is, as a dashboard's.
    assert replace(found, tau=replace(found.tau, naive=left.tau.naive)) == left


def test_slots_of_one_rise_that_became_ready_some_bins_apart_are_still_compared():
    r = release(effect=math.log(1.25), grows=(4,), stage_bins=24)
    late = {u.id: T0 + 1 + int(u.id[-1]) for u in r.units if u.id.startswith("canary")}
    found = judged(replace(r, units=tuple(replace(u, ready=late.get(u.id, u.ready)) for u in r.units)), 24)
    assert found.tau.effect == pytest.approx(math.log(1.25), abs=0.08)


def test_slots_of_different_rises_keep_levels_of_their_own():
    """The second rise runs cold and its baseline too: that is its start, not the release."""
    r = release()
    counts = r.table.counts.copy()
    for name in ("canary-4", "baseline-4", "baseline-5"):
        i = r.table.ids.index(name)
        counts[i] = np.roll(counts[i], 1, axis=-1)
    r = replace(r, units=tuple(u for u in r.units if u.id != "canary-5"))
    found = judged(r, 2 * FLEET.stage_bins, table=replace(r.table, counts=counts))
    assert found.tau.effect == pytest.approx(0.0, abs=0.07)


def test_a_lost_scrape_is_not_a_fast_pod():
    r = release(effect=math.log(1.25), missing=0.15)
    assert judged(r, 16).tau.effect == pytest.approx(math.log(1.25), abs=0.08)


def test_counts_of_a_lost_bin_are_not_believed():
    r = release()
    counts, lost = r.table.counts.copy(), r.table.lost.copy()
    canary = [i for i, name in enumerate(r.table.ids) if name.startswith("canary")]
    at = T0 + 10 - r.first
    counts[canary, at] = np.roll(counts[canary, at], 6, axis=-1)
    lost[canary, at] = True
    empty = counts.copy()
    empty[canary, at] = 0
    spoilt = judged(r, 16, table=replace(r.table, counts=counts, lost=lost))
    assert spoilt == judged(r, 16, table=replace(r.table, counts=empty))


def test_bins_of_a_blackout_count_for_no_arm():
    r = replace(release(), excluded=frozenset({T0 + 8, T0 + 9}))
    counts = r.table.counts.copy()
    counts[:, T0 + 8 - r.first : T0 + 10 - r.first] = 0
    counts[:4, T0 + 8 - r.first : T0 + 10 - r.first, -1] = 1000
    assert judged(r, 16, table=replace(r.table, counts=counts)) == judged(r, 16)


def test_a_stable_pod_that_is_gone_takes_its_past_along():
    """Its node would otherwise seem to change when only its membership did."""
    r = release(pod_sd=0.3, beside=0.0)
    gone = T0 + 8
    counts = r.table.counts.copy()
    stay = {u.node: u.id for u in r.units if u.arm is Arm.STABLE}.values()
    leaving = [u.id for u in r.units if u.arm is Arm.STABLE and u.id not in stay]
    for name in leaving:
        counts[r.table.ids.index(name), gone - r.first :] = 0
    table = replace(r.table, counts=counts)
    told = tuple(replace(u, gone=gone) if u.id in leaving else u for u in r.units)
    found = judged(replace(r, units=told), 40, table=table)
    assert found.neighbour is not None
    assert found.neighbour.effect == pytest.approx(0.0, abs=0.06)
    assert found.placebo == 0.0


def test_stable_pods_that_a_promotion_replaces_keep_what_they_said_before_it():
    r = replace(release(), until_stable=T0 + 36)
    counts = r.table.counts.copy()
    counts[: FLEET.stable, T0 + 36 - r.first :] = 0
    r = replace(r, table=replace(r.table, counts=counts))
    told = tuple(
        replace(u, gone=T0 + 35 + i % 3) if u.arm is Arm.STABLE else u for i, u in enumerate(r.units)
    )
    found = judged(replace(r, units=told), 48)
    assert found == judged(r, 48)
    assert found.neighbour is not None


def test_a_pod_without_a_past_enters_nothing():
    r = release()
    late = replace(r.units[0], id="pod-late", ready=T0 + 6)
    table = r.table
    with_late = replace(
        table,
        ids=(*table.ids, "pod-late"),
        counts=np.concatenate((table.counts, 50 * table.counts[:1])),
        lost=np.concatenate((table.lost, table.lost[:1])),
    )
    assert judged(replace(r, units=(*r.units, late)), 20, table=with_late) == judged(r, 20)


@pytest.mark.parametrize(("effect", "harmful"), [(0.0, False), (math.log(1.5), True)])
def test_an_incident_during_promotion_neither_hides_nor_invents_harm(effect, harmful):
    """Stable pods are replaced then, so the common level must be carried on by baseline."""
    r = replace(release(effect=effect, onset=36, shock=(36, 48, 0.9)), until_stable=T0 + 36)
    counts = r.table.counts.copy()
    counts[: FLEET.stable, T0 + 36 - r.first :] = 0
    found = judged(r, 48, table=replace(r.table, counts=counts))
    assert found.shared > 0.2
    assert (found.tau.tracks[2].log_e > 5.2) is harmful


def test_stable_against_stable_is_quiet_until_telemetry_of_half_of_it_breaks():
    r = release()
    assert judged(r, 40).placebo < 0
    counts = r.table.counts.copy()
    after = slice(T0 + 4 - r.first, None)
    by_node: dict[str, list[str]] = {}
    for u in sorted(r.units, key=lambda u: u.id):
        if u.arm is Arm.STABLE:
            by_node.setdefault(u.node, []).append(u.id)
    for pods in by_node.values():
        for name in pods[::2]:
            i = r.table.ids.index(name)
            counts[i, after] = np.roll(counts[i, after], 1, axis=-1)
    assert judged(r, 40, table=replace(r.table, counts=counts)).placebo > math.log(1000)


def test_what_counts_borrow_is_the_frozen_fit():
    early, late = judged(release(), 8), judged(release(), 40)
    assert early.lottery == late.lottery
    assert 0.015**2 < early.lottery.sig_p2 < 0.06**2
