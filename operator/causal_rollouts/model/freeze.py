"""Windows in which no release begins and no traffic rises, as a platform team writes them down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recurring:
    """Frozen for `duration` seconds from each time that a cron line names in a time zone."""

    cron: str
    duration: float
    time_zone: str


@dataclass(frozen=True, slots=True)
class Span:
    """Frozen from `start` up to `end`, in seconds since the epoch."""

    start: float
    end: float


Window = Recurring | Span
