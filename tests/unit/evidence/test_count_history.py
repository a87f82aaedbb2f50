"""What the past teaches, in worlds made to teach it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from causal_rollouts.evidence.count_history import fit_counts
from causal_rollouts.model.metrics import Margins
from tests.unit.evidence.count_world import T0, Fleet, errors_of, plan_of

MARGINS = Margins(0.25, 0.5, revert_above_points=0.001, promote_below_points=0.003)


def fitted(fleet: Fleet, run: int = 0, **frame):
    rng = np.random.default_rng([60, run])
    plan = plan_of(fleet, rng)
    table = errors_of(plan, rng)
    seen = T0 - table.first
    return fit_counts(
        plan.frame(T0 - 1, **frame), table.ids, table.first, table.events[:, :seen], table.exposure[:, :seen]
    )


def test_the_past_rate_is_that_of_the_stable_pods():
    assert fitted(Fleet(rate=0.01, pod_sd=0.0, node_sd=0.0)).rate == pytest.approx(0.01, rel=0.05)


def test_unequal_nodes_are_learned_and_a_node_without_a_past_may_be_anything():
    fit = fitted(Fleet(rate=0.05, pod_sd=0.0, node_sd=0.4, stable=40, nodes=8))
    assert np.std(fit.log_factor) > 0.2
    nodes = ("new", fit.nodes[0])
    assert fit.log_factors(nodes).tolist() == [0.0, fit.log_factor[0]]
    assert fit.variances(nodes).tolist() == [fit.v_node, fit.left[0]]
    assert fit.log_factor[0] != 0.0
    assert fit.left[0] < fit.v_node / 2


def test_too_few_events_leave_priors_alone():
    fit = fitted(Fleet(rate=1e-6))
    assert fit.events < 20
    assert (fit.v_pod, fit.v_drift, fit.dispersion) == (0.02, 0.0, 1.0)
    assert not fit.log_factor.any()


def test_no_past_at_all_is_no_division_by_zero():
    empty = fit_counts(
        plan_of(Fleet(), np.random.default_rng(0)).frame(T0 - 1), (), T0, np.zeros((0, 0)), np.zeros((0, 0))
    )
    assert empty.pods == 0
    assert empty.df == 3
    assert empty.margins(MARGINS) == (math.log(1.25), math.log(1.5))


def test_bins_after_the_first_stage_and_in_a_blackout_teach_nothing():
    rng = np.random.default_rng(61)
    plan = plan_of(Fleet(), rng)
    table = errors_of(plan, rng)
    frame = plan.frame(plan.looks[-1], excluded=frozenset({T0 - 5}))
    fit = fit_counts(frame, table.ids, table.first, table.events, table.exposure)
    events, exposure = table.events.copy(), table.exposure.copy()
    late = (plan.at >= T0) | (plan.at == T0 - 5)
    events[:, late] = exposure[:, late]
    again = fit_counts(frame, table.ids, table.first, events, exposure)
    assert (fit.events, fit.exposure, fit.v_pod) == (again.events, again.exposure, again.v_pod)


def test_a_margin_is_never_past_the_grid():
    fit = fitted(Fleet(rate=0.0))
    harm, safe = fit.margins(replace(MARGINS, revert_above_points=0.5, promote_below_points=0.9))
    assert harm == safe == 4.0
