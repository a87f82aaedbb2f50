"""pyfixest's numbers, frozen by pyfixest_numbers.py and kept fresh by `make oracles`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from causal_rollouts.stats.change_scores import change_scores, contrast
from causal_rollouts.stats.event_study import event_study
from causal_rollouts.stats.imputation import impute
from tests.oracles.panels import staggered, two_groups

ORACLE = "pyfixest 0.60 (frozen)"
FROZEN = json.loads((Path(__file__).parent / "pyfixest.json").read_text())


@pytest.mark.parametrize("seed", range(3))
def test_change_scores_are_its_two_way_fit_with_slots_as_clusters(agree, seed):
    y, treated, after = two_groups(seed=seed)
    ours, theirs = contrast(change_scores(y, np.ones_like(y), after), treated), FROZEN["two_way"][str(seed)]
    agree("change_scores, contrast", ORACLE, ours.estimate, theirs["estimate"])
    agree("change_scores, contrast: cr0", ORACLE, ours.cr0, theirs["cr0"])
    agree("change_scores, contrast: cr3", ORACLE, ours.cr3, theirs["cr3"])


def test_the_event_study_is_its_leads_and_lags(agree):
    y, treated, _ = two_groups(times=7)
    ours = [moment.theta.estimate for moment in event_study(y, treated, reference=3)]
    agree("event_study", ORACLE, ours, FROZEN["leads_and_lags"])


@pytest.mark.parametrize("seed", range(3))
def test_imputation_is_its_two_stage_estimate(agree, seed):
    y, start = staggered(seed)
    agree("impute", ORACLE, impute(y, start, np.arange(16)).att, FROZEN["two_stages"][str(seed)])
