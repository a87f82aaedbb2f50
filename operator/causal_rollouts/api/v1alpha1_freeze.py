"""A freeze window in a manifest: a cron line with a duration, or a span of the calendar."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pydantic import Field

from causal_rollouts.api.forms import INSTANT, Cron, Instant, Lasting, TimeZone, quoted
from causal_rollouts.api.part import Part
from causal_rollouts.api.rule import Rule

ONE_FORM = Rule(
    "has(self.cron) ? has(self.duration) && !has(self.from) && !has(self.to)"
    " : has(self.from) && has(self.to) && !has(self.duration) && !has(self.timeZone)",
    "says neither when it recurs nor from when to when it lasts; give cron and duration (and timeZone), or "
    "from and to",
)
FORWARD = Rule(
    f"!has(self.from) || !has(self.to) || !(self.from.matches({quoted(INSTANT.pattern)}) && "
    f"self.to.matches({quoted(INSTANT.pattern)})) || self.to > self.from",
    "to is not after from; swap them or correct one",
    field="to",
)


class Freeze(Part):
    """One window in which no release begins and no traffic rises."""

    RULES = (ONE_FORM, FORWARD)

    cron: Cron | None = Field(default=None, description="When each window begins, as in crontab.")
    duration: Lasting | None = Field(
        default=None, description="How long a window lasts, in elapsed time, like 60h."
    )
    time_zone: TimeZone | None = Field(default=None, description="Of cron; without it UTC.")
    since: Instant | None = Field(default=None, alias="from", description="Begin of a single window.")
    until: Instant | None = Field(default=None, alias="to", description="Its end.")

    def broken(self) -> Iterator[Rule]:
        """Half a window, two in one, or one that ends before it begins."""
        recurs = self.cron is not None and self.duration is not None
        lasts = self.since is not None and self.until is not None
        of_cron = (self.cron, self.duration, self.time_zone)
        mixed = any(of_cron) if lasts else not recurs or bool(self.since or self.until)
        if mixed:
            yield ONE_FORM
        elif self.since is not None and self.until is not None and self.until <= self.since:
            yield FORWARD


def seconds_of(text: str) -> float:
    """`2026-12-20T00:00:00Z` in seconds since the epoch.

    Raises:
        ValueError: there is no such day.
    """
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
