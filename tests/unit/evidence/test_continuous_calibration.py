"""The promise in small: good releases go on, slow ones are caught, over fleets drawn at random.

A look every two bins over three stages, latency and neighbours alone, with the
share of the error budget that they have beside all other metrics.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import binom

from causal_rollouts.evidence import continuous
from causal_rollouts.model.metrics import Margins
from tests.unit.evidence.latency_world import T0, Fleet, draw

MARGINS = Margins(revert_above=0.05, promote_below=0.10)
LATENCY, NEIGHBOUR = 0.45, 0.05
WINDOWS = (0.6, 0.2, 0.2)
THRESHOLD = math.log(100)


def any_fleet(rng, **changes) -> Fleet:
    drawn = {
        "stable": int(rng.integers(8, 31)),
        "nodes": int(rng.integers(3, 10)),
        "grows": tuple(np.cumsum([rng.integers(3, 6), *rng.integers(0, 3, 2)]).tolist()),
        "requests": rng.uniform(60, 300),
        "pod_sd": rng.uniform(0.01, 0.05),
        "node_sd": rng.uniform(0, 0.1),
        "drift_sd": rng.uniform(0, 0.03),
        "drift_phi": rng.uniform(0.5, 0.97),
        "service_sd": rng.uniform(0.02, 0.15),
        "fresh": rng.uniform(-0.05, 0.15),
        "step_sd": rng.uniform(0.005, 0.05),
        "missing": rng.choice([0.0, 0.1]),
        "history": 120,
    }
    return Fleet(**(drawn | changes))


def log_harm(found: continuous.ContinuousFindings) -> float:
    """Log of the weighted sum over processes, as the budget adds them up."""
    terms = [-math.inf]
    for weight, finding in ((LATENCY, found.tau), (NEIGHBOUR, found.neighbour)):
        if finding is not None:
            tracks = zip(finding.tracks, WINDOWS, strict=False)
            terms += [track.log_e + math.log(weight * share) for track, share in tracks]
    return float(np.logaddexp.reduce(terms))


def outcome(seed: int, **changes) -> tuple[bool, bool]:
    """(reverted at some look, safe at the end) of one release."""
    rng = np.random.default_rng([11, seed])
    release = draw(rng, any_fleet(rng, **changes))
    state = continuous.begin(release.frame(T0 - 1), release.part(release.first, T0))
    found = None
    for at in range(T0, release.end, 2):
        frame = release.frame(at + 1)
        state = continuous.absorb(state, frame, release.part(at, at + 2))
        found = continuous.judge(state, frame, MARGINS)
        if log_harm(found) >= THRESHOLD:
            return True, False
    return False, found is not None and found.tau.log_e_safe >= 2.5 and found.tau.log_e_stage >= 0


def test_good_releases_are_not_reverted_and_mostly_become_safe():
    runs = 90
    outcomes = [outcome(seed) for seed in range(runs)]
    # Latency and neighbours own half of one percent; more than this many is beyond chance at 1 in 1,000.
    assert sum(reverted for reverted, _ in outcomes) <= binom.isf(0.001, runs, 0.005)
    assert sum(safe for _, safe in outcomes) >= runs / 2


def test_a_service_wide_incident_reverts_no_good_release():
    runs = 30
    reverted = sum(outcome(1000 + seed, shock=(10, 40, 0.6))[0] for seed in range(runs))
    assert reverted <= binom.isf(0.001, runs, 0.005)


def test_a_quarter_slower_is_mostly_reverted_and_never_safe():
    runs = 60
    outcomes = [outcome(2000 + seed, effect=math.log(1.25)) for seed in range(runs)]
    assert sum(reverted for reverted, _ in outcomes) >= binom.isf(0.999, runs, 0.88)
    assert not any(safe for _, safe in outcomes)


def test_a_release_at_the_safe_margin_is_almost_never_called_safe():
    runs = 40
    outcomes = [outcome(3000 + seed, effect=math.log(1.10)) for seed in range(runs)]
    assert sum(safe for _, safe in outcomes) <= binom.isf(0.001, runs, 0.05)
