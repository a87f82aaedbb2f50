"""Is it frozen now, and until when: cron lines and calendar spans against one instant.

cronsim reads the cron line and knows what a clock that is moved does to it: a
time that a night in spring leaves out comes right after the gap, one that a
night in autumn has twice comes once. A duration is elapsed time, so 60 h from
Friday evening end an hour off on the wall when the clock was moved meanwhile.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from causal_rollouts.model.freeze import Recurring, Span, Window

MOST = 100
"""Windows that may follow each other without a gap; what lasts longer is told up to there."""


def frozen_until(now: float, windows: tuple[Window, ...]) -> float | None:
    """When the freeze that holds at `now` ends, None where none does. Windows that touch are one freeze."""
    end = now
    for _ in range(MOST):
        later = [found for window in windows if (found := _end(window, end)) is not None]
        if not later:
            break
        end = max(later)
    return end if end > now else None


def instant(time: float) -> str:
    """A time as a person reads it, to the second and in UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _end(window: Window, now: float) -> float | None:
    match window:
        case Span():
            return window.end if window.start <= now < window.end else None
        case Recurring():
            begun = _last_start(window, now)
            return begun + window.duration if begun is not None and now < begun + window.duration else None


def _last_start(window: Recurring, now: float) -> float | None:
    """The newest start that is not after `now`: its end is the latest of all that have begun."""
    # Backwards, cronsim counts from the last whole second before; a fraction would count as one more.
    after = datetime.fromtimestamp(int(now), ZoneInfo(window.time_zone)) + timedelta(seconds=1)
    found = next(CronSim(window.cron, after, reverse=True), None)
    return None if found is None else found.timestamp()
