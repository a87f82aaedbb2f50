"""What a record knows of each metric at its newest look, and what is still missing.

The evidence state itself can be read by the operator alone; the trace of looks
and the yardsticks are enough to say how far each metric is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from causal_rollouts.model.percent import finite, interval, relative
from causal_rollouts.model.trace import Reading
from causal_rollouts.ports import Record
from causal_rollouts.web.yardstick import Yardstick, yardsticks


@dataclass(frozen=True, slots=True)
class Known:
    """One metric at the newest look. needed: evidence for safety that the next step takes."""

    reading: Reading
    stick: Yardstick
    needed: float

    @property
    def name(self) -> str:
        """As registered."""
        return self.reading.name

    @property
    def effect(self) -> str:
        """With its interval, in percent."""
        r = self.reading
        return "no estimate yet" if math.isnan(r.effect) else interval(r.effect, r.lower, r.upper)

    @property
    def missing(self) -> float:
        """Nats of evidence that are still missing; 0 where this metric need not show any."""
        if not self.stick.gates:
            return 0.0
        # What is not known is not there: max() would take nan for enough.
        return math.inf if math.isnan(self.reading.safe) else max(0.0, self.needed - self.reading.safe)

    def plain(self) -> dict[str, object]:
        """As JSON has it; relative changes, .25 is 25% more, null where unknown."""
        r = self.reading
        return {
            "name": r.name,
            "gating": str(self.stick.gating),
            "effect": relative(r.effect),
            "lower": relative(r.lower),
            "upper": relative(r.upper),
            "logEHarm": finite(r.harm),
            "logESafe": finite(r.safe),
            "needed": self.needed,
            "harmAbove": relative(self.stick.harm),
            "safeBelow": relative(self.stick.safe),
        }


def known(record: Record) -> tuple[Known, ...]:
    """Every metric at the newest look; empty before the first."""
    if not record.trace:
        return ()
    readings = {reading.name: reading for reading in record.trace[-1].readings}
    last = record.release.stage + 1 >= len(record.registration.stages)
    return tuple(
        Known(readings[name], stick, stick.promote if last else stick.advance)
        for name, stick in yardsticks(record).items()
        if name in readings
    )
