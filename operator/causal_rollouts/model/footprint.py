"""What a release uses, and what the whole service would use if every pod ran it.

A shared backend shows nothing while a candidate with one request in twenty asks
it three times; counted a request, it shows at once. The step from the canary
to the whole is a model (each pod would use what the canary uses): so a
footprint is told, may make a rise of traffic wait, and never reverts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

WARNING = math.log(100.0)
"""Evidence for growth that is warned of: one harmless release in a hundred, over all looks of a metric."""


class Per(StrEnum):
    """What use is counted against."""

    REQUEST = "request"
    POD = "pod"


class Headroom(StrEnum):
    """How the use at 100% stands to what the policy leaves for it."""

    UNSTATED = "Unstated"
    UNKNOWN = "Unknown"
    WITHIN = "Within"
    UNCLEAR = "Unclear"
    EXCEEDED = "Exceeded"


@dataclass(frozen=True, slots=True)
class Footprint:
    """One footprint metric at one look.

    effect, lower, upper: log ratio of use, canary to baseline, with its always-valid interval; nan where
    unknown. log_e: evidence that it grew by more than what counts as nothing, while the estimate is above
    `warn_above`; over all windows. canary, baseline: use for each request (or pod) since the first stage.
    present: what the whole service uses now on the stable template: a second, or of a gauge at once.
    requests: of the whole service a second, nan for a gauge. pods: of the stable fleet, nan for a counter.
    headroom: share by which use may grow, None where nobody said. waits: traffic does not rise beyond it.
    """

    name: str
    per: Per
    effect: float
    lower: float
    upper: float
    log_e: float
    warn_above: float
    canary: float
    baseline: float
    present: float
    requests: float
    pods: float
    headroom: float | None = None
    waits: bool = False

    @property
    def grown(self) -> bool:
        """The candidate needs more, with evidence."""
        return self.log_e >= WARNING

    @property
    def standing(self) -> Headroom:
        """The whole interval must lie on one side of the headroom to be called within or exceeded."""
        if self.headroom is None:
            return Headroom.UNSTATED
        room = math.log1p(self.headroom)
        if math.isnan(self.effect):
            return Headroom.UNKNOWN
        if self.lower > room:
            return Headroom.EXCEEDED
        return Headroom.WITHIN if self.upper <= room else Headroom.UNCLEAR

    @property
    def whole(self) -> tuple[float, float, float]:
        """(estimate, lower, upper) of the use at 100% of the traffic, where `present` is today's. A model."""
        return (
            self.present * _factor(self.effect),
            self.present * _factor(self.lower),
            self.present * _factor(self.upper),
        )

    @property
    def blocks(self) -> bool:
        """The policy lets no traffic rise on it."""
        return self.waits and self.standing is Headroom.EXCEEDED


def _factor(log_ratio: float) -> float:
    return math.exp(log_ratio) if log_ratio < 700.0 else math.inf
