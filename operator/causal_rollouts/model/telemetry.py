"""Raw samples as they left the metrics source, before anything was computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Series:
    """One series: labels (with `__name__`), strictly rising times in seconds, values of equal length."""

    labels: Mapping[str, str]
    times: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Samples by metric name of the registration (`latency` -> its series).

    problems: metrics whose source answered but not usably, with a sentence for the user.
    """

    series: Mapping[str, tuple[Series, ...]]
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """One look of the gate: which bins it may use, and whether the source answered.

    provider_error: what the metrics source said when it could not answer, else "".
    late_bins: final bins before this look that had not been consumed because the source was away.
    """

    time: float
    last_final: int
    provider_error: str = ""
    late_bins: int = 0
