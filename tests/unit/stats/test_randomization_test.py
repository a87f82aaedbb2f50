"""The exact test: the law it enumerates is the law of the operator's own draw, and p is exact."""

from __future__ import annotations

import math
from itertools import chain, permutations, product

import numpy as np
import pytest

from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.assignment import assign
from causal_rollouts.stats.change_scores import contrast
from causal_rollouts.stats.randomization_test import exchanges, mean_differences, randomization_p


def as_set(draws):
    return {tuple(row) for row in draws.tolist()}


def test_one_unit_a_cluster_gives_every_choice_of_treated_ones():
    treated = np.array([True, True, True, False, False, False])
    law = exchanges(treated, np.arange(6), np.zeros(6, dtype=np.int64))
    assert (law.possible, law.enumerated) == (20, True)
    assert len(as_set(law.draws)) == 20
    assert (law.draws.sum(axis=1) == 3).all()
    assert tuple(treated) in as_set(law.draws)


def test_clusters_exchange_whole_and_only_with_their_like():
    cluster = np.array([0, 0, 1, 1, 2, 3, 4])
    treated = np.array([True, True, False, False, True, False, False])
    stratum = np.array([0, 0, 0, 0, 0, 0, 1])
    law = exchanges(treated, cluster, stratum)
    assert law.possible == 4
    for row in law.draws:
        assert row[0] == row[1] != row[2] == row[3]
        assert row[4] != row[5]
        assert not row[6]


@pytest.mark.parametrize("sizes", [(7,), (4, 3), (3, 3, 2)], ids=["one block", "two", "three"])
def test_it_is_the_law_of_the_assignment_given_the_places(sizes):
    """Every order of each block, through the operator's own function, kept where places are the same."""
    blocks = [[f"{b}n{i}" for i in range(size)] for b, size in enumerate(sizes)]
    names = [name for block in blocks for name in block]
    nodes = {name: str(b) for b, block in enumerate(blocks) for name in block}
    first = [Slot(arm, k) for arm in (Arm.CANARY, Arm.BASELINE) for k in range(2)]
    second = [Slot(Arm.CANARY, 2), Slot(Arm.BASELINE, 2)]

    def drawn(order):
        """The assignment of one order: names are given out so that the shuffle undoes itself."""
        taken = assign(5, nodes, (), first)
        both = assign(5, nodes, taken, second)
        rename = dict(zip(names, order, strict=True))
        return [(rename[p.node], p.slot.arm is Arm.CANARY, int(k >= 4)) for k, p in enumerate(both)]

    def places(rows):
        return sorted((node, stage) for node, _, stage in rows)

    real = drawn(names)
    sought = places(real)
    orders = (list(chain.from_iterable(parts)) for parts in product(*map(permutations, blocks)))
    kept = {tuple(sorted(rows)) for rows in map(drawn, orders) if places(rows) == sought}

    units = sorted(real)
    cluster = np.array([names.index(node) for node, _, _ in units])
    stratum = np.array([stage for _, _, stage in units])
    block = np.array([int(nodes[node]) for node, _, _ in units])
    law = exchanges(np.array([on for _, on, _ in units]), cluster, stratum, block)
    ours = {
        tuple(sorted((units[i][0], bool(on), units[i][2]) for i, on in enumerate(row))) for row in law.draws
    }
    assert ours == kept
    assert law.possible == len(kept)


def test_the_statistic_is_the_contrast_within_strata():
    rng = np.random.default_rng(2)
    treated, stratum = np.arange(10) % 2 == 0, np.array([0] * 6 + [1] * 4)
    d = rng.standard_normal(10)
    law = exchanges(treated, np.arange(10), stratum)
    drawn = mean_differences(d, law.draws, stratum)
    for value, draw in zip(drawn[:50], law.draws[:50], strict=True):
        assert value == pytest.approx(contrast(d, draw, stratum).estimate, abs=1e-12)


def test_the_p_of_a_full_law_is_a_share_of_it_and_never_less_than_one_draw():
    d = np.array([5.0, 4.0, 3.0, 2.0, 1.0, 0.0])
    treated = np.arange(6) < 3
    law = exchanges(treated, np.arange(6), np.zeros(6, dtype=np.int64))
    found = randomization_p(3.0, mean_differences(d, law.draws, np.zeros(6, dtype=np.int64)), law)
    assert found.p == pytest.approx(1 / 20)
    assert found.least == pytest.approx(1 / 20)


def test_a_sample_counts_the_real_assignment_in_and_can_be_repeated():
    rng = np.random.default_rng(0)
    d, treated = rng.standard_normal(30), np.arange(30) < 15
    flat = np.zeros(30, dtype=np.int64)
    law = exchanges(treated, np.arange(30), flat, most=1000, seed=7)
    assert (len(law.draws), law.enumerated) == (999, False)
    assert law.possible == math.comb(30, 15)
    again = exchanges(treated, np.arange(30), flat, most=1000, seed=7)
    assert (law.draws == again.draws).all()
    found = randomization_p(1e9, mean_differences(d, law.draws, flat), law)
    assert found.p == found.least == pytest.approx(1e-3)


def test_p_is_exact_under_shared_clusters_and_heavy_tails():
    """Cauchy cluster effects: a t-test would be lost. P(p <= 1/4) is exactly 1/4 of the law's grid."""
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(8), 2)
    base = np.repeat(np.arange(8) < 4, 2)
    flat = np.zeros(16, dtype=np.int64)
    hits = 0
    for _ in range(800):
        treated = base[np.repeat(rng.permutation(8), 2) * 2]
        d = rng.standard_cauchy(8)[cluster] + 0.1 * rng.standard_normal(16)
        law = exchanges(treated, cluster, flat)
        observed = float(mean_differences(d, treated[None, :], flat)[0])
        hits += randomization_p(observed, mean_differences(d, law.draws, flat), law).p <= 0.25
    truth = math.floor(0.25 * 70) / 70
    assert abs(hits / 800 - truth) < 3 * math.sqrt(truth * (1 - truth) / 800)
