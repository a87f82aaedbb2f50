"""Which of many findings hold together, whatever they have to do with each other?"""

from __future__ import annotations

import math
from collections.abc import Sequence


def e_bh(log_e: Sequence[float], alpha: float) -> tuple[bool, ...]:
    """Findings that are kept, in the order given, with a false discovery rate of at most alpha.

    log_e: log e-value of each of the K hypotheses in nats, -inf where there is no evidence. The k largest
    are kept for the largest k with `e_(k) >= K / (alpha k)`. Wang and Ramdas 2022, definition 2 and theorem
    2: exact for e-values under any dependence, so also for metrics that share pods.

    Raises:
        ValueError: alpha is not between 0 and 1, or an e-value is nan.
    """
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha: {alpha} is not between 0 and 1")
    if any(math.isnan(one) for one in log_e):
        raise ValueError("log_e: an e-value is nan; give -inf where there is no evidence")
    K = len(log_e)
    ordered = sorted(log_e, reverse=True)
    kept = max((k for k, one in enumerate(ordered, 1) if one >= math.log(K / (alpha * k))), default=0)
    least = ordered[kept - 1] if kept else math.inf
    return tuple(one >= least for one in log_e)
