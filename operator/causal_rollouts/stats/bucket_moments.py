"""Mean and spread of a logarithm, read from the buckets of a histogram.

The middle of a bucket on the log scale stands for all that fell into it. Both
arms are read with the same ruler, so its coarseness costs power, not validity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def log_middles(edges: Floats) -> Floats:
    """Log of each bucket's geometric middle; edges are the finite ones, rising and positive.

    The first bucket reaches down to half its edge, the one above the last edge up to one and a half times.
    edges [buckets - 1], in the unit of the histogram. Kind: exact (arithmetic); grouping moves a mean
    by at most half a bucket on the log scale, in both arms alike.
    """
    bounds = np.concatenate((edges[:1] / 2.0, edges, edges[-1:] * 1.5))
    logs = np.log(bounds)
    middles: Floats = (logs[:-1] + logs[1:]) / 2.0
    return middles


def log_means(counts: Floats, middles: Floats) -> tuple[Floats, Floats]:
    """(observations, mean logarithm) over the last axis; the mean is 0 where there is nothing.

    Sums over the last axis only and without BLAS: a bin's mean must have the same bits whichever bins
    and units it was computed together with.
    counts [..., buckets], middles [buckets]. Kind: exact for grouped data, `sum_k c_k m_k / sum_k c_k`.
    """
    dense = np.ascontiguousarray(counts)
    n: Floats = dense.sum(axis=-1)
    total = (dense * middles).sum(axis=-1)
    mean: Floats = np.divide(total, n, out=np.zeros_like(total), where=n > 0)
    return n, mean


def pooled_variance(counts: Floats, middles: Floats, n: Floats, mean: Floats) -> float:
    """Variance of the logarithm inside cells, pooled over all of them; 0 without two in any cell.

    counts [..., buckets], n and mean [...] as from `log_means`. `sum c (m - mean)^2 / sum (n - 1)`: the
    within mean square of a one-way layout (Fisher 1925, chapter VII). Kind: unbiased for grouped
    independent observations, else a model.
    """
    squares = float((counts * np.square(middles - mean[..., None])).sum())
    freedom = float(np.maximum(n - 1.0, 0.0).sum())
    return squares / freedom if freedom > 0 else 0.0
