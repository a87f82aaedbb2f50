"""The rule of Flagger 1.44, from its documentation; not its code, not its schedule of weights.

At every `interval` each metric of the canary is held against a fixed range.
A tick on which any metric is out of range, or has no value, is a failed check;
failed checks are counted over the whole release and never taken back, and at
`threshold` of them the canary is rolled back. There is no control group.
A failed check also halts the weights, which recorded stages cannot show.

Flagger documentation, "How it works" (canary analysis) and "Metrics Analysis",
docs.flagger.app. Interval and threshold are those of its examples; the ranges
(99% success and 500 ms at P99 in its examples) are taken from the past instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from causal_rollouts.analysis.peers.limits import Ground, limits
from causal_rollouts.analysis.peers.traffic import Signal
from causal_rollouts.analysis.peers.verdict import PASSED, PeerVerdict
from causal_rollouts.analysis.peers.watched import Watched


@dataclass(frozen=True, slots=True)
class Flagger:
    """interval: seconds between checks and under each query. threshold: failed checks that end it."""

    interval: float = 60.0
    threshold: int = 5
    ground: Ground = Ground.USUAL

    def judge(self, watched: Watched) -> PeerVerdict:
        """What it would have done."""
        step = watched.bins(self.interval)
        highest = limits(watched, self.ground, self.interval)
        failed = 0
        for end in range(step, len(watched.canary) + 1, step):
            miss = _miss(watched, highest, end - step, end)
            failed += bool(miss)
            if miss and failed >= self.threshold:
                return PeerVerdict(failed=True, at=watched.at(end), why=miss)
        return PASSED


def _miss(watched: Watched, highest: Mapping[Signal, float], begin: int, end: int) -> str:
    """The first metric that is out of range or has no value: later ones are not asked any more."""
    for signal in Signal:
        value = watched.canary.read(signal, begin, end)
        if value is None or math.isnan(value):
            return f"{signal}: no values"
        if value > highest[signal]:
            return str(signal)
    return ""
