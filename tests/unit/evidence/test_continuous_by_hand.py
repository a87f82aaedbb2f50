"""The engine's least squares against one put together by hand, bin by bin, from the design's words."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2, halfnorm, norm
from statsmodels.regression.linear_model import GLS

from causal_rollouts.evidence import continuous
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import Margins
from causal_rollouts.stats.variance_cells import CELL_MASS, CELL_QUANTILE
from tests.unit.evidence.latency_world import EDGES, T0, WARM_UP, Fleet, draw

MARGINS = Margins(0.05, 0.10)
FLEET = Fleet(
    stable=14, nodes=5, grows=(3, 5), stage_bins=12, history=60, missing=0.05, effect=0.12, beside=0.1
)


def middles():
    bounds = [EDGES[0] / 2, *EDGES, 1.5 * EDGES[-1]]
    return [math.log(math.sqrt(a * b)) for a, b in pairwise(bounds)]


class ByHand:
    """One window [start, end) of a release, in loops."""

    def __init__(self, release, components, offsets, start, end):
        self.release, self.c, self.offsets, self.start, self.end = release, components, offsets, start, end
        self.middles = np.array(middles())
        self.stable = [u for u in release.units if u.arm is Arm.STABLE]
        warm = [u for u in release.units if u.ready + WARM_UP + 2 <= end]
        self.slots = [u for u in warm if u.arm is not Arm.STABLE]
        self.z = dict(self.levels())

    def exposed_at(self, node):
        return self.release.exposed.get(node, 10**9)

    def seen(self, unit, at):
        """(weight, mean log) of a pod in a bin."""
        table = self.release.table
        counts = table.counts[table.ids.index(unit.id), at - table.first]
        n = counts.sum()
        return (1.0 / (self.c.a + self.c.s2 / n), counts @ self.middles / n) if n else (0.0, 0.0)

    def levels(self):
        for at in range(self.release.first, self.end):
            pure = [u for u in self.stable if self.exposed_at(u.node) > at]
            pairs = [(self.seen(u, at)[0], self.seen(u, at)[1] - self.offsets[u.id]) for u in pure]
            common = sum(w * y for w, y in pairs) / sum(w for w, _ in pairs)
            for u in (*self.stable, *self.slots):
                w, y = self.seen(u, at)
                if w:
                    limit = max(0.5, 4 / math.sqrt(w))
                    yield (u.id, at), (w, min(max(y - common, -limit), limit))

    def rows(self):
        """A row: kind of level, treated, beside, node, owner of the lottery, bins, pods."""
        first, start, end = self.release.first, self.start, self.end
        for node in sorted({u.node for u in self.stable}):
            pods = [u for u in self.stable if u.node == node]
            since = self.exposed_at(node)
            yield "before", 0, 0, node, node, range(first, min(start, since)), pods
            if since >= end:
                yield "window", 0, 0, node, node, range(start, end), pods
            elif since <= end - 2:
                yield "window", 0, 1, node, node, range(max(start, since), end), pods
        for u in self.slots:
            begin = max(start, u.ready + WARM_UP, T0 + WARM_UP)
            canary = u.arm is Arm.CANARY
            beside = sum(at >= self.exposed_at(u.node) for at in range(begin, end)) / (end - begin)
            yield begin, int(canary), 0 if canary else beside, u.node, u.id, range(begin, end), [u]

    def shared(self, one, other, parts):
        """Covariance of two rows apart from sampling."""
        if one[3] != other[3]:
            return 0.0
        apart = np.abs(np.subtract.outer(np.array(one[5]), np.array(other[5])))
        lottery = self.c.sig_p2 * (parts[0] @ parts[1]) if one[4] == other[4] else 0.0
        return self.c.sig_n2 + self.c.gam * np.mean(self.c.phi**apart) + lottery

    def fit(self):
        """(estimate, variance) of the effect and the neighbour effect."""
        rows = list(self.rows())
        cells = [[[self.z[u.id, at] for at in r[5] if (u.id, at) in self.z] for u in r[6]] for r in rows]
        weight = [np.array([sum(w for w, _ in pod) for pod in row]) for row in cells]
        y = [sum(w * v for pod in row for w, v in pod) / weight[i].sum() for i, row in enumerate(cells)]
        part = [w / w.sum() for w in weight]
        V = np.diag([self.c.kap / w.sum() for w in weight])
        for i, one in enumerate(rows):
            for j, other in enumerate(rows):
                V[i, j] += self.shared(one, other, (part[i], part[j]))
        kinds = sorted({r[0] for r in rows}, key=str)
        X = np.array([[*(float(r[0] == k) for k in kinds), r[1], r[2]] for r in rows])
        fit = GLS(np.array(y), X, sigma=V).fit(cov_type="fixed scale")
        return fit.params[-2:], np.diag(fit.normalized_cov_params)[-2:]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("window", "bins"), [(0, 8), (0, 12), (0, 24), (12, 24)])
def test_the_effect_is_that_of_least_squares_put_together_by_hand(seed, window, bins, monkeypatch):
    release = draw(np.random.default_rng(seed), FLEET)
    end = T0 + bins
    state = continuous.begin(release.frame(T0 - 1), release.part(release.first, T0))
    frame = release.frame(end - 1)
    state = continuous.absorb(state, frame, release.part(T0, end))
    seen = []
    gls = continuous.generalised_least_squares
    monkeypatch.setattr(
        continuous, "generalised_least_squares", lambda *a: seen.append((a, gls(*a[:4]))) or gls(*a)
    )
    continuous.judge(state, frame, MARGINS)
    (X, _, _, _, settled, _), estimates = seen[1 if window else 0]
    of_stable = X[:, :2].any(axis=1)
    assert of_stable.tolist() == [i < settled for i in range(len(X))]
    offsets = dict(zip(state.stable, state.offsets, strict=True))
    values, variances = ByHand(release, state.components, offsets, T0 + window, end).fit()
    assert [e.value for e in estimates] == pytest.approx(values, abs=1e-9)
    ratio = np.array([e.v_n + e.v_e for e in estimates]) / variances
    # The Birge scale is the same for both and never below one.
    assert ratio[0] == pytest.approx(ratio[1])
    assert ratio[0] >= 1 - 1e-9


def test_harm_is_weighed_against_the_null_margin_with_the_horizon_credit(monkeypatch):
    release = draw(np.random.default_rng(0), FLEET)
    state = continuous.begin(release.frame(T0 - 1), release.part(release.first, T0))
    frame = release.frame(T0 + 11)
    state = continuous.absorb(state, frame, release.part(T0, T0 + 12))
    seen = []
    gls = continuous.generalised_least_squares
    monkeypatch.setattr(continuous, "generalised_least_squares", lambda *a: seen.append(gls(*a)) or seen[-1])
    found = continuous.judge(state, frame, MARGINS)
    e = seen[0][0]
    x, sd = e.value - math.log(1.02), np.sqrt(e.v_n + e.v_e * e.df / chi2.ppf(CELL_QUANTILE, e.df))
    null = CELL_MASS @ norm.pdf(x, scale=sd)

    def prior(d):
        return 0.75 * halfnorm.pdf(d, scale=0.15) + 0.25 * halfnorm.pdf(d, scale=0.6)

    harm, _ = quad(lambda d: prior(d) * (CELL_MASS @ norm.pdf(x - d, scale=sd)), 0, 6, limit=200)
    assert found.tau.tracks[0].log_e == pytest.approx(1.1 + math.log(harm / null), abs=1e-4)
    assert found.tau.harm_margin == pytest.approx(math.log(1.05))
    assert found.tau.safe_margin == pytest.approx(math.log(1.10))


def test_a_naive_comparison_takes_what_neighbours_suffer_for_the_canarys_gain():
    release = draw(np.random.default_rng(0), FLEET)
    end = T0 + 24
    state = continuous.begin(release.frame(T0 - 1), release.part(release.first, T0))
    frame = release.frame(end - 1)
    state = continuous.absorb(state, frame, release.part(T0, end))
    offsets = dict(zip(state.stable, state.offsets, strict=True))
    hand = ByHand(release, state.components, offsets, T0, end)
    canary = [(u, max(u.ready, T0) + WARM_UP) for u in hand.slots if u.arm is Arm.CANARY]
    sides = [[(u, T0) for u in hand.stable], canary]
    cells = [[c for u, b in side for at in range(b, end) if (c := hand.z.get((u.id, at)))] for side in sides]
    stable, treated = (sum(w * z for w, z in side) / sum(w for w, _ in side) for side in cells)
    found = continuous.judge(state, frame, MARGINS)
    assert found.tau.naive == pytest.approx(treated - stable)
    assert found.neighbour is not None
    assert math.isnan(found.neighbour.naive)
