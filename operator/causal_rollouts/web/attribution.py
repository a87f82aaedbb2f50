"""After the fact: which metrics are harmed, not only whether one of them is.

The error budget answers whether harm is anywhere, and stops. Whoever looks for
the cause asks of every metric, and wants few of the answers to be false.
"""

from __future__ import annotations

import math

from causal_rollouts.model.evidence import Evidence
from causal_rollouts.stats.e_bh import e_bh

FALSE_DISCOVERIES = 0.05


def attributed(evidence: Evidence) -> tuple[str, ...]:
    """Metrics whose harm holds together at a false discovery rate of 5%, the strongest first.

    A metric's e-value is the mean of its windows' by their shares of the budget. Model-based, as these are.
    """
    windows: dict[str, list[tuple[float, float]]] = {}
    for one in evidence.processes:
        windows.setdefault(one.metric, []).append((one.log_weight, one.log_e))
    found = [(name, _mean(those)) for name, those in windows.items()]
    kept = e_bh([log_e for _, log_e in found], FALSE_DISCOVERIES)
    harmed = [pair for pair, keep in zip(found, kept, strict=True) if keep]
    return tuple(name for name, _ in sorted(harmed, key=lambda pair: -pair[1]))


def _mean(windows: list[tuple[float, float]]) -> float:
    """Log of the weighted mean of (log weight, log e)."""
    top = max(weight + log_e for weight, log_e in windows)
    if top == -math.inf:
        return -math.inf
    total = math.fsum(math.exp(weight + log_e - top) for weight, log_e in windows)
    return top + math.log(total) - math.log(math.fsum(math.exp(weight) for weight, _ in windows))
