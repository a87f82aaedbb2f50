"""The rule of a background AnalysisRun of Argo Rollouts 1.9, from its documentation; not its code.

Each metric is measured at every `interval` against its own `successCondition`,
here "not above a limit". More than `failureLimit` failed measurements of one
metric fail the run and abort the release; a measurement that gives no result
is an error, is tried again after 10 seconds, and more than four errors in a
row abort too. A value that is not a number does not meet the condition. What
has not failed when the release is through is successful.

Argo Rollouts documentation, "Analysis & Progressive Delivery" (background
analysis, failure conditions, NaN, empty array) and the AnalysisTemplate
reference, argo-rollouts.readthedocs.io. Default failureLimit is 0; its examples
take 3 at an interval of 5 minutes. Limits are taken from the past.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from causal_rollouts.analysis.peers.limits import Ground, limits
from causal_rollouts.analysis.peers.traffic import Signal
from causal_rollouts.analysis.peers.verdict import PASSED, PeerVerdict
from causal_rollouts.analysis.peers.watched import Watched

ERROR_RETRY = 10.0
"""Seconds to the next try after an error."""


@dataclass(frozen=True, slots=True)
class AnalysisRun:
    """Times in seconds. initial_delay: before the first measurement; a careful user waits an interval.

    failure_limit: failed measurements that a metric may have. error_limit: errors in a row that it may have.
    """

    interval: float = 300.0
    initial_delay: float = 300.0
    failure_limit: int = 0
    error_limit: int = 4
    ground: Ground = Ground.USUAL

    def judge(self, watched: Watched) -> PeerVerdict:
        """What it would have done; the metric that fails first decides."""
        highest = limits(watched, self.ground, self.interval)
        found = [
            PeerVerdict(failed=True, at=watched.at(end), why=why)
            for signal in Signal
            for end, why in self._ends(watched, signal, highest[signal])
        ]
        return min(found, key=lambda verdict: verdict.at or 0.0, default=PASSED)

    def _ends(self, watched: Watched, signal: Signal, highest: float) -> Iterator[tuple[int, str]]:
        """When the metric ends the run, if it does, and why."""
        step, failed, errors = watched.bins(self.interval), 0, 0
        at = watched.bins(self.initial_delay) if self.initial_delay else 0
        while at <= len(watched.canary):
            value = watched.canary.read(signal, at - step, at)
            errors = errors + 1 if value is None else 0
            failed += value is not None and not value <= highest
            if errors > self.error_limit:
                yield at, f"{signal}: no result"
                return
            if failed > self.failure_limit:
                yield at, str(signal)
                return
            at += step if value is not None else watched.bins(ERROR_RETRY)
