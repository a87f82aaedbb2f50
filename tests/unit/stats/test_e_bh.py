"""Attribution: by hand, and by its false discovery rate under dependence."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from causal_rollouts.stats.e_bh import e_bh


def test_the_largest_set_that_carries_itself_is_kept_by_hand():
    # K = 4, alpha = .1: the k-th largest needs 40 / k, so 40, 20, 13.3, 10.
    logs = [math.log(e) for e in (15.0, 21.0, 14.0, 9.0)]
    assert e_bh(logs, 0.1) == (True, True, True, False)
    assert e_bh([math.log(39.0), *([-math.inf] * 3)], 0.1) == (False,) * 4
    assert e_bh([math.log(40.1), *([-math.inf] * 3)], 0.1) == (True, False, False, False)


def test_equal_evidence_is_kept_together_or_not_at_all():
    assert e_bh([math.log(20.0)] * 3, 0.1) == (True,) * 3
    assert e_bh([], 0.1) == ()


def test_false_discoveries_stay_rare_though_metrics_share_their_noise():
    rng = np.random.default_rng(5)
    runs, alpha, lam = 20_000, 0.1, 2.5
    shared = rng.normal(size=(runs, 1))
    z = 0.8 * shared + 0.6 * rng.normal(size=(runs, 6))
    # Three harmless, three harmful by 2; each e-value is a likelihood ratio, so its mean is 1 under the null.
    e = lam * (z + np.array([0, 0, 0, 2, 2, 2])) - lam**2 / 2
    fdp = []
    for row in e:
        kept = e_bh(row.tolist(), alpha)
        fdp.append(sum(kept[:3]) / max(sum(kept), 1))
    assert sum(one > 0 for one in fdp) > 0
    assert np.mean(fdp) <= binom.ppf(0.999, runs, alpha) / runs


@pytest.mark.parametrize(("log_e", "alpha", "said"), [([0.0], 1.0, "alpha"), ([math.nan], 0.1, "-inf where")])
def test_senseless_input_is_named(log_e, alpha, said):
    with pytest.raises(ValueError, match=said):
        e_bh(log_e, alpha)
