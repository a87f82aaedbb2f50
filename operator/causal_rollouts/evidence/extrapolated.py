"""From a footprint's finding to what is told of it: its evidence, and the use of the whole service."""

from __future__ import annotations

import math
from collections.abc import Iterator

from causal_rollouts.evidence import budget
from causal_rollouts.evidence.frame import Finding, Frame
from causal_rollouts.evidence.questions import Answer
from causal_rollouts.model.evidence import Process
from causal_rollouts.model.footprint import Footprint, Per
from causal_rollouts.model.metrics import Metric, MetricKind
from causal_rollouts.model.registration import Registration


def extrapolated(reg: Registration, frame: Frame, metric: Metric, answer: Answer | None) -> Footprint | None:
    """What a footprint metric says; None of other metrics, before the fit, and while both arms are twins."""
    if answer is None or answer.use is None or frame.twins:
        return None
    found, use = answer.finding, answer.use
    return Footprint(
        name=metric.name,
        per=Per.REQUEST if metric.of else Per.POD,
        effect=found.effect,
        lower=found.lower,
        upper=found.upper,
        log_e=budget.spent(_windows(reg, frame, metric, found)),
        warn_above=metric.margins.revert_above,
        canary=use.canary,
        baseline=use.baseline,
        present=use.present,
        requests=use.requests,
        pods=use.pods,
        headroom=metric.headroom,
        waits=metric.waits,
    )


def _windows(reg: Registration, frame: Frame, metric: Metric, found: Finding) -> Iterator[Process]:
    """The windows share one budget, which is the footprint's own: it spends nothing of the release's."""
    for track in found.tracks:
        share = budget.window_share(reg, frame, MetricKind.FOOTPRINT, track.window)
        if share > 0:
            yield Process(metric.name, MetricKind.FOOTPRINT, track.window, track.log_e, math.log(share))
