"""Two rates compared by their events alone.

Given that an event happened, the chance that it is the treated side's depends
on nothing but exposure and the ratio of the rates. Whatever moves both rates
together, traffic or an incident, drops out bin by bin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP = 0.05

LOG_RATIO: Floats = -2.0 + STEP * np.arange(141, dtype=np.float64)
"""Grid of log rate ratios, -2 to 5."""

LOG_RATIO_WIDE: Floats = -4.0 + STEP * np.arange(221, dtype=np.float64)
"""The same, -4 to 7: a log ratio of one side that is itself a mixture with a further offset."""

_COLUMNS = (1, 2, 4, 8)
_SHARPEST = 2.0

for _grid in (LOG_RATIO, LOG_RATIO_WIDE):
    _grid.setflags(write=False)


def log_likelihood(treated: float, control: float, share: float, grid: Floats) -> Floats:
    """Log likelihood of each log ratio less that of 0: binomial, given treated + control events.

    share: the treated side's part of the exposure, 0 to 1.
    treated, control: events. grid [points], log rate ratios. Given n = x + y events, x is binomial with
    odds `share e^theta / (1 - share)` (Przyborowski and Wilenski 1940). Kind: exact for Poisson events,
    whatever their common rate.
    """
    log_l: Floats = treated * grid - (treated + control) * np.log1p(share * np.expm1(grid))
    return log_l


def resolved(log_l: Floats) -> Floats:
    """The likelihood at columns of interleaved points [i, p], at grid[i] + p STEP / columns.

    One column while the grid shows the peak. A peak narrower than .7 of a step is interpolated (cubic),
    else what its sum comes to depends on where between two points it happens to lie.
    log_l [points]. Kind: numerical, cubic Lagrange interpolation of the log.
    """
    bend = float(-np.diff(log_l, 2).min(initial=0.0))
    columns = next((c for c in _COLUMNS if bend <= _SHARPEST * c**2), _COLUMNS[-1])
    if columns == 1:
        return log_l[:, None]
    padded = np.concatenate(([_beyond(*log_l[:3])], log_l, [_beyond(*log_l[:-4:-1])]))
    return np.lib.stride_tricks.sliding_window_view(padded, 4) @ _CUBIC[columns]


def peak(grid: Floats, log_l: Floats) -> float:
    """Where the likelihood is highest: the parabola through the best point and its neighbours.

    grid, log_l [points]; in the unit of the grid. Kind: numerical, exact for a parabola.
    """
    i = int(log_l.argmax())
    if i in (0, len(log_l) - 1):
        return float(grid[i])
    left, top, right = log_l[i - 1 : i + 2].tolist()
    bend = left - 2.0 * top + right
    shift = 0.5 * (left - right) / bend if bend < 0.0 else 0.0
    return float(grid[i]) + shift * float(grid[1] - grid[0])


def _beyond(first: float, second: float, third: float) -> float:
    return float(3.0 * first - 3.0 * second + third)


def _lagrange(t: Floats) -> Floats:
    """Weights of the values at -1, 0, 1 and 2 for the value at t, one column for each t."""
    return np.array(
        [
            -t * (t - 1.0) * (t - 2.0) / 6.0,
            (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0,
            -(t + 1.0) * t * (t - 2.0) / 2.0,
            (t + 1.0) * t * (t - 1.0) / 6.0,
        ]
    )


_CUBIC = {columns: _lagrange(np.arange(columns) / columns) for columns in _COLUMNS[1:]}
