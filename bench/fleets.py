"""The two releases that are measured: simulated, so that everybody measures the same."""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.analysis.closed_loop import Case
from causal_rollouts.analysis.recording import Recording
from causal_rollouts.analysis.simulate import simulate
from causal_rollouts.analysis.simulation.setting import COUNTER, HISTOGRAM, Setting
from causal_rollouts.model.metrics import Gating, Margins, Matcher, Metric, MetricKind
from causal_rollouts.model.registration import Times
from causal_rollouts.model.telemetry import Series

SEED = 1
HALF_AN_HOUR = Times(history=1800.0)


def seventy_minutes() -> Recording:
    """30 pods with their arms, half an hour of history and the standard ladder."""
    usual = Case("plain", SEED).setting()
    return simulate(replace(usual, replicas=16, nodes=8, times=HALF_AN_HOUR), SEED)


def ten_metrics(metrics: tuple[Metric, ...]) -> tuple[Setting, Recording]:
    """40 pods with their arms, and these metrics."""
    usual = Case("plain", SEED).setting()
    setting = replace(usual, replicas=28, nodes=10, times=HALF_AN_HOUR, metrics=metrics)
    once = simulate(setting, SEED)
    series = [copy for one in once.series for copy in _copies(one)]
    return setting, replace(once, series=tuple(series))


_RARE = Margins(0.5, 1.5)
_ERRORS = Margins(0.25, 0.5, revert_above_points=0.001, promote_below_points=0.003)
_BAD = (Matcher((("code", "5.."),)),)

APART = (
    *(
        Metric(f"latency-{i}", MetricKind.LATENCY, f"{HISTOGRAM}_{i}", Margins(0.05, 0.1), Gating.BOTH)
        for i in range(4)
    ),
    *(
        Metric(f"slow-{i}", MetricKind.SLOW, f"{HISTOGRAM}_{i}", _RARE, Gating.REVERT_ONLY, over=0.5)
        for i in range(4, 6)
    ),
    *(
        Metric(f"errors-{i}", MetricKind.ERRORS, f"{COUNTER}_{i}", _ERRORS, Gating.BOTH, bad=_BAD)
        for i in range(3)
    ),
    Metric("restarts", MetricKind.RESTARTS, "", Margins(1.0, 1.0), Gating.REVERT_ONLY),
)

"""Ten metrics, each of series of its own: the most that can be to read."""

USUAL = (
    *APART[:2],
    *(
        Metric(f"{kind}-{i}", kind, f"{HISTOGRAM}_{i}", _RARE, Gating.REVERT_ONLY, over=over, share=share)
        for i in range(2)
        for kind, over, share in ((MetricKind.SLOW, 0.5, 0.0), (MetricKind.TAIL, 0.0, 0.0015))
    ),
    *APART[6:],
)
"""Ten metrics of two histograms, three counters and the restarts: latency, slow and tail share theirs."""


def _copies(one: Series) -> list[Series]:
    name = one.labels["__name__"]
    for stem, ending, times in ((HISTOGRAM, "_bucket", 6), (COUNTER, "", 3)):
        if name == stem + ending:
            return [
                Series({**one.labels, "__name__": f"{stem}_{i}{ending}"}, one.times, one.values)
                for i in range(times)
            ]
    return [one]
