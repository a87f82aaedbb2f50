"""synthdid-py: its plain difference-in-differences on the data of Proposition 99, which it ships."""

from __future__ import annotations

import numpy as np
import synthdid

from causal_rollouts.stats.change_scores import change_scores, contrast


def test_one_treated_state_against_all_others(agree):
    panel = synthdid.panel_matrices(synthdid.load_california_prop99())
    Y = np.asarray(panel.Y, dtype=float)
    theirs = float(synthdid.did_estimate(Y, panel.N0, panel.T0))
    treated, after = np.arange(len(Y)) >= panel.N0, np.arange(Y.shape[1]) >= panel.T0
    ours = contrast(change_scores(Y, np.ones_like(Y), after), treated)
    agree("change_scores, contrast", "synthdid-py 0.1 (Prop 99)", ours.estimate, theirs)
    agree("change_scores, contrast", "Arkhangelsky et al. 2021 (Prop 99)", ours.estimate, -27.3491, 5e-5)
