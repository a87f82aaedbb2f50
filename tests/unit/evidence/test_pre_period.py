"""What a past of the arms' own does to the estimate, and what arms of one template must not show."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

from causal_rollouts.evidence import continuous
from causal_rollouts.evidence.frame import Frame, HistogramBins, Unit
from causal_rollouts.evidence.layout import Layout
from causal_rollouts.evidence.window_rows import compare
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import Margins
from causal_rollouts.stats.mixed_gls import News
from tests.unit.evidence.latency_world import EDGES, T0, Fleet, Release, draw, place

MARGINS = Margins(revert_above=0.05, promote_below=0.10)
BEFORE = (T0 - 60, T0 - 4)
APART = Fleet(stable=9, nodes=6, grows=(4,), stage_bins=30, node_sd=0.15, drift_sd=0.005, fresh=0.0)


def apart(seed: int, *, effect: float = 0.0) -> Release:
    """Arms on nodes of which no stable pod tells anything; their pods are others from T0 on."""
    rng = np.random.default_rng(seed)
    fleet = replace(APART, effect=effect)
    units = tuple(_moved(unit) for unit in place(rng, fleet))
    exposed = {u.node: T0 for u in units if u.arm is Arm.CANARY}
    at = T0 - fleet.history + np.arange(fleet.bins)
    nodes = dict(zip((f"n{i}" for i in range(7)), rng.normal(0.0, fleet.node_sd, 7), strict=True))
    fresh = np.array([u.arm is not Arm.STABLE for u in units])[:, None]
    canary = np.array([u.arm is Arm.CANARY for u in units])[:, None]
    lots = rng.normal(0.0, fleet.pod_sd, (2, len(units), 1))
    mean = np.log(0.06) + np.array([nodes[u.node] for u in units])[:, None]
    mean = mean + np.where(fresh & (at >= T0), lots[1], lots[0])
    mean = mean + rng.normal(0.0, fleet.step_sd, mean.shape) + effect * (canary & (at >= T0))
    share = np.diff(
        ndtr((np.log(EDGES) - mean[..., None]) / fleet.request_sd), axis=-1, prepend=0.0, append=1.0
    )
    away = fresh & (at >= BEFORE[1]) & (at < T0)
    n = rng.poisson(fleet.requests, mean.shape) * (at >= np.array([[u.ready] for u in units])) * ~away
    counts = rng.multinomial(n, share).astype(np.float64)
    table = HistogramBins(tuple(u.id for u in units), int(at[0]), EDGES, counts, np.zeros_like(away & canary))
    return Release(fleet, units, exposed, table)


def _moved(unit: Unit) -> Unit:
    number = int(unit.id.rpartition("-")[2])
    node = {Arm.STABLE: number % 3, Arm.CANARY: 3 + number % 2, Arm.BASELINE: 5 + number % 2}[unit.arm]
    return replace(unit, node=f"n{node}", ready=min(unit.ready, BEFORE[0] - 2))


def judged(made: Release, *, before: tuple[int, int] | None, bins: int = 24):
    def frame(now: int) -> Frame:
        return replace(made.frame(now), before=before)

    state = continuous.begin(frame(T0 - 1), made.part(made.first, T0))
    state = continuous.absorb(state, frame(T0 + bins - 1), made.part(T0, T0 + bins))
    return continuous.judge(state, frame(T0 + bins - 1), MARGINS).tau


def test_the_nodes_share_of_the_lottery_goes_and_the_process_stays() -> None:
    without, with_one = [], []
    for seed in range(30):
        made = apart(seed)
        without.append(judged(made, before=None).effect)
        with_one.append(judged(made, before=BEFORE).effect)
    # Two nodes an arm of sd .15 make .15; two draws of four pods of sd .03 make .03.
    assert np.sqrt(np.mean(np.square(without))) > 0.09
    assert np.sqrt(np.mean(np.square(with_one))) < 0.05


def test_the_interval_knows_both() -> None:
    covered = width = 0.0
    for seed in range(30):
        made = apart(seed, effect=0.2)
        found = judged(made, before=BEFORE)
        covered += found.lower < 0.2 < found.upper
        width += (found.upper - found.lower) / 30
        assert judged(made, before=None).upper - found.effect > found.upper - found.effect
    assert covered >= 28
    assert width < 0.5


def test_a_slot_that_stands_elsewhere_now_has_no_past() -> None:
    made = apart(1)
    moved = tuple(replace(u, node="n0") if u.id == "canary-0" else u for u in made.units)
    state = continuous.begin(replace(made.frame(T0 - 1), before=BEFORE), made.part(made.first, T0))
    later = replace(replace(made, units=moved).frame(T0 + 23), before=BEFORE)
    state = continuous.absorb(state, later, made.part(T0, T0 + 24))
    rows = compare(state, Layout.of(state, later, T0), T0)
    assert rows is not None
    stayed = compare(state, Layout.of(state, replace(later, units=made.units), T0), T0)
    assert stayed is not None
    assert len(stayed.rows.weight) - len(rows.rows.weight) == 1


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_arms_of_one_template_may_differ_in_neither_direction(sign: float) -> None:
    shifted = draw(np.random.default_rng(3), replace(Fleet(grows=(4,), stage_bins=30), effect=sign * 0.4))
    frame = replace(shifted.frame(T0 + 23), twins=True)
    state = continuous.begin(shifted.frame(T0 - 1), shifted.part(shifted.first, T0))
    found = continuous.judge(continuous.absorb(state, frame, shifted.part(T0, T0 + 24)), frame, MARGINS)
    assert found.tau.tracks[0].log_e > 5.2
    alone = replace(frame, twins=False)
    one_sided = continuous.judge(continuous.absorb(state, alone, shifted.part(T0, T0 + 24)), alone, MARGINS)
    assert (one_sided.tau.tracks[0].log_e > 5.2) is (sign > 0)
    expected = found.tau.tracks[0].log_e + math.log(2.0) if sign > 0 else -math.inf
    assert one_sided.tau.tracks[0].log_e == pytest.approx(expected)


def test_arms_of_one_template_tell_how_widely_fresh_pods_scatter() -> None:
    def told(times: float, seed: int) -> News:
        rng = np.random.default_rng(seed)

        def wider(units: tuple[Unit, ...], at: np.ndarray) -> np.ndarray:
            lots = rng.normal(0.0, 0.03 * math.sqrt(times**2 - 1.0), (len(units), 1))
            return np.where([[u.arm is not Arm.STABLE] for u in units], lots, 0.0) + np.zeros((1, len(at)))

        made = draw(rng, Fleet(grows=(4,), stage_bins=30), wider)
        frame = replace(made.frame(T0 + 23), twins=True)
        state = continuous.begin(made.frame(T0 - 1), made.part(made.first, T0))
        found = continuous.judge(continuous.absorb(state, frame, made.part(T0, T0 + 24)), frame, MARGINS)
        assert found.tau.scatter is not None
        return found.tau.scatter

    usual, wide = ([told(times, seed) for seed in range(12)] for times in (1.0, 4.0))
    assert all(1.0 < one.df <= 7.0 for one in (*usual, *wide))
    assert np.mean([one.ratio for one in usual]) < 2.0
    assert np.mean([one.ratio for one in wide]) > 6.0


def test_a_release_counts_with_what_earlier_arms_of_one_template_told() -> None:
    slower = draw(np.random.default_rng(3), Fleet(grows=(4,), stage_bins=30, effect=0.3))
    frame = slower.frame(T0 + 23)
    state = continuous.begin(slower.frame(T0 - 1), slower.part(slower.first, T0))
    state = continuous.absorb(state, frame, slower.part(T0, T0 + 24))
    plain, wide, sure = (
        continuous.judge(state, frame, MARGINS, known).tau
        for known in (None, News(ratio=9.0, df=20.0), News(ratio=1.0, df=50.0))
    )
    assert plain.scatter is None
    assert wide.effect == sure.effect == plain.effect
    assert wide.se > 1.5 * plain.se
    assert wide.tracks[0].log_e < plain.tracks[0].log_e - 1.0
    assert sure.tracks[0].log_e > plain.tracks[0].log_e


def test_rows_of_the_pre_period_have_a_level_and_lots_of_their_own() -> None:
    made = apart(1)
    state = continuous.begin(replace(made.frame(T0 - 1), before=BEFORE), made.part(made.first, T0))
    later = replace(made.frame(T0 + 23), before=BEFORE)
    state = continuous.absorb(state, later, made.part(T0, T0 + 24))
    found = compare(state, Layout.of(state, later, T0), T0)
    assert found is not None
    arms = slice(found.settled, None)
    levels = found.rows.level[arms]
    before = levels == levels.min()
    assert before.sum() == (~before).sum() == 8
    assert not np.isin(levels[before], found.rows.level[: found.settled]).any()
    lots = found.rows.share[arms]
    assert (lots @ lots.T == np.eye(16)).all()
    assert not found.rows.treated[arms][before].any()
