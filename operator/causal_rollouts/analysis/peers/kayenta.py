"""The judge of Kayenta (NetflixACAJudge-v1.0) under a canary analysis, from its documentation.

Of each metric the canary's time series is compared with the baseline's: the
metric is High where the lower end of the 98% interval of Hodges and Lehmann
lies above a quarter of its own estimate (the tolerance is a share of the shift,
so it says nothing of its size) and the ratio of means is at least the effect
size of the configuration, 1 by default. A group's score is its share of Pass
among what was classified, a group without data counts as 100, and half or more
metrics without data fail the run. A run below `marginal` fails the analysis at
once, and the last one has to reach `pass`. Minutes count as independent, and no
run knows of those before it.

Spinnaker documentation, "How canary judgment works" and "Best practices for
configuring canary" (scores 75 and 95, baseline beside canary, no lookback, runs
an hour apart with 50 points each, which is longer than most of our releases);
Kayenta documentation, "canary-config" (direction, nanStrategy, effectSize).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from causal_rollouts.analysis.peers.shift_interval import shift_interval
from causal_rollouts.analysis.peers.traffic import Floats, Signal
from causal_rollouts.analysis.peers.verdict import PASSED, PeerVerdict
from causal_rollouts.analysis.peers.watched import Watched

LEVEL = 0.98
TOLERANCE = 0.25

TOO_MUCH_MISSING = 0.5
"""Share of metrics without data that fails a run."""


class Label(StrEnum):
    """How a metric is classified; only increases are watched."""

    AS_BEFORE = "Pass"
    HIGH = "High"
    NO_DATA = "Nodata"


@dataclass(frozen=True, slots=True)
class Kayenta:
    """interval: seconds between runs, each over all since the first stage. step: seconds of one point.

    An interval longer than the release is one run at its end.

    own_margins: effect sizes are our gate's margins instead of 1. Every metric is a group of its own, as
    advised for metrics that matter, and groups weigh alike.
    """

    interval: float = 600.0
    step: float = 60.0
    passing: float = 95.0
    marginal: float = 75.0
    own_margins: bool = False

    def judge(self, watched: Watched) -> PeerVerdict:
        """What it would have done."""
        every = watched.bins(self.interval)
        if watched.complete:
            every = min(every, max(len(watched.canary), 1))
        ends = range(every, len(watched.canary) + 1, every)
        for end in ends:
            labels = {signal: self._label(watched, signal, end) for signal in Signal}
            score = summary_score([label] for label in labels.values())
            last = watched.complete and end == ends[-1]
            if score < (self.passing if last else self.marginal):
                why = ", ".join(f"{name}" for name, label in labels.items() if label is not Label.AS_BEFORE)
                return PeerVerdict(failed=True, at=watched.at(end), why=why)
        return PASSED

    def _label(self, watched: Watched, signal: Signal, end: int) -> Label:
        step = watched.bins(self.step)
        canary, baseline = (arm.series(signal, 0, end, step) for arm in (watched.canary, watched.baseline))
        effect = 1.0 + watched.margins[signal].revert_above if self.own_margins else 1.0
        return classify(canary, baseline, effect)


def classify(canary: Floats, baseline: Floats, effect: float = 1.0) -> Label:
    """One metric. effect: least ratio of means that counts; it cannot be told where a mean is 0."""
    if not (canary.size and baseline.size):
        return Label.NO_DATA
    if np.array_equal(np.sort(canary), np.sort(baseline)):
        return Label.AS_BEFORE
    shift = shift_interval(canary, baseline, LEVEL)
    if shift.lower <= TOLERANCE * abs(shift.estimate):
        return Label.AS_BEFORE
    means = float(canary.mean()), float(baseline.mean())
    return Label.HIGH if 0.0 in means or means[0] / means[1] >= effect else Label.AS_BEFORE


def summary_score(groups: Iterable[list[Label]]) -> float:
    """0 to 100, groups weighing alike."""
    labels = list(groups)
    every = [label for group in labels for label in group]
    if every.count(Label.NO_DATA) >= TOO_MUCH_MISSING * len(every):
        return 0.0
    return round(sum(map(_group_score, labels)) / len(labels), 2)


def _group_score(labels: list[Label]) -> float:
    known = [label for label in labels if label is not Label.NO_DATA]
    return 100.0 * known.count(Label.AS_BEFORE) / len(known) if known else 100.0
