"""The rule of PipeCD 0.57's automated deployment analysis, from its documentation; not its code.

In an ANALYSIS stage with the strategy CANARY_BASELINE each metric is asked for
at every `interval` in steps of a minute, and the canary's points of that
interval are compared with the baseline's by a Mann-Whitney test at 5%, however
small the difference. A result that is significantly HIGH is a failure, and so
is a side without data; two sides without are not. More than `failureLimit` of
one metric fail the stage. Every stage of the ladder is an analysis of its own.

PipeCD documentation, "Adding an automated deployment analysis stage" and the
configuration reference of AnalysisMetrics, pipecd.dev. The reference says that
failureLimit defaults to 1; a stage without the field behaves as 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import mannwhitneyu, rankdata

from causal_rollouts.analysis.peers.traffic import Floats, Signal, Traffic
from causal_rollouts.analysis.peers.verdict import PASSED, PeerVerdict
from causal_rollouts.analysis.peers.watched import Watched

ALPHA = 0.05

LISTABLE = 200_000
"""Ways to part the ranks up to which all of them are listed; beyond, the normal approximation."""


@dataclass(frozen=True, slots=True)
class AnalysisStage:
    """interval: seconds between tests, each over that long. step: seconds of one point.

    failure_limit: failures that one metric may have in one stage. skip_on_no_data: a side without data is
    no failure.
    """

    interval: float = 300.0
    step: float = 60.0
    failure_limit: int = 1
    skip_on_no_data: bool = False

    def judge(self, watched: Watched) -> PeerVerdict:
        """What it would have done; the metric that fails first decides."""
        ends = (*watched.stages[1:], len(watched.canary))
        for begin, end in zip(watched.stages, ends, strict=True):
            found = [(at, signal) for signal in Signal for at in self._fails(watched, signal, begin, end)]
            if found:
                at, signal = min(found)
                return PeerVerdict(failed=True, at=watched.at(at), why=str(signal))
        return PASSED

    def _fails(self, watched: Watched, signal: Signal, begin: int, end: int) -> Iterator[int]:
        """When the metric fails the stage, if it does."""
        every, failures = watched.bins(self.interval), 0
        for at in range(begin + every, end + 1, every):
            canary, baseline = (
                self._points(arm, signal, at, every, watched.bins(self.step))
                for arm in (watched.canary, watched.baseline)
            )
            failures += not self._expected(canary, baseline)
            if failures > self.failure_limit:
                yield at
                return

    def _points(self, arm: Traffic, signal: Signal, at: int, every: int, step: int) -> Floats | None:
        """Points at both ends of the interval and between; None: one of them is no number."""
        found = [arm.read(signal, to - step, to) for to in range(at - every, at + 1, step)]
        known = [value for value in found if value is not None]
        return None if any(map(math.isnan, known)) else np.array(known)

    def _expected(self, canary: Floats | None, baseline: Floats | None) -> bool:
        if canary is None or baseline is None:
            return self.skip_on_no_data
        if not (canary.size or baseline.size):
            return True
        if not (canary.size and baseline.size):
            return self.skip_on_no_data
        return p_higher(canary, baseline) > ALPHA


def p_higher(x: Floats, y: Floats) -> float:
    """p-value of "x tends to be higher than y" against "both alike"; 1 where all values are equal.

    x: [m], y: [n]. Exact given the ties for small samples, by all ways to part the ranks (Klotz 1966), with
    the step of a whole unit below U that the tool takes; else by the normal approximation.
    """
    both = np.concatenate((x, y))
    if np.ptp(both) == 0.0:
        return 1.0
    if math.comb(both.size, x.size) > LISTABLE:
        return float(mannwhitneyu(x, y, alternative="greater", method="asymptotic").pvalue)
    ranks = rankdata(both)
    parted = np.array(list(combinations(ranks, x.size))).sum(axis=1)
    return float(np.mean(parted > ranks[: x.size].sum() - 1.0))
