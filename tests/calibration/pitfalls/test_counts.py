"""Errors that come in bursts, and restarts that hardly come at all."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

from causal_rollouts.evidence import errors, restarts
from causal_rollouts.evidence.frame import CountBins
from causal_rollouts.model.metrics import Gating, Margins, Metric, MetricKind
from causal_rollouts.stats.event_odds import LOG_RATIO, log_likelihood
from tests.calibration.pitfalls.test_traffic_ramps import above
from tests.unit.evidence.count_world import T0, WARM_UP, Fleet, findings, plan_of, restarts_of
from tests.unit.evidence.sample_world import RESTARTS

pytestmark = pytest.mark.slow

ALPHA = 0.05
PLAIN = Metric("errors", MetricKind.ERRORS, "requests", Margins(0.0, 0.5), Gating.BOTH)
"""No margin for harm, so that nothing but the evidence itself keeps its error small."""


def together(finding) -> float:
    """Log of all tracks of the first window by their shares."""
    terms = [t.log_e + math.log(t.share) for t in finding.tracks if t.window == T0]
    return float(np.logaddexp.reduce(terms)) if terms else -math.inf


def bursty(plan, rng, variance: float) -> CountBins:
    """Each pod's error rate is multiplied by gamma bursts of mean 1 that last four bins."""
    units, bins = len(plan.units), plan.fleet.bins
    burst = rng.gamma(1.0 / variance, variance, (units, -(-bins // 4))).repeat(4, axis=1)[:, :bins]
    requests = rng.poisson(plan.alive * plan.fleet.requests).astype(float)
    events = rng.poisson(plan.fleet.rate * requests * burst).astype(float)
    return CountBins(plan.ids, plan.first, events, requests, np.zeros((units, bins), dtype=bool))


@pytest.mark.parametrize("variance", [0.5, 1.0])
def test_bursty_errors_as_independent_ones(exposes, variance):
    naive, ours = [], []
    fleet = Fleet(stable=20, grows=(4,), stage_bins=100, rate=0.01, pod_sd=0.0, node_sd=0.0)
    for i in range(150):
        rng = np.random.default_rng([1001, i])
        plan = plan_of(fleet, rng)
        bins = bursty(plan, rng, variance)
        naive.append(max(above(log_l) for log_l in _poisson(plan, bins)) >= -math.log(ALPHA))
        judge = partial(errors.judge, metric=PLAIN, lottery_phi=None)
        told = findings(plan, bins, errors.begin, errors.absorb, judge, every=2)
        ours.append(max(together(finding) for _, finding in told) >= -math.log(ALPHA))
    exposes(f"11: bursts of variance {variance:g}", naive, ours, ALPHA)


def _poisson(plan, bins):
    """The likelihood of every fourth bin on, as if each error were an event of its own."""
    begin = T0 - plan.first + WARM_UP
    baseline = plan.young & ~plan.canary
    n1, n0 = (bins.events[arm, begin:].sum(axis=0).cumsum() for arm in (plan.canary, baseline))
    m1, m0 = (bins.exposure[arm, begin:].sum(axis=0).cumsum() for arm in (plan.canary, baseline))
    for t in range(3, len(n1), 4):
        yield log_likelihood(n1[t], n0[t], m1[t] / (m1[t] + m0[t]), LOG_RATIO)


def test_a_normal_approximation_of_a_handful_of_restarts(exposes):
    """One restart of a canary in an hour in which the fleet had none is 'two standard errors'."""
    naive, ours = [], []
    judge = partial(restarts.judge, metric=RESTARTS)
    fleet = Fleet(stable=20, grows=(8,), stage_bins=240, requests=0.0)
    for i in range(200):
        rng = np.random.default_rng([1101, i])
        plan = plan_of(fleet, rng)
        bins = restarts_of(plan, rng, per_hour=0.05, canary_per_hour=0.0)
        naive.append(_normal(plan, bins))
        told = findings(plan, bins, restarts.begin, restarts.absorb, judge, every=4)
        ours.append(max(together(finding) for _, finding in told) >= -math.log(ALPHA))
    exposes("22: restarts by a normal approximation", naive, ours, ALPHA)


def _normal(plan, bins) -> bool:
    """Two-sample z of the rates since t0 at every bin, canary against all others, pooled variance."""
    begin = T0 - plan.first + WARM_UP
    n1, n0 = (bins.restarts[arm, begin:].sum(axis=0).cumsum() for arm in (plan.canary, ~plan.canary))
    h1, h0 = (bins.seconds[arm, begin:].sum(axis=0).cumsum() / 3600 for arm in (plan.canary, ~plan.canary))
    pooled = (n1 + n0) / (h1 + h0)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (n1 / h1 - n0 / h0) / np.sqrt(pooled * (1 / h1 + 1 / h0))
    return bool(np.nanmax(z, initial=0.0) > 1.645)
