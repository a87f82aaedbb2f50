"""An estimated variance is not a known one: it is spread over a few likely values.

Plugging the estimate into a Gaussian mixture makes evidence of chance whenever
the estimate happens to be low. The spread makes both hypotheses t-like.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

Floats = NDArray[np.float64]

_EDGES = np.array([0.0, 0.001, 0.004, 0.01, 0.03, 0.07, 0.15, 0.3, 0.5, 0.7, 0.85, 1.0])

CELL_QUANTILE: Floats = (_EDGES[:-1] + _EDGES[1:]) / 2
"""Probability at the middle of each cell; the low ones stand for the large variances."""

CELL_MASS: Floats = np.diff(_EDGES)

CELL_LOG_MASS: Floats = np.log(CELL_MASS)

for _constant in (CELL_QUANTILE, CELL_MASS, CELL_LOG_MASS):
    _constant.setflags(write=False)


@lru_cache(maxsize=4096)
def chi2_quantile(q: float, df: float) -> float:
    """Lower q-quantile of the chi-squared distribution.

    q: 0 to 1; df > 0. Kind: numerical (inverse of the incomplete gamma function).
    """
    return 2.0 * float(gammaincinv(df / 2.0, q))


@lru_cache(maxsize=4096)
def inflation(df: float) -> Floats:
    """Ratio df / chi2_{q,df} of each cell: what an estimated variance is multiplied by there.

    df > 0; [cells]. Student's t as a mixture of normals over df / chi2 (Student 1908), in 11 cells.
    Kind: numerical; the widest cell stands for the outermost tail.
    """
    factors: Floats = df / (2.0 * gammaincinv(df / 2.0, CELL_QUANTILE))
    factors.setflags(write=False)
    return factors


def spread(v_known: float, v_estimated: float, df: float) -> Floats:
    """Total variance in each cell. Only the estimated part, on df degrees of freedom, is uncertain.

    Variances in any one unit; [cells]. Kind: model: the estimated part is scaled chi-squared.
    """
    return v_known + v_estimated * inflation(df)
