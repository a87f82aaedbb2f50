"""What could never come true at this scrape interval or with these metrics: better said than waited for."""

from __future__ import annotations

import math
from collections.abc import Iterator

from causal_rollouts.api.problems import Problem
from causal_rollouts.model.metrics import Gating, MetricKind
from causal_rollouts.model.registration import Mode, Registration

LEAST_HISTORY = 40
"""Bins of history that the gate asks for before it begins (gate-findings, section 10)."""


def out_of_reach(registration: Registration) -> tuple[Problem, ...]:
    """Each reason why a release of this registration could begin, revert or promote never."""
    return (*_history(registration), *_no_evidence(registration))


def _history(registration: Registration) -> Iterator[Problem]:
    width, history = registration.grid.width, registration.times.history
    bins = math.floor(history / width)
    if bins < LEAST_HISTORY:
        needed = math.ceil(LEAST_HISTORY * width / 60)
        what = f"{history:g} s are {bins} bins of {width:g} s and {LEAST_HISTORY} are needed"
        yield Problem("spec.history", what, f"use {needed}m or more")


def _no_evidence(registration: Registration) -> Iterator[Problem]:
    acting = [m for m in registration.metrics if m.gating is not Gating.REPORT_ONLY]
    kinds = {m.kind for m in acting}
    if MetricKind.LATENCY in kinds:
        kinds.add(MetricKind.NEIGHBOUR)
    if not any(weight > 0 for kind, weight in registration.budget.kinds if kind in kinds):
        what = "no metric that may revert has a part of the error budget, so no harm could be proven"
        yield Problem("spec.weights", what, "give a kind of these metrics a weight above 0")
    if registration.mode is not Mode.OBSERVE and not any(m.gating is Gating.BOTH for m in acting):
        what = "no metric has gating Both, so no release could be proven safe"
        yield Problem("spec.metrics", what, "set gating: Both on latency or errors, or use mode: Observe")
