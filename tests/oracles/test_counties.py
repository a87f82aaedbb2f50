"""Two data sets that everybody in the field uses, as the moments that estimates and their errors depend on.

Counties: log teen employment of 500 counties, 2003 to 2007, by the year in which their state raised the
minimum wage (Callaway and Sant'Anna 2021; `mpdta` of the R package did, also in the MIT-licensed csdid).
States: share of insured low-income adults, American Community Survey, by expansion of Medicaid in 2014 (the
example of HonestDiD's read-me file; data of the Mixtape Sessions course "Advanced DID").
"""

from __future__ import annotations

import numpy as np
import pytest

from causal_rollouts.stats.change_scores import contrast
from causal_rollouts.stats.event_study import event_study
from causal_rollouts.stats.imputation import impute
from tests.oracles.panels import NEVER

# first treated year (0: never) -> counties, mean of log employment less that of 2003 in 2004 to 2007, and
# the lower triangle of its covariance, rows one after the other.
COUNTIES = {
    0: (309, (-0.062630024, -0.049821589, -0.01573374, 0.0065025179),
        (0.029581302, 0.020129176, 0.033388571, 0.022151189, 0.029661384, 0.065988033,
         0.02278714, 0.028997087, 0.053052908, 0.066644383)),
    2004: (20, (-0.073133271, -0.12024475, -0.15299248, -0.094308845),
           (0.0088975665, 0.0065108357, 0.017040043, 0.0076983492, 0.016676203, 0.022280083,
            0.0021827644, 0.012766148, 0.013877631, 0.019297576)),
    2006: (40, (-0.056109912, -0.046052295, -0.016559054, -0.03095266),
           (0.017936299, 0.020272786, 0.034970763, 0.020116109, 0.032130132, 0.036714418,
            0.019329365, 0.033233368, 0.034626995, 0.04242285)),
    2007: (131, (-0.032123369, -0.022040826, -0.019040097, -0.02285825),
           (0.017066099, 0.013680853, 0.035882956, 0.015332672, 0.030672008, 0.050348617,
            0.016474583, 0.031739517, 0.044267756, 0.063280853)),
}  # fmt: skip

# group, year: ATT and its analytic error, never-treated controls, no covariates, from R's did (the reference
# files that csdid's own tests are held against).
R_DID = {
    (2004, 2004): (-0.0105032462, 0.0232510364),
    (2004, 2005): (-0.0704231581, 0.0309847668),
    (2004, 2006): (-0.1372587389, 0.0364356643),
    (2004, 2007): (-0.1008113631, 0.0343592258),
    (2006, 2004): (0.0065201124, 0.0233268051),
    (2006, 2005): (-0.0027508188, 0.0195585610),
    (2006, 2006): (-0.0045946070, 0.0177551967),
    (2006, 2007): (-0.0412244715, 0.0202291807),
    (2007, 2004): (0.0305066556, 0.0150335603),
    (2007, 2005): (-0.0027258929, 0.0163958329),
    (2007, 2006): (-0.0310871194, 0.0178775113),
    (2007, 2007): (-0.0260544107, 0.0166554353),
}

# insured share of 2014, and of 2015, less that of 2013: states that expanded, states that did not.
EXPANDED = np.array([
    [.07397, .06451, .10231, .09804, .09771, .06986, .0983, .06799, .15225, .06368, .07004,
     .0467, .11076, .06567, .07353, .07643, .07816, .12126, .17451, .13522, .09772, .06982],
    [.13953, .12081, .19053, .13975, .12176, .08588, .17156, .10853, .20524, .10357, .14398,
     .10826, .17013, .14648, .14467, .07796, .14406, .19533, .20995, .19236, .18325, .0995],
])  # fmt: skip
OTHERS = np.array([
    [.03646, -.04787, .06298, .04932, .09541, .07076, .03856, .03905, .03248, .03814, .07807,
     .06003, .06025, .0344, .04058, .06208, .03354, .04828, .03714, .05071, .02139],
    [.05279, .04309, .1191, .09452, .0823, .09242, .07354, .06862, .05184, .06372, .12416,
     .10992, .10227, .05504, .07725, .01263, .06773, .07283, .08329, .06464, .09246],
])  # fmt: skip


def with_moments(n: int, mean: tuple[float, ...], lower: tuple[float, ...]) -> np.ndarray:
    """Some panel [units, years] of exactly these moments: estimates and clustered errors see no more."""
    k = len(mean)
    cov = np.zeros((k, k))
    cov[np.tril_indices(k)] = lower
    cov = cov + np.tril(cov, -1).T
    free = np.random.default_rng(n).standard_normal((n, k))
    Q, _ = np.linalg.qr(free - free.mean(axis=0))
    return np.asarray(mean) + np.sqrt(n) * Q @ np.linalg.cholesky(cov).T


def counties():
    """(log employment less that of 2003 [county, year], first treated year of each)."""
    parts = {group: with_moments(*moments) for group, moments in COUNTIES.items()}
    y = np.vstack(list(parts.values()))
    group = np.concatenate([np.full(len(part), g) for g, part in parts.items()])
    return np.column_stack((np.zeros(len(y)), y)), group


@pytest.mark.parametrize(("group", "year"), list(R_DID))
def test_effects_by_group_and_year(agree, group, year):
    """After treatment against the last year before it; before, against the year before."""
    y, first = counties()
    kept = np.isin(first, (0, group))
    base = group - 1 if year >= group else year - 1
    found = contrast((y[:, year - 2003] - y[:, base - 2003])[kept], first[kept] == group)
    att, se = R_DID[group, year]
    agree("contrast", "R did (mpdta)", found.estimate, att, 1e-8)
    agree("contrast: cr0", "R did (mpdta), analytic", found.cr0, se, 1e-8)


@pytest.mark.parametrize("group", [2004, 2006, 2007])
def test_the_event_study_of_each_group(agree, group):
    y, first = counties()
    kept = np.isin(first, (0, group))
    for moment in event_study(y[kept], first[kept] == group, reference=group - 1 - 2003):
        if moment.block + 2003 >= group:
            att, se = R_DID[group, moment.block + 2003]
            agree("event_study", "R did (mpdta)", moment.theta.estimate, att, 1e-8)
            agree("event_study: cr0", "R did (mpdta), analytic", moment.theta.cr0, se, 1e-8)


def test_imputation_over_all_groups(agree):
    y, first = counties()
    start = np.where(first == 0, NEVER, first - 2003.0)
    found = impute(y, start, np.arange(len(y)))
    agree("impute", "published: Borusyak, Jaravel and Spiess on mpdta", found.att, -0.0477, 5e-5)


def test_the_expansion_of_medicaid(agree):
    """HonestDiD's original intervals, clustered by state: of 2014 alone, and of both years' average.

    Their errors carry Stata's further factor for 344 rows and 15 columns.
    """
    on, factor = np.arange(43) < 22, np.sqrt(343 / 329)
    d = np.hstack((EXPANDED, OTHERS))
    for change, low, high in ((d[0], 0.029, 0.064), (d.mean(axis=0), 0.040, 0.075)):
        found = contrast(change, on)
        half = 1.96 * factor * found.cr1
        ends = found.estimate - half, found.estimate + half
        agree("contrast: interval by cr1", "HonestDiD (Medicaid)", ends, (low, high), 5e-4)
