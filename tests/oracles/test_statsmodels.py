"""statsmodels: the same regressions through its formulas and its robust covariances."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from statsmodels.stats.multitest import multipletests

from causal_rollouts.stats.change_scores import change_scores, contrast
from causal_rollouts.stats.e_bh import e_bh
from causal_rollouts.stats.event_study import event_study
from causal_rollouts.stats.few_units import coefficient
from causal_rollouts.stats.mixed_gls import Covariance, generalised_least_squares
from tests.oracles.panels import long, two_groups

ORACLE = "statsmodels 0.15"


@pytest.mark.parametrize("seed", range(5))
def test_every_corrected_variance_of_a_regression_on_few_rows(agree, seed):
    rng = np.random.default_rng(seed)
    n = 9 + seed
    X = np.column_stack((np.arange(n) % 3 == 0, np.ones(n), rng.standard_normal(n))).astype(float)
    y = rng.standard_normal(n) * (1 + np.arange(n))
    found, fit = coefficient(X, y, 0), sm.OLS(y, X).fit()
    agree("coefficient", ORACLE, found.estimate, fit.params[0])
    agree("coefficient: cr0", ORACLE, found.cr0, fit.HC0_se[0])
    agree("coefficient: cr2", ORACLE, found.cr2, fit.HC2_se[0])
    agree("coefficient: cr3", ORACLE, found.cr3, fit.HC3_se[0])
    agree("coefficient: pooled", ORACLE, found.pooled, fit.bse[0])
    agree("coefficient: cr1", ORACLE, found.cr1, fit.HC0_se[0] * np.sqrt(n / (n - 1)))


@pytest.mark.parametrize("seed", range(3))
def test_change_scores_are_two_way_fixed_effects_with_slots_as_clusters(agree, seed):
    y, treated, after = two_groups(seed=seed)
    found = contrast(change_scores(y, np.ones_like(y), after), treated)
    table = long(y, treated=treated.astype(int))
    table["on"] = table["treated"] * after[table["time"]]
    fit = smf.ols("y ~ on + C(unit) + C(time)", table).fit()
    clustered = fit.get_robustcov_results(
        "cluster", groups=table["unit"].to_numpy(), use_correction=False, df_correction=False
    )
    at = fit.model.exog_names.index("on")
    agree("change_scores, contrast", ORACLE + " (two-way, clustered)", found.estimate, fit.params["on"])
    agree("change_scores, contrast: cr0", ORACLE + " (two-way, clustered)", found.cr0, clustered.bse[at])


def test_strata_are_dummies(agree):
    y, treated, _ = two_groups(units=13)
    table = long(y[:, :1], treated=treated.astype(int), stratum=np.arange(13) % 3)
    fit = smf.ols("y ~ treated + C(stratum)", table).fit()
    found = contrast(y[:, 0], treated, np.arange(13) % 3)
    agree("contrast within strata", ORACLE, found.estimate, fit.params["treated"])
    agree("contrast within strata", ORACLE, found.cr2, fit.HC2_se["treated"])


def test_the_event_study_is_the_two_way_model_with_leads_and_lags(agree):
    y, treated, _ = two_groups(times=7)
    table = long(y, treated=treated.astype(int))
    for s in range(7):
        table[f"on{s}"] = table["treated"] * (table["time"] == s)
    terms = " + ".join(f"on{s}" for s in range(7) if s != 3)
    fit = smf.ols(f"y ~ {terms} + C(unit) + C(time)", table).fit()
    for moment in event_study(y, treated, reference=3):
        agree("event_study", ORACLE, moment.theta.estimate, fit.params[f"on{moment.block}"])


def test_the_gate_s_estimate_is_generalised_least_squares(agree):
    rng = np.random.default_rng(6)
    X = np.column_stack((np.ones(12), np.arange(12) % 2, rng.standard_normal(12)))
    y, A, B = rng.standard_normal(12), rng.standard_normal((12, 12)), rng.standard_normal((12, 3))
    cov = Covariance(rng.uniform(2, 3, 12), A @ A.T / 12, B @ B.T, 9.0, 9.0)
    (ours,) = generalised_least_squares(X, y, cov, (1,))
    fit = sm.GLS(y, X, sigma=np.diag(cov.sampling) + cov.members + cov.drift).fit()
    agree("generalised_least_squares", ORACLE, ours.value, fit.params[1])
    agree("generalised_least_squares: variance", ORACLE, ours.v_n + ours.v_e, fit.normalized_cov_params[1, 1])


@pytest.mark.parametrize("seed", range(5))
def test_e_bh_is_benjamini_and_hochberg_of_inverse_e_values(agree, seed):
    log_e = np.random.default_rng(seed).normal(2.0, 2.0, 12)
    p = np.minimum(1.0, np.exp(-log_e))
    for alpha in (0.01, 0.1, 0.3):
        theirs, *_ = multipletests(p, alpha, method="fdr_bh")
        agree("e_bh", ORACLE + " (Benjamini-Hochberg)", e_bh(log_e.tolist(), alpha), theirs, 0.0)
