"""diff-diff: imputation, two-way fixed effects and spill-overs after Butts."""

from __future__ import annotations

import diff_diff
import numpy as np
import pytest
from scipy.special import stdtr

from causal_rollouts.stats.change_scores import change_scores, contrast
from causal_rollouts.stats.event_study import event_study
from causal_rollouts.stats.exposure_classes import exposure
from causal_rollouts.stats.few_units import coefficient
from causal_rollouts.stats.imputation import impute
from causal_rollouts.stats.sensitivity import breakdown_mbar
from tests.oracles.panels import long, neighbours, staggered, two_groups

ORACLE = "diff-diff 3.13"


def first(start):
    return np.where(np.isinf(start), 0.0, start).astype(int)


@pytest.mark.parametrize(("seed", "gaps", "one"), [(1, 0, False), (2, 6, False), (3, 0, True), (4, 6, True)])
def test_imputation_of_staggered_starts(agree, seed, gaps, one):
    y, start = staggered(seed, gaps, one_cohort=one)
    theirs = diff_diff.ImputationDiD(aux_partition="cohort").fit(
        long(y, first=first(start)), outcome="y", unit="unit", time="time", first_treat="first"
    )
    ours = impute(y, start, np.arange(len(y)))
    agree("impute", ORACLE, ours.att, theirs.overall_att)
    if one:
        agree("impute: se (one cohort)", ORACLE, ours.se, theirs.overall_se)


@pytest.mark.parametrize("seed", range(3))
def test_change_scores_are_its_two_way_estimate(agree, seed):
    y, treated, after = two_groups(seed=seed)
    table = long(y, treated=treated.astype(int))
    table["post"] = after[table["time"]].astype(int)
    theirs = diff_diff.TwoWayFixedEffects(cluster="unit").fit(
        table, outcome="y", treatment="treated", post="post", unit="unit"
    )
    ours = contrast(change_scores(y, np.ones_like(y), after), treated)
    agree("change_scores, contrast", ORACLE, ours.estimate, theirs.att)


@pytest.mark.parametrize("seed", range(3))
def test_total_effect_and_spill_over(agree, seed):
    y, treated, touched, node, after = neighbours(seed)
    start = np.where(treated, 8.0, np.inf)
    table = long(y, first=first(start), east=1000.0 * node, north=np.arange(16) % 4 * 1.0)
    theirs = diff_diff.SpilloverDiD(
        rings=[0.0, 10.0], conley_coords=("east", "north"), conley_metric="euclidean", cluster="unit"
    ).fit(table, outcome="y", unit="unit", time="time", first_treat="first")
    d = change_scores(y, np.ones_like(y), after)
    ours = exposure(d, treated, touched, np.zeros(16, dtype=np.int64))
    agree("exposure: total", ORACLE, ours.total.estimate, theirs.att)
    agree("exposure: spill", ORACLE, ours.spill.estimate, theirs.spillover_effects["coef"].iloc[0])


@pytest.mark.parametrize("seed", range(3))
def test_bell_mccaffrey_with_clusters_of_several_rows(agree, seed):
    """The plain two-by-two regression on rows of slots, nodes as clusters."""
    rng = np.random.default_rng(seed)
    node = np.repeat(np.arange(9), 3)
    treated, post = (node % 2).astype(int), np.tile([0, 1, 1], 9)
    y = rng.standard_normal(9)[node] + rng.standard_normal(27) + 0.5 * treated * post
    table = long(y[:, None], treated=treated, post=post, node=node)
    theirs = diff_diff.DifferenceInDifferences(vcov_type="hc2_bm", cluster="node").fit(
        table, outcome="y", treatment="treated", post="post"
    )
    X = np.column_stack((treated * post, np.ones(27), treated, post)).astype(float)
    ours = coefficient(X, y, 0, node)
    agree("coefficient, clustered", ORACLE, ours.estimate, theirs.att)
    agree("coefficient, clustered: cr2", ORACLE, ours.cr2, theirs.se)
    p = 2 * stdtr(ours.df, -abs(ours.estimate / ours.cr2))
    agree("coefficient, clustered: df (through p)", ORACLE, p, theirs.p_value)


@pytest.mark.parametrize("block", [4, 5, 6])
def test_at_the_breakdown_their_interval_begins_at_zero(agree, block):
    """Bounds on relative magnitudes, steps of the past taken as known (HonestDiD itself doubts them too)."""
    y, treated, _ = two_groups(times=7)
    y += 3.0 * (treated[:, None] & (np.arange(7) > 3)[None, :])
    fit = diff_diff.TwoWayFixedEffects(cluster="unit").fit(
        long(y, treated=treated.astype(int)),
        outcome="y",
        treatment="treated",
        time="time",
        unit="unit",
        event_study=True,
        post_periods=[4, 5, 6],
        reference_period=3,
    )
    before = [m.theta.estimate for m in event_study(y, treated, reference=3) if m.block < 3]
    mbar = breakdown_mbar(float(fit.att[block]), float(fit.se[block]), 1e12, [*before, 0.0], block - 3.0)
    assert mbar > 0.0
    wanted = (np.arange(4, 7) == block).astype(float)
    bound = diff_diff.HonestDiD(method="relative_magnitude", l_vec=wanted).fit(fit, M=mbar)
    agree("breakdown_mbar: end of the interval there", ORACLE, bound.ci_lb, 0.0)
