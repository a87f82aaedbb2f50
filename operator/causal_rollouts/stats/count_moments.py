"""How much counts of like units differ beyond chance, from the moments of their past.

Units stand in groups; both have lasting factors, groups also drift. The past is
short, so every estimate has a floor, a prior or a standard error to exceed.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PRIOR_MEMBER = 0.02
_PRIOR_MEMBER_SD = 0.02
_LEAST_MEMBER = 0.002
_LEAST_GROUP = 0.003
_LAGS = (1, 2, 3, 4)
_DRIFT_INFLATION = 1.5
_BLOCK = 10
_LEAST_EVENTS = 30.0


def member_variance(observed: Floats, expected: Floats, group: Ints) -> float:
    """Variance of the log factors of units within their group, shrunk towards .02.

    observed, expected: totals of each unit, expected under one common rate.
    group [units], index of each. Derived: with u the expected count given the group's total and s its
    share, `E (N - u)^2 = u (1 - s) + sigma^2 u^2 (1 - s)` for Poisson counts with log factors of
    variance sigma^2; the estimate is the ratio of sums, weighed against the prior by its standard
    error. Kind: model.
    """
    total, mean = _by_group(observed, group), _by_group(expected, group)
    scale = np.divide(total, mean, out=np.zeros_like(total), where=mean > 0)
    share = np.divide(expected, mean[group], out=np.ones_like(expected), where=mean[group] > 0)
    u = expected * scale[group]
    chance = u * (1.0 - share)
    weight = float((u * chance).sum())
    members, groups = int((u > 0).sum()), len(np.unique(group[u > 0]))
    if weight <= 0.0 or members <= groups:
        return _PRIOR_MEMBER
    estimate = float((np.square(observed - u) - chance)[u > 0].sum()) / weight
    error = math.sqrt(2.0 * float(np.square(u).sum())) / weight
    error += math.sqrt(2.0 / (members - groups)) * abs(estimate)
    own, prior = 1.0 / error**2, 1.0 / _PRIOR_MEMBER_SD**2
    return max((own * estimate + prior * _PRIOR_MEMBER) / (own + prior), _LEAST_MEMBER)


def group_variance(observed: Floats, expected: Floats, members: Floats, v_member: float) -> float:
    """Variance of the log factors of groups; what their few members' draw explains is taken off.

    observed, expected, members [groups]. Derived: `E (N - E)^2 = E + (sigma_g^2 + sigma^2 / c) E^2` for
    groups of c members; floored at .003. Kind: model.
    """
    weight = float(np.square(expected).sum())
    if weight <= 0.0:
        return _LEAST_GROUP
    surplus = float((np.square(observed - expected) - expected).sum()) / weight
    return max(surplus - v_member / float(members.mean()), _LEAST_GROUP)


def shrunk_factors(
    observed: Floats, expected: Floats, members: Floats, v_member: float, v_group: float
) -> tuple[Floats, Floats]:
    """(log factor, variance left) of each group: gamma posterior of its rate about the common one.

    All [groups]. Counts thinned by their members' draw are Poisson with a gamma rate of mean one and
    variance v_group: conjugate posterior (Gelman et al. 2013, section 2.6), its mean and a variance of
    its log. Kind: model.
    """
    thinned = 1.0 + v_member * expected / members
    N, M, k = observed / thinned, expected / thinned, 1.0 / v_group
    return np.log((N + k) / (M + k)), 1.0 / (N + k)


def common_expectation(observed: Floats, exposure: Floats) -> Floats:
    """Expected events [unit, step]: each step's common rate times each unit's lasting factor.

    observed, exposure [units, steps]. One step of iterative proportional fitting (Deming and Stephan
    1940), exact where factors and rates multiply. Kind: exact (arithmetic).
    """
    rate = float(observed.sum()) / max(float(exposure.sum()), 1e-300)
    mean = rate * exposure.sum(axis=1)
    factor = np.divide(observed.sum(axis=1), mean, out=np.zeros_like(mean), where=mean > 0)
    weighted = exposure * factor[:, None]
    total = weighted.sum(axis=0)
    common = np.divide(observed.sum(axis=0), total, out=np.zeros_like(total), where=total > 0)
    expected: Floats = weighted * common
    return expected


def group_drift(observed: Floats, expected: Floats, group: Ints) -> float:
    """Variance of the groups' slow drift, 0 unless it exceeds its standard error.

    observed, expected: [unit, step]. From autocovariances at lags 1 to 4 only: chance has none.
    group [units], index of each. Autocovariances of counts about their mean estimate those of the
    latent rate (Zeger 1988). Kind: model; it is drift only if the rate is what moves.
    """
    O, E = _by_group(observed, group), _by_group(expected, group)
    square = float(np.square(E).mean()) if E.size else 0.0
    if square <= 0.0 or O.shape[1] <= _LAGS[-1]:
        return 0.0
    left = O - E
    lagged = [float((left[:, k:] * left[:, :-k]).mean()) for k in _LAGS]
    drift = math.fsum(lagged) / len(lagged) / square
    error = float(E.mean()) / square / math.sqrt(O.size)
    return _DRIFT_INFLATION * drift if drift > error else 0.0


def block_dispersion(observed: Floats, exposure: Floats) -> float:
    """Variance of block counts over their mean, at least 1: bursts make fewer independent events.

    observed, exposure: [unit, step].
    Pearson's statistic over its degrees of freedom, blocks of 10 steps (McCullagh and Nelder 1989).
    Kind: model.
    """
    steps = int(observed.shape[1]) // _BLOCK * _BLOCK
    blocks, units = steps // _BLOCK, int((exposure.sum(axis=1) > 0).sum())
    if blocks < 2 or units < 2:
        return 1.0
    O = observed[:, :steps].reshape(len(observed), blocks, _BLOCK).sum(axis=2)
    E = common_expectation(O, exposure[:, :steps].reshape(len(observed), blocks, _BLOCK).sum(axis=2))
    if float(E.sum()) <= _LEAST_EVENTS:
        return 1.0
    ratio = float(np.square(O - E).sum()) / float(E.sum())
    return max(1.0, ratio * (units / (units - 1)) * (blocks / (blocks - 1)))


def _by_group(values: Floats, group: Ints) -> Floats:
    sums = np.zeros((int(group.max(initial=-1)) + 1, *values.shape[1:]))
    np.add.at(sums, group, values)
    return sums
