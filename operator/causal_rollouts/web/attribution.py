"""After the fact: which metrics are harmed, not only whether one of them is.

The error budget answers whether harm is anywhere, and stops. Whoever looks for
the cause asks of every metric, and wants few of the answers to be false.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from causal_rollouts.evidence.budget import spent
from causal_rollouts.model.evidence import Evidence, Process
from causal_rollouts.stats.e_bh import e_bh

FALSE_DISCOVERIES = 0.05


def attributed(evidence: Evidence) -> tuple[str, ...]:
    """Metrics whose harm holds together at a false discovery rate of 5%, the strongest first.

    A metric's e-value is the mean of its windows' by their shares of the budget. Model-based, as these are.
    """
    windows: dict[str, list[Process]] = {}
    for one in evidence.processes:
        windows.setdefault(one.metric, []).append(one)
    found = [(name, _mean(those)) for name, those in windows.items()]
    kept = e_bh([log_e for _, log_e in found], FALSE_DISCOVERIES)
    harmed = [pair for pair, keep in zip(found, kept, strict=True) if keep]
    return tuple(name for name, _ in sorted(harmed, key=lambda pair: -pair[1]))


def _mean(windows: Sequence[Process]) -> float:
    """Log of the mean e-value of a metric's windows by their shares."""
    return spent(windows) - math.log(math.fsum(math.exp(one.log_weight) for one in windows))
