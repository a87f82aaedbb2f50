"""What a probe that is over says: does the candidate's traffic make everybody worse?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from causal_rollouts.evidence.continuous import ContinuousState
from causal_rollouts.evidence.frame import Floats, Frame
from causal_rollouts.evidence.questions import Engine
from causal_rollouts.model.evidence import ProbeTest
from causal_rollouts.model.registration import Registration
from causal_rollouts.stats.switchback_test import switchback_test

DRAWS = 9_999
"""Other probes that the real one is held against; the least p is one in ten thousand."""


def probe_test(reg: Registration, frame: Frame, engines: Mapping[str, Engine | None]) -> ProbeTest | None:
    """The metric that speaks clearest; None while no probe runs or its last bin is not taken in.

    engines: of the metrics that act. The share of probes is split evenly over the probes of a release and
    over the continuous metrics, as they all are asked.
    """
    plan, standing = reg.probe, frame.probe
    levels = {name: engine for name, engine in engines.items() if isinstance(engine, ContinuousState)}
    if plan is None or standing is None or not levels:
        return None
    end = standing.first + plan.bins
    if any(engine.next_bin < end for engine in levels.values()):
        return None
    alpha = reg.budget.alpha * plan.share / plan.probes / len(levels)
    on = np.array(plan.legs(reg.seed, standing.number), dtype=np.bool_)
    others = np.array(list(plan.others(reg.seed, DRAWS)), dtype=np.bool_)
    tests = []
    for name, engine in levels.items():
        series = _series(engine.probed, standing.first, plan.bins)
        found = switchback_test(series, on, others, reg.times.blackout)
        seen = int(np.isfinite(series).sum())
        tests.append(ProbeTest(name, found.p, alpha, found.effect, seen, plan.bins, found.least))
    return min(tests, key=lambda test: test.p)


def _series(probed: Floats, first: int, bins: int) -> Floats:
    """The level of each bin of the probe, nan where there is none."""
    series = np.full(bins, np.nan)
    at = probed[:, 0].astype(np.int64) - first
    inside = (at >= 0) & (at < bins)
    series[at[inside]] = probed[inside, 1]
    return series
